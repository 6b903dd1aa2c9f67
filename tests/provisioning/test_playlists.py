from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

from device.messages.reports import DeviceState, Lifecycle, SessionEnded, SessionStarted
from device.messages.secret import Secret
from provisioning.broadcasting import Broadcasts
from provisioning.channels import ChannelOptions
from provisioning.imageflux import ImageFlux
from provisioning.listener import PartialListener
from provisioning.listening import listening
from provisioning.playlists import Playlists
from provisioning.registry import Certificate
from provisioning.sessions import Session
from provisioning.store import Store

STARTED = SessionStarted(session="s", at=1.0, reason="button")
ENDED = SessionEnded(session="s", at=2.0, reason="button", seconds=1.0)


class Told(PartialListener):
    """Keeps what it is told of playlists."""

    def __init__(self) -> None:
        self.playlists: asyncio.Queue[tuple[str, str, str | None]] = asyncio.Queue()

    def on_playlist(self, device: str, session: str, url: str | None) -> None:
        self.playlists.put_nowait((device, session, url))

    async def next(self) -> tuple[str, str, str | None]:
        async with asyncio.timeout(10):
            return await self.playlists.get()


class NothingThenOne:
    """Answers ListPlaylistURLs: nothing at first, and from the third time on a playlist."""

    def __init__(self) -> None:
        self.asked = 0

    async def handle(self, _request: web.Request) -> web.Response:
        self.asked += 1
        hls = [{"connection_id": "c", "playlist_url": "http://127.0.0.1/x.m3u8"}] if self.asked > 2 else []
        return web.json_response({"channel_id": "channel", "hls": hls})


@asynccontextmanager
async def watching(folder: Path) -> AsyncIterator[tuple[Playlists, Told]]:
    app = web.Application()
    app.router.add_post("/", NothingThenOne().handle)
    told = Told()
    async with (
        Store(f"sqlite:///{folder}/s") as store,
        listening(app, "127.0.0.1", 0) as port,
        aiohttp.ClientSession() as http,
    ):
        async with store.transaction() as t:
            await t.devices.enrol("", Certificate("1", "robot-1", "key", 1.0, 2.0))
            await t.sessions.add(Session("s", "robot-1", "button", 1.0, 2.0))
            await t.sessions.set_channel("s", "channel")
        imageflux = ImageFlux(http, f"http://127.0.0.1:{port}/", Secret("t"))
        playlists = Playlists(store, Broadcasts(store, imageflux, ChannelOptions(), video=False), [told])
        task = asyncio.create_task(playlists.run())
        yield playlists, told
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_playlist_is_told_when_it_appears_and_taken_away_at_the_end(tmp_path: Path) -> None:
    async with watching(tmp_path) as (playlists, told):
        playlists.on_event("robot-1", STARTED)
        playlists.on_event("robot-1", STARTED)
        assert await told.next() == ("robot-1", "s", "http://127.0.0.1/x.m3u8")
        playlists.on_event("robot-1", ENDED)
        assert await told.next() == ("robot-1", "s", None)
        assert told.playlists.empty()


async def test_a_session_that_began_before_us_is_found_by_its_card(tmp_path: Path) -> None:
    async with watching(tmp_path) as (playlists, told):
        playlists.on_state(DeviceState(device="robot-1", lifecycle=Lifecycle.READY, session="s", on_air=True))
        assert await told.next() == ("robot-1", "s", "http://127.0.0.1/x.m3u8")
        playlists.on_state(DeviceState(device="robot-1", lifecycle=Lifecycle.READY))
        assert await told.next() == ("robot-1", "s", None)


async def test_another_robot_s_session_is_none_of_its_business(tmp_path: Path) -> None:
    async with watching(tmp_path) as (playlists, told):
        playlists.on_event("robot-2", STARTED)
        playlists.on_event("robot-1", STARTED)
        assert (await told.next())[0] == "robot-1"
