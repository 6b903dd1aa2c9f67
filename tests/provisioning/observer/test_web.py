from __future__ import annotations

import asyncio
import gzip
import itertools
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, get_port_socket

from device.messages.reports import Lifecycle
from provisioning.observer.feed import Feed
from provisioning.observer.headers import MediaOriginError
from provisioning.observer.qr import qr_code
from provisioning.observer.web import create_app
from tests.provisioning.observer.reading import EventReader
from tests.provisioning.observer.talk import SESSION, card, on_air, said

Client = TestClient[web.Request, web.Application]


def new_feed(most_viewers: int = 100) -> Feed:
    return Feed(name_of=str.title, viewers_settle=0.0, most_viewers=most_viewers)


def narrow(host: str, port: int, family: socket.AddressFamily) -> socket.socket:
    """Return a socket to listen on whose connections hold little of what is not read."""
    listening = get_port_socket(host, port, family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    return listening


@asynccontextmanager
async def client_of(feed: Feed, *, heartbeat_seconds: float = 15.0) -> AsyncIterator[Client]:
    app = create_app(feed, media_origins=["https://media.example"], heartbeat_seconds=heartbeat_seconds)
    async with asyncio.timeout(20), TestClient(TestServer(app, socket_factory=narrow)) as client:
        yield client


@asynccontextmanager
async def events_of(client: Client, device: str = "hana", **headers: str) -> AsyncIterator[EventReader]:
    async with client.get(f"/api/robots/{device}/events", headers=headers) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store"
        yield EventReader(response)


async def test_a_stream_begins_with_a_snapshot_and_goes_on_with_changes() -> None:
    feed = new_feed()
    feed.on_state(card())
    async with client_of(feed) as client, events_of(client) as events:
        name, snapshot = await events.next()
        assert (name, snapshot["name"], snapshot["state"]["phase"]) == ("snapshot", "Hana", "idle")
        feed.on_state(on_air())
        feed.on_event("hana", said("こんにちは"))
        assert (await events.next("state"))[1]["on_air"] is True
        assert (await events.next("caption"))[1]["text"] == "こんにちは"


async def test_a_browser_that_comes_back_starts_from_a_snapshot() -> None:
    feed = new_feed()
    feed.on_state(on_air())
    feed.on_event("hana", said("Hello"))
    async with client_of(feed) as client, events_of(client, **{"Last-Event-ID": "77"}) as events:
        name, snapshot = await events.next()
        assert name == "snapshot"
        assert [caption["text"] for caption in snapshot["captions"]] == ["Hello"]


async def test_a_quiet_stream_has_a_heartbeat() -> None:
    async with client_of(new_feed(), heartbeat_seconds=0.01) as client, events_of(client) as events:
        while not (block := await events.block()).startswith(b":"):
            assert block


async def test_a_reader_that_stalls_is_given_a_snapshot_when_it_reads_again() -> None:
    feed = new_feed()
    feed.on_state(on_air())
    async with client_of(feed) as client, events_of(client) as events:
        await events.next("snapshot")
        for number in range(800):  # more than all buffers on the way take
            feed.on_event("hana", said(f"{number} {'x' * 1_900}", caption_id="long", final=False))
        feed.on_event("hana", said("Hello", caption_id="after", start=200))
        _, snapshot = await events.next("snapshot")
        assert [caption["text"][:5] for caption in snapshot["captions"]] == ["799 x", "Hello"]


async def test_a_reader_that_takes_nothing_is_let_go() -> None:
    feed = new_feed()
    feed.on_state(on_air())
    app = create_app(feed, write_seconds=0.05)
    async with asyncio.timeout(20), TestServer(app, socket_factory=narrow) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port, limit=1_000)
        writer.write(b"GET /api/robots/hana/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        for number in itertools.count():
            feed.on_event("hana", said(f"{number} " + "x" * 1_900))
            await asyncio.sleep(0)
            if feed.viewers("hana") == 0:
                break
        writer.close()


async def test_leaving_is_noticed() -> None:
    feed = new_feed()
    async with client_of(feed) as client, events_of(client) as staying:
        async with events_of(client) as leaving:
            await leaving.next("snapshot")
            assert feed.viewers("hana") == 2
        for phase in itertools.cycle(["idle", "updating"]):
            feed.on_state(card(phase))
            await staying.next("state")
            if feed.viewers("hana") == 1:
                break


async def test_streams_end_cleanly_when_the_server_stops() -> None:
    feed = new_feed()
    server = TestServer(create_app(feed))
    async with asyncio.timeout(10), TestClient(server) as client, events_of(client) as events:
        await events.next("snapshot")
        await server.close()
        with pytest.raises(EOFError):
            await events.next("an event of no such name")
    assert feed.viewers("hana") == 0


async def test_a_full_house_says_when_to_come_back() -> None:
    async with client_of(new_feed(most_viewers=0)) as client:
        response = await client.get("/api/robots/hana/events")
        assert (response.status, response.headers["Retry-After"]) == (503, "10")


async def test_one_robot_is_gone_straight_to() -> None:
    feed = new_feed()
    feed.on_state(card())
    async with client_of(feed) as client:
        response = await client.get("/", allow_redirects=False)
        assert (response.status, response.headers["Location"]) == (302, "/r/hana")
        assert (await client.get("/?all", allow_redirects=False)).status == 200
        feed.on_state(card(device="momo"))
        assert (await client.get("/", allow_redirects=False)).status == 200


async def test_the_list_tells_who_is_on_air() -> None:
    feed = new_feed()
    feed.on_state(on_air(device="momo"))
    feed.on_state(card(lifecycle=Lifecycle.LOST))
    async with client_of(feed) as client:
        response = await client.get("/api/robots")
        robots = (await response.json())["robots"]
        assert response.headers["Cache-Control"] == "no-store"
    found = [(robot["name"], robot["state"]["lifecycle"], robot["state"]["on_air"]) for robot in robots]
    assert found == [("Momo", "ready", True), ("Hana", "lost", False)]


async def test_one_robot_as_json() -> None:
    feed = new_feed()
    feed.on_state(on_air())
    async with client_of(feed) as client:
        text = await (await client.get("/api/robots/hana")).text()
        assert '"phase":"listening"' in text
        assert SESSION not in text
        assert (await client.get("/api/robots/nobody")).status == 404


async def test_pages_are_strict_about_what_they_load() -> None:
    feed = new_feed()
    feed.on_state(card())
    async with client_of(feed) as client:
        page = await client.get("/r/hana")
        embedded = await client.get("/r/hana?embed")
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Cache-Control"] == "no-cache"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "media.example" in page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert "frame-ancestors *" in embedded.headers["Content-Security-Policy"]


async def test_a_name_cannot_bring_markup_into_the_page() -> None:
    feed = Feed(name_of=lambda _device: "<script>alert(1)</script>")
    feed.on_state(card())
    async with client_of(feed) as client:
        text = await (await client.get("/r/hana")).text()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


async def test_a_page_of_a_robot_that_is_not_there_is_still_a_page() -> None:
    async with client_of(new_feed()) as client:
        response = await client.get("/r/nobody")
        assert (response.status, response.content_type) == (404, "text/html")
        assert (await client.get("/r/a%2Fb")).status == 404
        assert (await client.get("/r/" + "x" * 65)).status == 404


async def test_files_may_be_kept_for_ever_at_their_own_address() -> None:
    async with client_of(new_feed()) as client:
        text = await (await client.get("/")).text()
        address = text.split('rel="stylesheet" href="')[1].split('"')[0]
        response = await client.get(address)
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.content_type == "text/css"
        old = await client.get("/static/0000000000000000/base.css")
        assert old.headers["Cache-Control"] == "no-cache"


async def test_files_travel_compressed_to_those_who_can_read_it() -> None:
    feed = new_feed()
    async with client_of(feed) as client, aiohttp.ClientSession(auto_decompress=False) as raw:
        url = client.make_url("/static/x/vendor/hls.light.min.mjs")
        packed = await raw.get(url, headers={"Accept-Encoding": "gzip"})
        plain = await raw.get(url, headers={"Accept-Encoding": "identity"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in plain.headers
        assert gzip.decompress(await packed.read()) == await plain.read()
        assert plain.content_type == "text/javascript"


@pytest.mark.parametrize("path", ["../web.py", "..%2fweb.py", "robot.html", "nothing.js", "vendor/"])
async def test_only_the_files_meant_for_browsers_are_served(path: str) -> None:
    async with client_of(new_feed()) as client:
        assert (await client.get(f"/static/x/{path}")).status == 404


async def test_health_and_icon() -> None:
    async with client_of(new_feed()) as client:
        assert await (await client.get("/healthz")).text() == "ok\n"
        assert (await client.get("/favicon.ico")).content_type == "image/svg+xml"


def test_a_wrong_media_origin_is_refused_at_start() -> None:
    with pytest.raises(MediaOriginError):
        create_app(new_feed(), media_origins=["media.example/hls"])


async def test_the_list_is_a_stream() -> None:
    feed = new_feed()
    async with client_of(feed) as client, client.get("/api/events") as response:
        events = EventReader(response)
        assert await events.next() == ("list", {"robots": []})
        feed.on_state(card())
        name, robot = await events.next()
        assert (name, robot["name"], robot["state"]["phase"]) == ("card", "Hana", "idle")


@pytest.mark.parametrize(("public_url", "shown"), [("https://robots.example/", "https://robots.example"), ("", "")])
async def test_the_address_is_had_as_a_qr_code(public_url: str, shown: str) -> None:
    async with TestClient(TestServer(create_app(new_feed(), public_url=public_url))) as client:
        host = shown or str(client.make_url("/")).rstrip("/")
        async with client.get("/r/hana/qr.svg") as response:
            assert response.content_type == "image/svg+xml"
            assert await response.read() == qr_code(f"{host}/r/hana")


async def test_a_page_that_was_closed_no_longer_counts() -> None:
    feed = new_feed()
    feed.on_state(card())
    async with client_of(feed) as client, events_of(client) as staying:
        async with events_of(client) as leaving:
            await leaving.next("snapshot")
            while (await staying.next("viewers"))[1] != {"viewers": 2}:
                pass
        async with asyncio.timeout(10):  # well before the next write to it would tell
            assert (await staying.next("viewers"))[1] == {"viewers": 1}


async def test_what_was_said_is_had_as_a_file_while_it_is_known() -> None:
    feed = new_feed()
    async with client_of(feed) as client:
        async with client.get("/api/robots/hana/captions.vtt") as response:
            assert response.status == 404
        feed.on_state(on_air())
        feed.on_event("hana", said("Hello"))
        async with client.get("/api/robots/hana/captions.vtt") as response:
            assert response.content_type == "text/vtt"
            assert "attachment" in response.headers["Content-Disposition"]
            assert "<v Hana>Hello" in await response.text()
