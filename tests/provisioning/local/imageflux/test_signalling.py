from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from provisioning.channels import ChannelOptions
from provisioning.imageflux import Channel, ImageFlux
from provisioning.local.imageflux import ImageFluxStandIn, StandInSettings
from tests.provisioning.local.imageflux.sora_client import SoraClient


@pytest.fixture
async def channel(service: ImageFlux) -> Channel:
    return await service.create_channel(ChannelOptions(renditions=[]))


async def closed_after(http: aiohttp.ClientSession, url: str, *texts: str | bytes) -> tuple[int, str]:
    """Say `texts` and return how the server closes."""
    async with asyncio.timeout(10), http.ws_connect(url) as socket:
        for text in texts:
            await (socket.send_bytes(text) if isinstance(text, bytes) else socket.send_str(text))
        while (frame := await socket.receive()).type is WSMsgType.TEXT:
            pass
        assert frame.type is WSMsgType.CLOSE
        return int(frame.data), str(frame.extra)


def connect(channel: Channel, **change: Any) -> str:
    message = {"type": "connect", "role": "sendonly", "channel_id": channel.channel_id, "audio": True, "video": False}
    return json.dumps(message | change)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "INVALID-MESSAGE"),
        ("{", "INVALID-MESSAGE"),
        ('{"type":"hologram"}', "INVALID-MESSAGE"),
        ('{"type":"pong"}', "CONNECT-MUST-BE-FIRST"),
        ('{"type":"connect","role":"upstream","channel_id":"x"}', "INVALID-MESSAGE"),
        (b"\x00", "NOT-TEXT"),
    ],
)
async def test_nonsense_first_is_closed_with_4400(
    http: aiohttp.ClientSession, channel: Channel, text: str | bytes, reason: str
) -> None:
    code, told = await closed_after(http, channel.signalling_url, text)
    assert code == 4400
    assert told.startswith(reason)


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ("{", "INVALID-MESSAGE"),
        ('{"type":"answer","sdp":"v=0"}', "INVALID-MESSAGE"),
        ('{"type":"candidate","candidate":"candidate:nonsense"}', "INVALID-MESSAGE"),
        ("again", "SECOND-CONNECT"),
        (b"\x00", "NOT-TEXT"),
    ],
)
async def test_nonsense_later_is_closed_with_4400(
    http: aiohttp.ClientSession, channel: Channel, second: str | bytes, reason: str
) -> None:
    first = connect(channel)
    code, told = await closed_after(http, channel.signalling_url, first, first if second == "again" else second)
    assert code == 4400
    assert told.startswith(reason)


async def test_an_unknown_channel_is_closed_with_4404(http: aiohttp.ClientSession, channel: Channel) -> None:
    wrong = connect(channel, channel_id="nowhere")
    assert await closed_after(http, channel.signalling_url, wrong) == (4404, "CHANNEL-NOT-FOUND")


@pytest.mark.parametrize("codec", ["VP9", "AV1", "H265"])
async def test_a_codec_that_is_not_there_is_said(http: aiohttp.ClientSession, channel: Channel, codec: str) -> None:
    code, reason = await closed_after(http, channel.signalling_url, connect(channel, video={"codec_type": codec}))
    assert code == 4400
    assert "UNSUPPORTED-CODEC" in reason


async def test_who_does_not_get_connected_is_sent_away(http: aiohttp.ClientSession) -> None:
    async with ImageFluxStandIn(StandInSettings(connect_seconds=0.2)) as stand_in:
        channel = await ImageFlux(http, stand_in.api_url, stand_in.settings.token).create_channel()
        closed = await closed_after(http, channel.signalling_url, connect(channel))
        assert closed == (4408, "CONNECTION-CREATED-TIMEOUT")


async def test_who_does_not_answer_pings_is_sent_away_and_the_others_are_told(http: aiohttp.ClientSession) -> None:
    settings = StandInSettings(ping_seconds=0.05, pong_seconds=1.0)
    async with asyncio.timeout(10), ImageFluxStandIn(settings) as stand_in:
        channel = await ImageFlux(http, stand_in.api_url, stand_in.settings.token).create_channel()
        async with SoraClient(http, channel, "recvonly") as awake, SoraClient(http, channel, "sendonly") as asleep:
            asleep.answers_pings = False
            await asleep.closed.wait()
            assert asleep.close == (4408, "PONG-TIMEOUT")
            destroyed = await awake.notified("connection.destroyed")
            assert destroyed["connection_id"] == asleep.connection_id
            assert not awake.closed.is_set()


async def test_notifications_count_and_name_everybody(http: aiohttp.ClientSession, channel: Channel) -> None:
    async with asyncio.timeout(10), SoraClient(http, channel, "recvonly") as first:
        created = await first.notified("connection.created")
        assert created["connection_id"] == first.connection_id
        assert (created["channel_connections"], created["channel_recvonly_connections"]) == (1, 1)
        assert created["data"] == []
        async with SoraClient(http, channel, "sendonly", signaling_notify_metadata={"name": "ロボ"}) as second:
            own = await second.notified("connection.created")
            assert own["channel_connections"] == 2
            assert [other["connection_id"] for other in own["data"]] == [first.connection_id]
            told = await first.notified("connection.created")
            assert told["connection_id"] == second.connection_id
            assert told["channel_sendonly_connections"] == 1
            assert told["metadata"] == {"name": "ロボ"}
            assert "data" not in told
        gone = await first.notified("connection.destroyed")
        assert (gone["connection_id"], gone["channel_connections"]) == (second.connection_id, 1)


async def test_an_offer_carries_the_names_native_clients_demand(http: aiohttp.ClientSession, channel: Channel) -> None:
    async with asyncio.timeout(10), SoraClient(http, channel, "recvonly") as first:
        offer = first.offer
        assert len(offer["connection_id"]) == 26
        assert offer["client_id"] == offer["bundle_id"] == offer["connection_id"]
        assert offer["config"] == {"iceServers": [], "iceTransportPolicy": "all"}
        async with SoraClient(http, channel, "sendonly", client_id="me", bundle_id="us") as second:
            assert second.offer["session_id"] == offer["session_id"]
            assert (second.offer["client_id"], second.offer["bundle_id"]) == ("me", "us")
            assert second.offer["mid"] == {"audio": "0"}
    async with SoraClient(http, channel, "recvonly") as later:
        assert later.offer["session_id"] != offer["session_id"]


async def test_a_receiver_that_came_first_gets_a_later_offer_naming_the_sender(
    http: aiohttp.ClientSession, channel: Channel
) -> None:
    async with asyncio.timeout(15), SoraClient(http, channel, "recvonly") as receiver:
        for _ in range(2):  # the same section serves one sender after another
            async with SoraClient(http, channel, "sendonly") as sender:
                sdp = await receiver.re_offered()
                assert f"a=msid:{sender.connection_id} " in sdp
                await receiver.hears()
            assert "a=inactive" in await receiver.re_offered()


async def test_a_receiver_hears_two_senders(http: aiohttp.ClientSession, channel: Channel) -> None:
    async with (
        asyncio.timeout(15),
        SoraClient(http, channel, "sendonly"),
        SoraClient(http, channel, "sendonly"),
        SoraClient(http, channel, "recvonly") as receiver,
    ):
        assert receiver.offer["sdp"].count("m=audio") == 2
        await receiver.hears(tracks=2)


async def test_a_goodbye_is_closed_with_type_disconnect(http: aiohttp.ClientSession, channel: Channel) -> None:
    async with SoraClient(http, channel, "sendonly") as client:
        pass
    assert client.close == (1000, "TYPE-DISCONNECT")


@pytest.fixture
async def webhook() -> AsyncIterator[tuple[str, list[tuple[dict[str, str], Any]]]]:
    """A place for webhooks: what was posted, and one channel name that is refused."""
    posted: list[tuple[dict[str, str], Any]] = []

    async def take(request: web.Request) -> web.Response:
        body = await request.json()
        posted.append((dict(request.headers), body))
        if body.get("metadata") == "wrong":
            return web.json_response({"allowed": False, "reason": "WRONG-TOKEN"})
        return web.json_response({"allowed": True})

    application = web.Application()
    application.add_routes([web.post("/hook", take)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield "http://{}:{}/hook".format(*runner.addresses[0][:2]), posted
    await runner.cleanup()


async def test_the_auth_webhook_decides(
    http: aiohttp.ClientSession, service: ImageFlux, webhook: tuple[str, list[tuple[dict[str, str], Any]]]
) -> None:
    url, posted = webhook
    channel = await service.create_channel(ChannelOptions(renditions=[], auth_webhook_url=url))
    refused = connect(channel, metadata="wrong")
    assert await closed_after(http, channel.signalling_url, refused) == (4403, "WRONG-TOKEN")
    async with SoraClient(http, channel, "sendonly", metadata={"access_token": "right"}) as client:
        headers, question = posted[-1]
        assert headers["sora-connection-id"] == question["connection_id"] == client.connection_id
        assert question["role"] == "sendonly"
        assert question["channel_id"] == channel.channel_id
        assert question["metadata"] == {"access_token": "right"}


async def test_an_auth_webhook_that_is_dead_lets_nobody_in(http: aiohttp.ClientSession, service: ImageFlux) -> None:
    channel = await service.create_channel(ChannelOptions(renditions=[], auth_webhook_url="http://127.0.0.1:1/"))
    closed = await closed_after(http, channel.signalling_url, connect(channel))
    assert closed == (4403, "AUTH-WEBHOOK-FAILED")


async def test_the_event_webhook_names_the_playlist(
    http: aiohttp.ClientSession, service: ImageFlux, webhook: tuple[str, list[tuple[dict[str, str], Any]]]
) -> None:
    url, posted = webhook
    channel = await service.create_channel(ChannelOptions(event_webhook_url=url))
    async with asyncio.timeout(15), SoraClient(http, channel, "sendonly") as client:
        while not posted:
            await asyncio.sleep(0.05)
        (playlist,) = await service.playlists(channel.channel_id)
    event = posted[0][1]
    assert set(event) == {"channel_id", "connection_id", "timestamp", "type", "playlist_url"}
    assert event["type"] == "notify.playlist_url"
    assert event["connection_id"] == client.connection_id
    assert event["playlist_url"] == playlist.url
