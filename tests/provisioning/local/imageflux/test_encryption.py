from __future__ import annotations

import asyncio
from urllib.parse import urljoin

import aiohttp
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from device.sora.publisher import Publisher
from device.sora.settings import BroadcastSettings
from provisioning.channels import ChannelOptions, HlsRendition
from provisioning.imageflux import ImageFlux, ImageFluxRefusedError
from provisioning.local.imageflux import ImageFluxStandIn
from tests.device.sora.sending import grant_for, send
from tests.provisioning.local.imageflux.listening import (
    decoded,
    heard,
    loudest_hertz,
    tone,
    wait_for_playlists,
    wait_for_segments,
)


def decrypted(segment: bytes, key: bytes, sequence: int) -> bytes:
    """Decrypt as a player does: with the place in the media sequence, where the playlist names no other vector."""
    decryptor = Cipher(AES128(key), CBC(sequence.to_bytes(16, "big"))).decryptor()
    unpadder = PKCS7(128).unpadder()
    return unpadder.update(decryptor.update(segment) + decryptor.finalize()) + unpadder.finalize()


async def test_an_encrypted_segment_is_heard_with_the_key_of_its_channel_only(
    stand_in: ImageFluxStandIn, service: ImageFlux, http: aiohttp.ClientSession
) -> None:
    options = ChannelOptions(renditions=[HlsRendition(video=False)], encrypt_key_uri=stand_in.key_uri)
    channel = await service.create_channel(options)
    async with asyncio.timeout(10), Publisher(grant_for(channel), http=http, settings=BroadcastSettings()) as publisher:
        await send(publisher.programme, tone(440, -12, 2.5))
        (found,) = await wait_for_playlists(service, channel.channel_id)
        playlist = await wait_for_segments(http, found.url, 2)
        kid = playlist.key.removeprefix(f"{stand_in.key_uri}&kid=")
        key = await service.encrypt_key(kid)
        async with http.get(playlist.key) as response:
            assert (await response.read(), response.headers["Access-Control-Allow-Origin"]) == (key, "*")
        async with http.get(f"{stand_in.key_uri}&kid=another") as response:
            assert response.status == 404
        async with http.get(urljoin(found.url, playlist.segments[1].uri)) as response:
            segment = await response.read()
    assert loudest_hertz(heard(decoded(decrypted(segment, key, playlist.sequence + 1)))) == pytest.approx(440, abs=2)
    assert segment[:1] != b"G", "a transport stream in the clear begins with its sync byte"
    with pytest.raises(ImageFluxRefusedError, match="KEY-NOT-FOUND"):
        await service.encrypt_key("another")
