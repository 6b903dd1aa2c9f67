"""The leash: whatever a device does, the cloud ends every session itself, hangs up its call and deletes its channel."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Final

from device.errors import StoreError
from device.messages.reports import CallAnswered, CallLeft, DeviceState, Event, Lifecycle, SessionEnded, SessionGoesOn
from provisioning.billing import bill
from provisioning.broadcasting import Broadcasts
from provisioning.halts import Halt
from provisioning.hanging_up import HangUps
from provisioning.listener import PartialListener
from provisioning.openai import OpenAI, is_call_id
from provisioning.sessions import Bill, Session
from provisioning.spending.rules import Rules
from provisioning.store import Store, Transaction
from provisioning.watch import Ending, Watch

_log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 60.0
"""How often channels that could not be deleted are tried again, and old nonces are dropped."""

HALT_SECONDS: Final = 1.0
"""How often it is looked whether the fleet is halted, or robots were revoked."""

REVOKED_SECONDS: Final = 300.0
"""How far a look goes back for what was revoked: the clock of the computer where that was done may be late."""

_NONCES_KEPT: Final = 3600.0

RETRY_SECONDS: Final = 1.0
"""After the store did not answer."""

SETTLE_SECONDS: Final = 2.0
"""How long a request waits until the end of the session before it is written down."""

MOST_NOTES: Final = 10_000
"""Of what devices said and the store does not know yet: of a fleet that is halted, each says at once what it used."""

ENDED_AT_ONCE: Final = 4
"""Ends of sessions that are written down at the same time: whoever asks for a session gets their turn in between."""

LOOK_SECONDS: Final = 1.0
"""How often a leash that is a process of its own looks for sessions that minters have granted."""

Note = Callable[[], Awaitable[None]]
"""Something to write down."""


@dataclass(frozen=True, slots=True)
class Reins:
    """How short the leash is: seconds after a deadline, seconds of silence, and what sessions are charged."""

    grace: float
    silence: float = inf
    rules: Rules = field(default_factory=Rules)


def _always() -> bool:
    return True


class Leash(PartialListener):
    """Watches every granted session; a listener to what devices report. `run()` it in a task.

    `hears` tells whether reports can reach us: nobody's silence counts while they cannot.
    """

    def __init__(
        self,
        store: Store,
        openai: OpenAI,
        broadcasts: Broadcasts,
        reins: Reins,
        hears: Callable[[], bool] = _always,
    ) -> None:
        self._store, self._broadcasts = store, broadcasts
        self._rules, self._hears = reins.rules, hears
        self._hang_ups, self._pens = HangUps(openai), asyncio.Semaphore(ENDED_AT_ONCE)
        self._watch = Watch(reins.grace, reins.silence)
        self._usage: dict[str, Mapping[str, int]] = {}
        """What devices say that sessions used, from the device's end to ours."""
        self._ending: set[str] = set()
        """Sessions that are ended and of which that is not written down yet."""
        self._changed = asyncio.Event()
        self._next_due: float | None = None
        """What `run` waits for, unless something changes."""
        self._notes: asyncio.Queue[Note] = asyncio.Queue(MOST_NOTES)
        self._left_over: list[tuple[str, str]] = []
        """Session and id of calls to be hung up, besides those of `Ending`s."""
        self._unsettled: dict[str, asyncio.Event] = {}
        """Set for each device that has told of an end, once that is written down."""

    def granted(self, session: Session) -> None:
        """Watch a session from now on."""
        due = self._watch.granted(session, time.time())
        if self._next_due is None or due < self._next_due:  # else looking through all that go on can wait
            self._changed.set()

    def stop(self, device: str) -> None:
        """Take an operator's stop: the device has a moment to obey."""
        self._watch.stop(device, time.time())
        self._changed.set()

    def on_state(self, state: DeviceState) -> None:
        """Take a device's card; its Last Will is no sign of life."""
        if state.lifecycle is not Lifecycle.LOST:
            self._watch.heard(state.device, time.time())
        self._watch.on_state(state, time.time())
        self._changed.set()

    def on_event(self, device: str, event: Event) -> None:
        """Take one thing that happened at a device."""
        self._watch.heard(device, time.time())
        match event:
            case SessionGoesOn():
                self._used(device, event, time.time())
            case CallAnswered() if is_call_id(event.call_id):
                self._answered(device, event)
            case CallLeft():
                self._left(device, event)
            case SessionEnded():
                self._over(device, event, f"device: {event.reason}")
        self._changed.set()

    def _used(self, device: str, event: SessionGoesOn, now: float) -> None:
        session = self._watch.find(device, event.session)
        if session is not None and self._rules.overspent(
            session.reserved, now - session.created_at, event.usage, session.model
        ):
            _log.warning("session %s of %s has used more than was put aside", session.id, device)
            self._watch.overspent(device, session.id, now)

    def _over(self, device: str, event: SessionEnded, reason: str) -> None:
        self._unsettled.setdefault(device, asyncio.Event())
        if self._watch.ended(device, event.session, time.time(), reason):
            self._usage.setdefault(event.session, event.usage)
        else:
            self._note(partial(self._note_given_up, event.session, device, reason, event.usage), device)

    def _answered(self, device: str, event: CallAnswered) -> None:
        surplus = self._watch.answered(device, event.session, event.call_id)
        session = self._watch.find(device, event.session)
        if session is not None and surplus is not None:
            self._hang_up_soon(event.session, surplus)
            self._note(partial(self._note_call, event.session, device, event.call_id), device)
        else:
            self._note(partial(self._end_late, event.session, device, event.call_id), device)

    def _left(self, device: str, event: CallLeft) -> None:
        session = self._watch.find(device, event.session)
        if session is not None and self._watch.left(device, event.session, event.call_id):
            self._hang_up_soon(event.session, (event.call_id,))
            self._note(partial(self._note_left, event.session, device, event.call_id), device)

    def _hang_up_soon(self, session: str, call_ids: Iterable[str]) -> None:
        self._left_over += [(session, call_id) for call_id in call_ids]
        self._changed.set()

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
                self._watch.keep(session, time.time())
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sweep(), name="leash sweep")
            group.create_task(self._obey(), name="leash halts and revocations")
            group.create_task(self._note_all(), name="leash notes")
            if apart:
                group.create_task(self._look(), name="leash look")
            while True:
                self._changed.clear()
                if not self._hears():
                    self._watch.excuse(time.time())
                left_over, self._left_over = self._left_over, []
                for of, call_id in left_over:
                    group.create_task(self._hang_ups.hang_up(of, call_id), name=f"hang up {call_id}")
                for ending in self._watch.due(time.time()):
                    self._ending.add(ending.session.id)
                    group.create_task(self._end(ending), name=f"end {ending.session.id}")
                await self._wait()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                found = await self._unknown()
            except StoreError:
                _log.exception("could not look for new sessions")
                continue
            for session in found:
                self.granted(session)

    async def _unknown(self) -> Sequence[Session]:
        async with self._store.transaction() as t:
            return await t.sessions.unknown(self._knows)

    def _knows(self, session: str) -> bool:
        return self._watch.watches(session) or session in self._ending

    async def _wait(self) -> None:
        due = self._next_due = self._watch.next_due()
        try:
            async with asyncio.timeout(None if due is None else max(0.0, due - time.time())):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _end(self, ending: Ending) -> None:
        usage = self._usage.get(ending.session.id)
        charge = bill(self._rules, usage, call_known=bool(ending.call_ids))
        await asyncio.gather(
            *(self._hang_ups.hang_up(ending.session.id, call_id) for call_id in ending.call_ids),
            self._close(ending, charge, reported=usage is not None),
        )

    async def _close(self, ending: Ending, charge: Bill, *, reported: bool) -> None:
        """Write the end of a session down, charge it and release what its device has not told of, or try that again."""
        session, reason = ending.session, ending.reason
        try:
            async with self._pens, self._store.transaction() as t:
                first = await t.sessions.end(session.id, time.time(), reason, charge, reported=reported)
                if first:
                    await self._audit(t, "leash", "ended", session.id, reason)
                found = await t.sessions.find(session.id)
            self._usage.pop(session.id, None)
            self._ending.discard(session.id)
            self._settle(session.device)
            _log.info("ended session %s of %s: %.80r", session.id, session.device, reason)
            if found is not None and first:
                self._hang_up_soon(found.id, set(found.calls) - set(ending.call_ids))
            if found is not None and found.channel_id:
                await self._broadcasts.close(session.id, found.channel_id)
        except StoreError:
            _log.exception("session %s could not be ended; trying again", session.id)
            await asyncio.sleep(RETRY_SECONDS)
            self._watch.keep(session, time.time())
            self._ending.discard(session.id)
            self._watch.ended(session.device, session.id, time.time(), reason)
            self._changed.set()

    async def _note_all(self) -> None:
        while True:
            note = await self._notes.get()
            try:
                await note()
            except StoreError:
                _log.exception("what a device said was not noted")

    async def _note_call(self, session: str, device: str, call_id: str) -> None:
        async with self._store.transaction() as t:
            surplus = await t.sessions.set_call(session, device, call_id)
        self._hang_up_soon(session, [surplus] if surplus else [])

    async def _note_left(self, session: str, device: str, call_id: str) -> None:
        async with self._store.transaction() as t:
            await t.sessions.leave_call(session, device, call_id)

    async def _note_given_up(self, session: str, device: str, reason: str, usage: Mapping[str, int]) -> None:
        """End a session whose grant is still under way, so that its device may ask for another at once.

        Of one that we have ended, take what the device says only now that it used.
        """
        charge = bill(self._rules, usage)
        try:
            async with self._store.transaction() as t:
                if await t.sessions.end(session, time.time(), reason, charge, device=device, reported=True):
                    await self._audit(t, device, "given_up", session, reason)
                    found = await t.sessions.find(session)
                    self._hang_up_soon(session, found.calls if found else ())
                elif await t.sessions.report(session, device, charge):
                    await self._audit(t, device, "reported", session, reason)
        finally:
            self._settle(device)

    async def _audit(self, t: Transaction, actor: str, action: str, session: str, reason: str) -> None:
        charged = await t.sessions.find(session)
        cost = charged.cost if charged is not None else None
        await t.audit.add(time.time(), actor, action, session, why=reason[:80], micros=cost)

    async def _forbidden(self, since: float) -> tuple[Halt | None, set[str]]:
        """Return why the fleet is halted, if it is, and the devices that were revoked since then and go on."""
        async with self._store.transaction() as t:
            return await t.halts.current(), await t.sessions.of_revoked(since)

    async def _obey(self) -> None:
        since = 0.0  # some may have been revoked while nobody looked
        while True:
            now = time.time()
            try:
                halt, revoked = await self._forbidden(since)
                ended = [self._watch.revoked(device, time.time()) for device in revoked]
                if halt is not None:
                    ended.append(self._watch.halt(time.time(), f"halted: {halt.why}"))
                if any(ended):
                    self._changed.set()
                since = now - REVOKED_SECONDS
            except StoreError:
                _log.exception("could not look whether the fleet is halted, or robots were revoked")
            await asyncio.sleep(HALT_SECONDS)

    async def _end_late(self, session: str, device: str, call_id: str) -> None:
        """Hang up a call that was answered only after its session had been ended here, or keep it with one we did not know."""
        async with self._store.transaction() as t:
            found = await t.sessions.find(session)
            if found is not None and found.device == device and found.ended_at is None:
                surplus = await t.sessions.set_call(session, device, call_id)
                self.granted(found)
                self._watch.answered(device, session, call_id)
                self._hang_up_soon(session, [surplus] if surplus else [])
        if found is not None and found.device == device and found.ended_at is not None:
            _log.info("a call of session %s came late; hanging it up", session)
            self._hang_up_soon(session, [call_id])

    async def _forget_requests(self) -> None:
        async with self._store.transaction() as t:
            await t.sessions.forget_requests(time.time() - _NONCES_KEPT)

    async def _sweep(self) -> None:
        while True:
            try:
                await self._broadcasts.close_orphans()
                await self._broadcasts.close_left_over()
                await self._forget_requests()
                for session in await self._unknown():  # entered, and nobody could tell: the store was gone just then
                    self.granted(session)
            except StoreError:
                _log.exception("could not sweep")
            await asyncio.sleep(SWEEP_SECONDS)
