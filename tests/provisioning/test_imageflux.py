from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from device.errors import UpstreamError
from device.messages.secret import Secret
from device.messages.settings import read_settings
from provisioning.channels import AUDIO_RATES, ChannelOptions, HlsRendition, HlsVideo, VideoCodec, floored_audio_bps
from provisioning.imageflux import (
    CREATE,
    CREATE_WITH_HLS,
    DELETE,
    LIST_PLAYLISTS,
    Channel,
    ImageFlux,
    ImageFluxAnswerError,
    ImageFluxError,
    ImageFluxRefusedError,
    ImageFluxRequestError,
    ImageFluxUnreachableError,
    Playlist,
    checked,
)

TOKEN = "eyJhbGciOi.very-secret.token"
Answer = Callable[[web.Request], Any]


class Service:
    """A service that answers as the test wants and remembers what it was asked."""

    def __init__(self) -> None:
        self.status, self.body = 200, b"{}"
        self.asked: list[tuple[dict[str, str], Any]] = []
        self.url = ""
        self.silent = asyncio.Event()
        self.silent.set()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((dict(request.headers), json.loads(await request.read())))
        await self.silent.wait()
        return web.Response(status=self.status, body=self.body)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    made = Service()
    application = web.Application()
    application.add_routes([web.post("/", made.answer)])
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = "http://{}:{}/".format(*runner.addresses[0][:2])
    yield made
    await runner.cleanup()


@pytest.fixture
async def client(service: Service) -> AsyncIterator[ImageFlux]:
    async with aiohttp.ClientSession() as http:
        yield ImageFlux(http, service.url, Secret(TOKEN))


async def test_a_channel_is_asked_for_as_documented(service: Service, client: ImageFlux) -> None:
    service.body = b'{"channel_id":"C","sora_url":"wss://live/signaling","new_field":1}'
    options = ChannelOptions(event_webhook_url="https://kaiwa.example/hook")
    assert await client.create_channel(options) == Channel("C", "wss://live/signaling")
    headers, body = service.asked[0]
    assert headers["X-Sora-Target"] == CREATE_WITH_HLS
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["Content-Type"] == "application/json"
    video = {"width": 640, "height": 360, "fps": 15, "bps": 500_000, "codec": "h264_high"}
    assert body == {
        "hls": [{"durationSeconds": 1, "startTimeOffset": -2.0, "audio": {"bps": 96_000}, "video": video}],
        "event_webhook_url": "https://kaiwa.example/hook",
    }


async def test_everything_optional_is_sent_when_given(service: Service, client: ImageFlux) -> None:
    service.body = b'{"channel_id":"C","sora_url":"wss://live/signaling"}'
    rendition = HlsRendition(segment_seconds=2, start_offset=-4.5, video=False, archive_destination="A")
    options = ChannelOptions(
        renditions=[rendition, HlsRendition(video=HlsVideo(codec=VideoCodec.BASELINE))],
        auth_webhook_url="https://a/",
        encrypt_key_uri="https://k/",
    )
    await client.create_channel(options)
    body = service.asked[0][1]
    assert body["hls"][0] == {
        "durationSeconds": 2,
        "startTimeOffset": -4.5,
        "audio": {"bps": 96_000},
        "archive": {"archive_destination_id": "A"},
    }
    assert body["hls"][1]["video"]["codec"] == "h264_baseline"
    assert (body["auth_webhook_url"], body["encrypt_key_uri"]) == ("https://a/", "https://k/")


async def test_a_channel_without_hls_is_another_action(service: Service, client: ImageFlux) -> None:
    service.body = b'{"channel_id":"C","sora_url":"wss://live/signaling"}'
    await client.create_channel(ChannelOptions(renditions=[]))
    headers, body = service.asked[0]
    assert headers["X-Sora-Target"] == CREATE
    assert body == {}


async def test_playlists_and_channels_are_listed(service: Service, client: ImageFlux) -> None:
    service.body = b'{"channel_id":"C","hls":[{"connection_id":"N","playlist_url":"https://p.m3u8"}]}'
    assert await client.playlists("C") == [Playlist("N", "https://p.m3u8")]
    assert service.asked[0][0]["X-Sora-Target"] == LIST_PLAYLISTS
    service.body = b'{"channel_ids":["C","D"]}'
    assert await client.channels() == ["C", "D"]
    service.body = b"whatever"
    await client.delete("C")
    assert service.asked[-1][0]["X-Sora-Target"] == DELETE
    assert service.asked[-1][1] == {"channel_id": "C"}


@pytest.mark.parametrize(
    "options",
    [
        ChannelOptions(renditions=[HlsRendition(segment_seconds=0)]),
        ChannelOptions(renditions=[HlsRendition(audio_bps=320_001)]),
        ChannelOptions(renditions=[HlsRendition(video=HlsVideo(width=35))]),
        ChannelOptions(renditions=[HlsRendition(video=HlsVideo(height=4097))]),
        ChannelOptions(renditions=[HlsRendition(video=HlsVideo(bps=0))]),
        ChannelOptions(renditions=[HlsRendition(video=HlsVideo(fps=0))]),
        ChannelOptions(encrypt_key_uri="http://plain.example/"),
        ChannelOptions(event_webhook_url="ftp://x"),
        ChannelOptions(renditions=[], encrypt_key_uri="https://k/"),
    ],
)
async def test_what_breaks_a_documented_rule_is_not_sent(
    service: Service, client: ImageFlux, options: ChannelOptions
) -> None:
    with pytest.raises(ImageFluxRequestError):
        await client.create_channel(options)
    assert service.asked == []


def test_the_ranges_hold_in_a_settings_file_too() -> None:
    text = '[[renditions]]\nsegment_seconds = 2\n[renditions.video]\nwidth = 640\ncodec = "h264_main"\n'
    options = read_settings(text, "cloud.toml", ChannelOptions)
    assert checked(options) == options
    assert options.renditions[0].video == HlsVideo(codec=VideoCodec.MAIN)
    assert read_settings("[[renditions]]\nvideo = false\n", "cloud.toml", ChannelOptions).renditions[0].video is False


@pytest.mark.parametrize(
    ("status", "told"), [(401, "nope"), (400, "bad"), (429, "slow down"), (500, "oops"), (302, "moved")]
)
async def test_any_other_answer_is_an_error_with_its_status(
    service: Service, client: ImageFlux, status: int, told: str
) -> None:
    service.status, service.body = status, told.encode()
    with pytest.raises(ImageFluxRefusedError, match=told) as caught:
        await client.channels()
    assert caught.value.status == status
    assert isinstance(caught.value, UpstreamError)


@pytest.mark.parametrize("before", [0, 480, 495, 499])
async def test_an_error_is_short_and_never_tells_the_token(
    service: Service, client: ImageFlux, caplog: pytest.LogCaptureFixture, before: int
) -> None:
    caplog.set_level(logging.DEBUG)
    service.status, service.body = 500, b"x" * before + TOKEN.encode() + b"y" * 100_000
    with pytest.raises(ImageFluxError) as caught:
        await client.channels()
    assert len(str(caught.value)) < 600
    for part in (TOKEN, TOKEN[:8]):
        assert part not in str(caught.value)
        assert part not in caplog.text
    assert TOKEN not in repr(client.__dict__)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"channel_id":1}', b'{"sora_url":"x"}', b"\xff"])
async def test_nonsense_with_200_is_an_error_of_its_own(service: Service, client: ImageFlux, body: bytes) -> None:
    service.body = body
    with pytest.raises(ImageFluxAnswerError):
        await client.create_channel()


async def test_a_flood_is_not_read_to_its_end(service: Service, client: ImageFlux) -> None:
    service.body = b" " * 2_000_000
    with pytest.raises(ImageFluxUnreachableError):
        await client.channels()


async def test_nobody_there(service: Service) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(ImageFluxUnreachableError):
            await ImageFlux(http, "http://127.0.0.1:1/", Secret(TOKEN)).channels()
    assert service.asked == []


async def test_no_answer_in_time(service: Service) -> None:
    service.silent.clear()
    async with aiohttp.ClientSession() as http:
        client = ImageFlux(http, service.url, Secret(TOKEN), timeout=0.2)
        with pytest.raises(ImageFluxUnreachableError):
            await client.channels()
    service.silent.set()


@given(st.integers(-10, 400_000))
def test_audio_bit_rates_are_floored_to_the_table(bps: int) -> None:
    floored = floored_audio_bps(bps)
    assert floored in AUDIO_RATES
    assert floored <= max(bps, AUDIO_RATES[0])
    assert not any(floored < rate <= bps for rate in AUDIO_RATES)
