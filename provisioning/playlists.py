"""Finding out where a session can be heard: ImageFlux tells it some seconds after the robot has begun to send."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from device.errors import StoreError
from device.messages.reports import DeviceState, Event, SessionEnded, SessionStarted
from provisioning.broadcasting import Broadcasts
from provisioning.imageflux import Channel
from provisioning.listener import Listener, PartialListener
from provisioning.store import Store

_log = logging.getLogger(__name__)

EAGER_SECONDS: Final = 0.3
"""Between two looks while there is no playlist yet: observers wait for it."""

CALM_SECONDS: Final = 5.0
"""Between two looks afterwards: a robot that connects again gets another playlist."""

EAGER_LOOKS: Final = 100


@dataclass(frozen=True, slots=True)
class _Wanted:
    device: str
    session: str
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self, seconds: float) -> None:
        """Wait so long, or until the session is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.over.wait()


class Playlists(PartialListener):
    """A listener that tells other listeners of playlists. `run()` it in a task."""

    def __init__(self, store: Store, broadcasts: Broadcasts, listeners: Sequence[Listener]) -> None:
        self._store, self._broadcasts, self._listeners = store, broadcasts, listeners
        self._wanted: dict[str, _Wanted] = {}
        self._news: asyncio.Queue[_Wanted] = asyncio.Queue()

    def on_state(self, state: DeviceState) -> None:
        """Take a device's card: one that is on air has a playlist, also when we did not see it begin."""
        if state.session is not None and state.on_air:
            self._want(state.device, state.session)
        elif state.session is None:
            self._drop(state.device)

    def on_event(self, device: str, event: Event) -> None:
        """Take one thing that happened at a device."""
        match event:
            case SessionStarted():
                self._want(device, event.session)
            case SessionEnded() if device in self._wanted and self._wanted[device].session == event.session:
                self._drop(device)

    async def run(self) -> None:
        """Look for what is wanted, for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                wanted = await self._news.get()
                group.create_task(self._look(wanted), name=f"playlist of {wanted.device}")

    def _want(self, device: str, session: str) -> None:
        if device in self._wanted and self._wanted[device].session == session:
            return
        self._drop(device)
        self._wanted[device] = wanted = _Wanted(device, session)
        self._news.put_nowait(wanted)

    def _drop(self, device: str) -> None:
        wanted = self._wanted.pop(device, None)
        if wanted is not None:
            wanted.over.set()

    async def _look(self, wanted: _Wanted) -> None:
        channel_id = await self._channel(wanted)
        entrance = None if channel_id is None else self._broadcasts.entrance(channel_id)
        if entrance is not None:
            self._tell_entrance(wanted, entrance)
        known: str | None = None
        looks = 0
        while channel_id is not None and not wanted.over.is_set():
            found = await self._broadcasts.playlist(channel_id)
            if found is not None and found != known:
                known = found
                self._tell(wanted, found)
            looks += 1
            await wanted.wait(EAGER_SECONDS if known is None and looks < EAGER_LOOKS else CALM_SECONDS)
        if known is not None:
            self._tell(wanted, None)
        if entrance is not None:
            self._tell_entrance(wanted, None)

    async def _channel(self, wanted: _Wanted) -> str | None:
        while not wanted.over.is_set():
            try:
                async with self._store.transaction() as t:
                    found = await t.sessions.find(wanted.session)
            except StoreError:
                _log.exception("no playlist for session %s yet", wanted.session)
                await wanted.wait(CALM_SECONDS)
            else:
                return found.channel_id if found is not None and found.device == wanted.device else None
        return None

    def _tell_entrance(self, wanted: _Wanted, channel: Channel | None) -> None:
        for listener in self._listeners:
            listener.on_watch(wanted.device, wanted.session, channel)

    def _tell(self, wanted: _Wanted, url: str | None) -> None:
        for listener in self._listeners:
            listener.on_playlist(wanted.device, wanted.session, url)
