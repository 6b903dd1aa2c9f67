"""The leash: whatever a device does, the cloud ends every session itself, hangs up its call and deletes its channel."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Final

from device.errors import StoreError, UpstreamError
from device.messages.reports import CallAnswered, DeviceState, Event, SessionEnded
from provisioning.broadcasting import Broadcasts
from provisioning.listener import PartialListener
from provisioning.openai import OpenAI, is_call_id
from provisioning.sessions import Session
from provisioning.store import Store, Transaction
from provisioning.watch import Ending, Watch

_log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 60.0
"""How often channels that could not be deleted are tried again, and old nonces are dropped."""

HANG_UP_PAUSES: Final = (1.0, 3.0, 10.0)
"""Seconds after each try to hang up that has failed."""

_NONCES_KEPT: Final = 3600.0

Note = Callable[[Transaction], Awaitable[None]]
"""Something to write down in a transaction of its own."""


class Leash(PartialListener):
    """Watches every granted session; a listener to what devices report. `run()` it in a task."""

    def __init__(self, store: Store, openai: OpenAI, broadcasts: Broadcasts, grace: float) -> None:
        self._store, self._openai, self._broadcasts = store, openai, broadcasts
        self._watch = Watch(grace)
        self._changed = asyncio.Event()
        self._notes: asyncio.Queue[Note] = asyncio.Queue()

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
                if self._watch.answered(device, event.session, event.call_id):
                    self._notes.put_nowait(partial(_note_call, event.session, device, event.call_id))
            case SessionEnded():
                reason = f"device: {event.reason}"
                if not self._watch.ended(device, event.session, time.time(), reason):
                    self._notes.put_nowait(partial(_note_given_up, event.session, device, reason))
        self._changed.set()

    async def run(self) -> None:
        """End what is due, for ever; begins with what a stop of this service has left behind."""
        async with self._store.transaction() as t:
            for session in await t.sessions.live():
                self._watch.keep(session)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sweep(), name="leash sweep")
            group.create_task(self._note_all(), name="leash notes")
            while True:
                self._changed.clear()
                for ending in self._watch.due(time.time()):
                    group.create_task(self._end(ending), name=f"end {ending.session.id}")
                await self._wait()

    async def _wait(self) -> None:
        due = self._watch.next_due()
        try:
            async with asyncio.timeout(None if due is None else max(0.0, due - time.time())):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _end(self, ending: Ending) -> None:
        session = ending.session
        try:
            async with self._store.transaction() as t:
                if await t.sessions.end(session.id, time.time(), ending.reason):
                    await t.audit.add(time.time(), "leash", "ended", session.id, why=ending.reason[:80])
                found = await t.sessions.find(session.id)
        except StoreError:
            _log.exception("session %s could not be ended; trying again", session.id)
            await asyncio.sleep(1.0)
            self._watch.keep(replace(session, call_id=ending.call_id))
            self._watch.ended(session.device, session.id, time.time(), ending.reason)
            self._changed.set()
            return
        _log.info("ended session %s of %s: %s", session.id, session.device, ending.reason)
        await self._hang_up(session, ending.call_id)
        if found is not None and found.channel_id:
            await self._broadcasts.close(session.id, found.channel_id)

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
                async with self._store.transaction() as t:
                    await note(t)
            except StoreError:
                _log.exception("what a device said was not noted")

    async def _sweep(self) -> None:
        while True:
            try:
                await self._broadcasts.close_orphans()
                async with self._store.transaction() as t:
                    await t.sessions.forget_requests(time.time() - _NONCES_KEPT)
            except StoreError:
                _log.exception("could not sweep")
            await asyncio.sleep(SWEEP_SECONDS)


async def _note_call(session: str, device: str, call_id: str, t: Transaction) -> None:
    await t.sessions.set_call(session, device, call_id)


async def _note_given_up(session: str, device: str, reason: str, t: Transaction) -> None:
    """End a session whose grant is still under way, so that its device may ask for another at once."""
    if await t.sessions.give_up(session, device, time.time(), reason):
        await t.audit.add(time.time(), device, "given_up", session, why=reason[:80])
