"""The leash: whatever a device does, the cloud ends every session itself, hangs up its call and deletes its channel."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final

from device.errors import StoreError, UpstreamError
from device.messages.reports import CallAnswered, DeviceState, Event, SessionEnded
from provisioning.broadcasting import Broadcasts
from provisioning.listener import PartialListener
from provisioning.openai import OpenAI, is_call_id
from provisioning.sessions import Session
from provisioning.store import Store
from provisioning.watch import Ending, Watch

_log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 60.0
"""How often channels that could not be deleted are tried again, and old nonces are dropped."""

HANG_UP_PAUSES: Final = (1.0, 3.0, 10.0)
"""Seconds after each try to hang up that has failed."""

_NONCES_KEPT: Final = 3600.0

RETRY_SECONDS: Final = 1.0
"""After the store did not answer."""

SETTLE_SECONDS: Final = 2.0
"""How long a request waits until the end of the session before it is written down."""

MOST_NOTES: Final = 1000
"""Of what devices said and the store does not know yet."""

LOOK_SECONDS: Final = 1.0
"""How often a leash that is a process of its own looks for sessions that minters have granted."""

Note = Callable[[], Awaitable[None]]
"""Something to write down."""


class Leash(PartialListener):
    """Watches every granted session; a listener to what devices report. `run()` it in a task."""

    def __init__(self, store: Store, openai: OpenAI, broadcasts: Broadcasts, grace: float) -> None:
        self._store, self._openai, self._broadcasts = store, openai, broadcasts
        self._watch = Watch(grace)
        self._changed = asyncio.Event()
        self._notes: asyncio.Queue[Note] = asyncio.Queue(MOST_NOTES)
        self._unsettled: dict[str, asyncio.Event] = {}
        """Set for each device that has told of an end, once that is written down."""

    def granted(self, session: Session) -> None:
        """Watch a session from now on."""
        self._watch.granted(session, time.time())
        self._changed.set()

    def stop(self, device: str) -> None:
        """Take an operator's stop: the device has a moment to obey."""
        self._watch.stop(device, time.time())
        self._changed.set()

    def on_state(self, state: DeviceState) -> None:
        """Take a device's card."""
        self._watch.on_state(state, time.time())
        self._changed.set()

    def on_event(self, device: str, event: Event) -> None:
        """Take one thing that happened at a device."""
        match event:
            case CallAnswered() if is_call_id(event.call_id):
                self._answered(device, event)
            case SessionEnded():
                reason = f"device: {event.reason}"
                self._unsettled.setdefault(device, asyncio.Event())
                if not self._watch.ended(device, event.session, time.time(), reason):
                    self._note(partial(self._note_given_up, event.session, device, reason), device)
        self._changed.set()

    def _answered(self, device: str, event: CallAnswered) -> None:
        if self._watch.answered(device, event.session, event.call_id):
            self._note(partial(self._note_call, event.session, device, event.call_id), device)
        else:
            self._note(partial(self._end_late, event.session, device, event.call_id), device)

    def _note(self, note: Note, device: str) -> None:
        try:
            self._notes.put_nowait(note)
        except asyncio.QueueFull:
            _log.warning("too much to write down; dropped what %s said", device)
            self._settle(device)

    async def settled(self, device: str) -> None:
        """Wait until the end of a session that `device` has told of is written down, but not for long."""
        told = self._unsettled.get(device)
        if told is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_SECONDS):
                    await told.wait()

    def _settle(self, device: str) -> None:
        told = self._unsettled.pop(device, None)
        if told is not None:
            told.set()

    async def run(self, *, apart: bool = False) -> None:
        """End what is due, for ever; begins with what a stop of this service has left behind.

        `apart` from the minters, it finds what they have granted in the store.
        """
        async with self._store.transaction() as t:
            for session in await t.sessions.live():
                self._watch.keep(session)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sweep(), name="leash sweep")
            group.create_task(self._note_all(), name="leash notes")
            if apart:
                group.create_task(self._look(), name="leash look")
            while True:
                self._changed.clear()
                for ending in self._watch.due(time.time()):
                    group.create_task(self._end(ending), name=f"end {ending.session.id}")
                await self._wait()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                async with self._store.transaction() as t:
                    found = [session for session in await t.sessions.live() if not self._watch.watches(session.id)]
            except StoreError:
                _log.exception("could not look for new sessions")
                continue
            for session in found:
                self.granted(session)

    async def _wait(self) -> None:
        due = self._watch.next_due()
        try:
            async with asyncio.timeout(None if due is None else max(0.0, due - time.time())):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _end(self, ending: Ending) -> None:
        await asyncio.gather(self._hang_up(ending.session, ending.call_id), self._close(ending.session, ending.reason))

    async def _close(self, session: Session, reason: str) -> None:
        """Write the end of a session down and delete its channel, or try that again."""
        try:
            async with self._store.transaction() as t:
                if await t.sessions.end(session.id, time.time(), reason):
                    await t.audit.add(time.time(), "leash", "ended", session.id, why=reason[:80])
                found = await t.sessions.find(session.id)
            self._settle(session.device)
            _log.info("ended session %s of %s: %.80r", session.id, session.device, reason)
            if found is not None and found.channel_id:
                await self._broadcasts.close(session.id, found.channel_id)
        except StoreError:
            _log.exception("session %s could not be ended; trying again", session.id)
            await asyncio.sleep(RETRY_SECONDS)
            self._watch.keep(session)
            self._watch.ended(session.device, session.id, time.time(), reason)
            self._changed.set()

    async def _hang_up(self, session: Session, call_id: str | None) -> None:
        if call_id is None:
            return
        for pause in HANG_UP_PAUSES:
            try:
                await self._openai.hang_up(call_id)
            except UpstreamError as error:
                _log.warning("the call of session %s is not hung up: %s", session.id, error)
                await asyncio.sleep(pause)
            else:
                return
        _log.error("the call of session %s could not be hung up; it ends by itself within the hour", session.id)

    async def _note_all(self) -> None:
        while True:
            note = await self._notes.get()
            try:
                await note()
            except (StoreError, UpstreamError):
                _log.exception("what a device said was not noted")

    async def _note_call(self, session: str, device: str, call_id: str) -> None:
        async with self._store.transaction() as t:
            await t.sessions.set_call(session, device, call_id)

    async def _note_given_up(self, session: str, device: str, reason: str) -> None:
        """End a session whose grant is still under way, so that its device may ask for another at once."""
        try:
            async with self._store.transaction() as t:
                if await t.sessions.end(session, time.time(), reason, device=device):
                    await t.audit.add(time.time(), device, "given_up", session, why=reason[:80])
        finally:
            self._settle(device)

    async def _end_late(self, session: str, device: str, call_id: str) -> None:
        """Hang up a call that was answered only after its session had been ended here, or keep it with one we did not know."""
        async with self._store.transaction() as t:
            found = await t.sessions.find(session)
            if found is not None and found.device == device and found.ended_at is None:
                await t.sessions.set_call(session, device, call_id)
                self.granted(found)
                self._watch.answered(device, session, call_id)
        if found is not None and found.device == device and found.ended_at is not None:
            await self._openai.hang_up(call_id)
            _log.info("hung up the late call of session %s", session)

    async def _sweep(self) -> None:
        while True:
            try:
                await self._broadcasts.close_orphans()
                async with self._store.transaction() as t:
                    await t.sessions.forget_requests(time.time() - _NONCES_KEPT)
            except StoreError:
                _log.exception("could not sweep")
            await asyncio.sleep(SWEEP_SECONDS)
