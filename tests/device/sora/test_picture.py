"""The picture, from the settings through the service to an observer's decoder."""

from __future__ import annotations

import asyncio
import io
from typing import Any
from urllib.parse import urljoin

import aiohttp
import av
import numpy as np
import pytest

from device.messages.reports import Levels
from device.phase import Phase
from device.picture.studio import Studio
from device.sora.picture import studio
from device.sora.publisher import Publisher
from device.sora.settings import BroadcastSettings
from provisioning.channels import ChannelOptions, HlsRendition, HlsVideo
from provisioning.imageflux import ImageFlux
from tests.device.sora.sending import grant_for, play
from tests.provisioning.local.imageflux.listening import text_of, tone, wait_for_playlists
from tests.provisioning.local.imageflux.m3u8 import parse_media

SETTINGS = BroadcastSettings(picture="character", picture_rate=15, picture_name="Hana ハナ")


def speaking(levels: Levels) -> Studio:
    made = studio(SETTINGS, "robot-1", lambda: levels)
    assert made
    made.scene.stand(Phase.SPEAKING, on_air=True, muted=False)
    return made


async def broadcast(service: ImageFlux, http: aiohttp.ClientSession, motif: Studio | None) -> tuple[str, bytes]:
    """Send two and a half seconds; return the playlist's address and its first whole segment."""
    channel = await service.create_channel(
        ChannelOptions(renditions=[HlsRendition(video=HlsVideo(width=320, height=180, fps=10))])
    )
    async with Publisher(grant_for(channel), http=http, settings=SETTINGS, motif=motif) as publisher:
        await play(publisher.programme, tone(440, -12, 2.5))
        (playlist,) = await wait_for_playlists(service, channel.channel_id)
    segments = parse_media(await text_of(http, playlist.url)).segments
    async with http.get(urljoin(playlist.url, segments[1].uri)) as response:
        return playlist.url, await response.read()


def streams(segment: bytes) -> dict[str, list[Any]]:
    with av.open(io.BytesIO(segment)) as container:
        kinds = {stream.type for stream in container.streams}
    found: dict[str, list[Any]] = {}
    for kind in kinds & {"audio", "video"}:
        with av.open(io.BytesIO(segment), "r") as container:
            found[kind] = list(container.decode(**{kind: 0}))
    return found


async def test_a_segment_of_hls_has_the_picture_as_the_channel_wants_it_beside_the_sound(
    service: ImageFlux, http: aiohttp.ClientSession
) -> None:
    async with asyncio.timeout(15):
        url, segment = await broadcast(service, http, speaking(Levels(assistant=-16.0)))
        master = await text_of(http, url.replace("index", "captioned"))
    found = streams(segment)
    assert len(found["audio"]) == pytest.approx(48_000 / 1024, abs=3)
    assert len(found["video"]) == 10
    assert {(frame.width, frame.height) for frame in found["video"]} == {(320, 180)}
    assert found["video"][0].key_frame
    shown = found["video"][-1].to_ndarray(format="rgb24").astype(np.int16)
    redness = shown[..., 0] - shown[..., 2]
    assert (redness[6:19, 8:75] > 100).mean() > 0.5  # the mark that says on air
    assert (redness[33:110, 270:284] > 100).mean() > 0.5  # the meter of the robot that speaks
    assert (redness[33:110, 36:50] > 100).mean() == 0  # not the visitor's
    assert 'CODECS="avc1.64001f,mp4a.40.2"' in master
