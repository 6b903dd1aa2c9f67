from __future__ import annotations

import asyncio
import json
import logging
import re
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import aiohttp
import pytest

from device.audio.block import SILENCE
from device.errors import MediaError, SignallingError
from device.messages.minting import BroadcastGrant
from device.rtc import flow
from device.rtc.sending import OpusSender
from device.sora import publisher as publisher_module
from device.sora.publisher import Publisher
from device.sora.settings import BroadcastSettings
from provisioning.imageflux import ImageFlux
from provisioning.local.imageflux import ImageFluxStandIn
from tests.device.rtc.test_losses import report as loss_report
from tests.device.sora.scripted import (
    CONNECTION_ID,
    Client,
    Offerer,
    ScriptedSora,
    mids,
    put_on_air,
    sections,
    with_port_0,
)
from tests.device.sora.sending import grant_for, send
from tests.provisioning.local.imageflux.listening import (
    dbfs,
    download,
    heard,
    loudest_hertz,
    quietest_dbfs,
    tone,
    wait_for_playlists,
)

SETTINGS = BroadcastSettings()


@pytest.fixture
async def sora() -> AsyncIterator[ScriptedSora]:
    async with ScriptedSora() as server:
        yield server


def publisher_to(*urls: str, http: aiohttp.ClientSession, **settings: Any) -> Publisher:
    grant = BroadcastGrant(signalling_urls=list(urls), channel_id="room", metadata={"access_token": "hunter2"})
    return Publisher(grant, http=http, settings=BroadcastSettings(**settings))


@asynccontextmanager
async def on_air(
    sora: ScriptedSora, http: aiohttp.ClientSession, offerer: Offerer, **extra: Any
) -> AsyncIterator[tuple[Publisher, Client]]:
    """Enter a publisher with the scripted server playing along; the server says goodbye too."""
    publisher = publisher_to(sora.url, http=http)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks, offerer:
        entering = tasks.create_task(publisher.__aenter__())
        client = await sora.client()
        await put_on_air(client, offerer, **extra)
        await entering
        try:
            yield publisher, client
        finally:
            leaving = tasks.create_task(publisher.__aexit__())
            if not client.gone.is_set():
                await client.hear("disconnect")
                await client.close(1000, "TYPE-DISCONNECT")
            await leaving


# ---- with the stand-in


@pytest.mark.parametrize("packet_ms", [20, 60])
async def test_what_is_pushed_is_heard_by_observers(
    service: ImageFlux, http: aiohttp.ClientSession, packet_ms: Literal[20, 60]
) -> None:
    channel, settings = await service.create_channel(), BroadcastSettings(packet_ms=packet_ms)
    async with asyncio.timeout(20), Publisher(grant_for(channel), http=http, settings=settings) as publisher:
        await send(publisher.programme, tone(440, -12, 5))
        (playlist,) = await wait_for_playlists(service, channel.channel_id)
        assert playlist.connection_id == publisher.connection_id
    recording = await download(http, playlist.url)
    assert recording.playlist.ended
    sound = heard(recording.sound)
    assert sound.size == pytest.approx(5 * 48_000, rel=0.02)
    middle = sound[12_000:-12_000]
    assert loudest_hertz(middle) == pytest.approx(440, abs=1)
    assert dbfs(middle) == pytest.approx(-12, abs=0.5)
    assert quietest_dbfs(middle) > -14


async def test_a_refused_connect_is_an_error_with_its_code(
    stand_in: ImageFluxStandIn, service: ImageFlux, http: aiohttp.ClientSession
) -> None:
    channel = await service.create_channel()
    stand_in.faults.refuse_connect = True
    publisher = Publisher(grant_for(channel), http=http, settings=SETTINGS)
    with pytest.raises(SignallingError, match="refused") as caught:
        await publisher.__aenter__()
    assert caught.value.code == 4403


async def test_a_deleted_channel_ends_the_publisher_with_1000(service: ImageFlux, http: aiohttp.ClientSession) -> None:
    channel = await service.create_channel()
    async with asyncio.timeout(10), Publisher(grant_for(channel), http=http, settings=SETTINGS) as publisher:
        await service.delete(channel.channel_id)
        assert await publisher.ended() == "ended by server: 1000 DISCONNECTED-API"
    with pytest.raises(SignallingError):
        await Publisher(grant_for(channel), http=http, settings=SETTINGS).__aenter__()


async def test_losses_that_the_service_reports_are_prepared_for(
    service: ImageFlux, http: aiohttp.ClientSession
) -> None:
    channel = await service.create_channel()
    async with asyncio.timeout(10), Publisher(grant_for(channel), http=http, settings=SETTINGS) as publisher:
        assert publisher._media._peer is not None
        [sender] = publisher._media._peer.getSenders()
        await sender.transport._handle_rtcp_data(loss_report(sender._ssrc, 51))
        assert publisher.programme.counters()["expected_loss_percent"] == 20


# ---- the way on air


async def test_a_redirect_is_followed(sora: ScriptedSora, http: aiohttp.ClientSession) -> None:
    publisher = publisher_to(sora.url, http=http)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks, ScriptedSora() as other, Offerer() as offerer:
        entering = tasks.create_task(publisher.__aenter__())
        first = await sora.client()
        connect = await first.hear("connect")
        await first.say({"type": "redirect", "location": other.url})
        await first.close(1000, "REDIRECTED")
        second = await other.client()
        again = await second.hear("connect")
        assert again == connect | {"redirect": True}
        second.heard.put_nowait(again)
        await put_on_air(second, offerer)
        await entering
        leaving = tasks.create_task(publisher.__aexit__())
        await second.hear("disconnect")
        await second.close(1000, "TYPE-DISCONNECT")
        await leaving


async def test_the_answer_mirrors_the_offer_and_sends_opus_only(
    sora: ScriptedSora, http: aiohttp.ClientSession
) -> None:
    publisher = publisher_to(sora.url, http=http)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks, Offerer(("video", "audio", "audio")) as offerer:
        offerer.peer.createDataChannel("signaling")
        entering = tasks.create_task(publisher.__aenter__())
        client = await sora.client()
        offer = await offerer.offer()
        answer = await put_on_air(client, offerer, mid={"video": "0", "audio": "2"})
        await entering
        assert mids(answer["sdp"]) == mids(offer)
        video, other, audio, data = sections(answer["sdp"])
        assert video.startswith("m=video")
        assert data.startswith("m=application")
        for unused in (video, other):
            assert "a=inactive" in unused
        assert "a=sendonly" in audio
        assert "a=setup:active" in audio
        assert re.findall(r"a=rtpmap:\d+ (\S+)", audio) == ["opus/48000/2"]
        assert re.match(r"m=audio \d+ \S+ \d+\r\n", audio)
        await client.close(1011, "enough")
        await publisher.__aexit__()


async def test_the_second_address_is_used_when_the_first_is_dead(
    service: ImageFlux, http: aiohttp.ClientSession
) -> None:
    channel = await service.create_channel()
    grant = BroadcastGrant(
        signalling_urls=["ws://127.0.0.1:1/signaling", channel.signalling_url], channel_id=channel.channel_id
    )
    async with asyncio.timeout(10), Publisher(grant, http=http, settings=SETTINGS) as publisher:
        assert publisher.connection_id


async def test_nobody_there_is_an_error(http: aiohttp.ClientSession) -> None:
    with pytest.raises(SignallingError, match="unreachable"):
        await publisher_to("ws://127.0.0.1:1/signaling", http=http).__aenter__()


async def test_a_silent_server_is_an_error_in_bounded_time(sora: ScriptedSora, http: aiohttp.ClientSession) -> None:
    with pytest.raises(SignallingError, match="no offer in time"):
        await publisher_to(sora.url, http=http, offer_seconds=0.2).__aenter__()


async def test_an_offer_that_is_no_offer_is_an_error(sora: ScriptedSora, http: aiohttp.ClientSession) -> None:
    publisher = publisher_to(sora.url, http=http)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        entering = tasks.create_task(_error_of(publisher))
        client = await sora.client()
        await client.hear("connect")
        await client.say({"type": "offer", "sdp": "v=0\r\nm=audio x\r\n", "connection_id": "C"})
        assert (await client.hear("disconnect"))["reason"] == "CONNECTION-STATE-FAILED"
        await client.close(1000, "TYPE-DISCONNECT")
        assert isinstance(await entering, MediaError)


async def test_media_that_does_not_come_up_is_a_media_error(sora: ScriptedSora, http: aiohttp.ClientSession) -> None:
    publisher = publisher_to(sora.url, http=http, media_seconds=0.5)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks, Offerer() as offerer:
        entering = tasks.create_task(_error_of(publisher))
        client = await sora.client()
        await client.hear("connect")
        await client.say({"type": "offer", "sdp": await offerer.offer(), "connection_id": "C"})
        assert (await client.hear("answer"))["sdp"]
        await client.hear("disconnect")
        await client.close(1000, "TYPE-DISCONNECT")
        error = await entering
        assert isinstance(error, MediaError)
        assert "not connected in time" in str(error)


async def test_relay_is_honoured_no_host_address_is_told(sora: ScriptedSora, http: aiohttp.ClientSession) -> None:
    publisher = publisher_to(sora.url, http=http)
    servers = [{"urls": ["turn:127.0.0.1:1?transport=tcp"], "username": "u", "credential": "c"}]
    async with asyncio.timeout(15), asyncio.TaskGroup() as tasks, Offerer() as offerer:
        entering = tasks.create_task(_error_of(publisher))
        client = await sora.client()
        await client.hear("connect")
        config = {"iceServers": servers, "iceTransportPolicy": "relay"}
        await client.say({"type": "offer", "sdp": await offerer.offer(), "connection_id": "C", "config": config})
        await client.hear("disconnect")
        await client.close(1000, "TYPE-DISCONNECT")
        assert "no answer from the relay" in str(await entering)


async def test_entering_can_be_cancelled(sora: ScriptedSora, http: aiohttp.ClientSession) -> None:
    entering = asyncio.create_task(_error_of(publisher_to(sora.url, http=http)))
    client = await sora.client()
    await client.hear("connect")
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    async with asyncio.timeout(5):
        await client.gone.wait()


async def _error_of(publisher: Publisher) -> Exception:
    with pytest.raises((SignallingError, MediaError)) as caught:
        await publisher.__aenter__()
    return caught.value


# ---- while it lasts


async def test_a_ping_is_answered_with_statistics(sora: ScriptedSora, http: aiohttp.ClientSession) -> None:
    offerer = Offerer()
    async with on_air(sora, http, offerer) as (publisher, client):
        publisher.programme.push(SILENCE)
        await offerer.until_received(1)
        await client.say({"type": "ping", "stats": True})
        stats = (await client.hear("pong"))["stats"]
        sent = next(each for each in stats if each["type"] == "outbound-rtp")
        assert sent["packetsSent"] == 1
        assert sent["kind"] == "audio"
        assert all(isinstance(each["timestamp"], float) and each["id"] for each in stats)
        await client.say({"type": "ping"})
        assert await client.hear("pong") == {"type": "pong"}


async def test_what_is_unknown_is_survived(sora: ScriptedSora, http: aiohttp.ClientSession) -> None:
    async with on_air(sora, http, Offerer()) as (publisher, client):
        await client.say({"type": "hologram", "depth": 3})
        await client.say({"type": "notify", "event_type": "spotlight.telepathy"})
        await client.say({"type": "push", "data": {"text": "hello"}})
        await client.say({"type": "ping"})
        await client.hear("pong")
        assert publisher.end is None


async def test_later_offers_are_answered_without_a_break(sora: ScriptedSora, http: aiohttp.ClientSession) -> None:
    offerer = Offerer()
    async with on_air(sora, http, offerer) as (publisher, client):

        async def re_offered(sdp: str) -> str:
            await client.say({"type": "re-offer", "sdp": sdp})
            for _ in range(20):
                publisher.programme.push(SILENCE)
                await offerer.until_received(int(publisher.programme.counters()["pushed"]))
            return str((await client.hear("re-answer"))["sdp"])

        offerer.add("video")
        await offerer.accept(await re_offered(await offerer.offer()))
        released = await re_offered(with_port_0(await offerer.offer(), "1"))
        assert [section.split()[1] == "0" for section in sections(released)] == [False, True]
        assert mids(released) == ["0", "1"]
        steps = {after - before for before, after in zip(offerer.timestamps, offerer.timestamps[1:], strict=False)}
        assert steps == {960}
        assert len(offerer.timestamps) == 40


async def test_signalling_moves_to_data_channels(sora: ScriptedSora, http: aiohttp.ClientSession) -> None:
    offerer = Offerer()
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    channels = {label: offerer.peer.createDataChannel(label) for label in ("signaling", "stats")}
    opened = {label: asyncio.Event() for label in channels}
    for label, channel in channels.items():
        channel.on("open", opened[label].set)
        channel.on("message", lambda data: heard.put_nowait(json.loads(zlib.decompress(data))))
    described = [{"label": label, "direction": "sendrecv", "compress": True} for label in channels]
    async with on_air(sora, http, offerer, data_channels=described) as (publisher, client):
        for event in opened.values():
            await event.wait()
        await client.say({"type": "switched", "ignore_disconnect_websocket": True})
        await client.gone.wait()
        channels["stats"].send(zlib.compress(b'{"type":"req-stats"}'))
        report = await heard.get()
        assert report["type"] == "stats"
        assert report["reports"]
        channels["signaling"].send(
            zlib.compress(json.dumps({"type": "close", "code": 1000, "reason": "LIFETIME-EXPIRED"}).encode())
        )
        assert await publisher.ended() == "ended by server: 1000 LIFETIME-EXPIRED"


# ---- ends


async def test_leaving_says_no_error_and_waits_for_the_close(sora: ScriptedSora, http: aiohttp.ClientSession) -> None:
    publisher = publisher_to(sora.url, http=http)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks, Offerer() as offerer:
        entering = tasks.create_task(publisher.__aenter__())
        client = await sora.client()
        await put_on_air(client, offerer)
        await entering
        assert publisher.connection_id == CONNECTION_ID
        leaving = tasks.create_task(publisher.__aexit__())
        assert (await client.hear("disconnect"))["reason"] == "NO-ERROR"
        assert not leaving.done()
        await client.close(1000, "TYPE-DISCONNECT")
        await leaving
        assert await publisher.ended() == "left: 1000 TYPE-DISCONNECT"


@pytest.mark.parametrize(
    ("code", "reason", "told"),
    [(1000, "LIFETIME-EXPIRED", "ended by server: 1000 LIFETIME-EXPIRED"), (4490, "BOOM", "lost: 4490 BOOM")],
)
async def test_the_servers_close_is_the_end(
    sora: ScriptedSora, http: aiohttp.ClientSession, code: int, reason: str, told: str
) -> None:
    async with on_air(sora, http, Offerer()) as (publisher, client):
        await client.close(code, reason)
        assert await publisher.ended() == told


async def test_a_peer_connection_that_goes_away_is_the_end(sora: ScriptedSora, http: aiohttp.ClientSession) -> None:
    offerer = Offerer()
    async with on_air(sora, http, offerer) as (publisher, client):
        await offerer.peer.close()
        assert (await client.hear("disconnect"))["reason"] == "CONNECTION-STATE-FAILED"
        await client.close(1000, "TYPE-DISCONNECT")
        assert await publisher.ended() == "no media: peer connection closed"


@pytest.mark.parametrize(
    ("still", "reason"), [("_send", "nothing was sent"), ("_reported", "the far end has told of nothing")]
)
async def test_a_broadcast_that_only_looks_alive_is_given_up(
    sora: ScriptedSora, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, still: str, reason: str
) -> None:
    monkeypatch.setattr(flow, "SENT_SECONDS", 0.2)
    monkeypatch.setattr(flow, "ACKNOWLEDGED_SECONDS", 0.4)
    monkeypatch.setattr(publisher_module, "WATCH_SECONDS", 0.05)
    async with on_air(sora, http, Offerer()) as (publisher, client):
        publisher.programme._acknowledged = 1  # it has reported once
        monkeypatch.setattr(OpusSender, still, lambda *_: None)
        ending = asyncio.create_task(publisher.ended())
        while not ending.done():
            publisher.programme.push(SILENCE)
            await asyncio.wait({ending}, timeout=0.02)
        assert (await client.hear("disconnect"))["reason"] == "CONNECTION-STATE-FAILED"
        assert reason in await ending


async def test_no_secret_is_logged(
    sora: ScriptedSora, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    config = {"iceServers": [{"urls": ["turn:127.0.0.1:1?transport=tcp"], "username": "u", "credential": "hunter3"}]}
    async with on_air(sora, http, Offerer(), config=config) as (_, client):
        await client.say({"type": "ping", "stats": True})
        await client.hear("pong")
    assert "on air" in caplog.text
    assert "hunter" not in caplog.text
