"""PURE. When each session must be ended by the cloud, and why, from what is known of it so far.

A session ends at the first of: the device says it has ended; the device has said goodbye or has just started; it is
lost (Last Will) and does not come back with it; it is seen without it; it says nothing for too long; it has used more
than was put aside; an operator's stop and a moment to obey; its device is revoked; the fleet is halted; its deadline and
some grace. A device can give a session up, or leave, while it is still being granted: what it said last counts for a
session that is watched only afterwards. Times are Unix seconds; `now` is always an argument.

What a device reports costs O(log n) of the sessions that go on: they are found by device, and the next to end by a heap.
Only a halt, and time in which nobody can be heard, looks at all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import Final

from device.messages.reports import DeviceState, Lifecycle
from provisioning.deadlines import Deadlines
from provisioning.fading import Fading
from provisioning.sessions import Session

BEGINNING: Final = 30.0
"""A device may say nothing of a session for so many seconds after it was granted."""

OBEDIENCE: Final = 5.0
"""How long a device has to obey a stop, in seconds."""

ABSENCE: Final = 10.0
"""How long a device may be lost to the broker, in seconds: a new connection makes the old one's Last Will come true."""

MOST_CALLS: Final = 2
"""Calls that one session can have at once: one in use, and one that takes over from it."""

_OVER: Final = 4
"""Sessions that one device can have called over while they were being granted; it has one at a time."""

HEARD_SECONDS: Final = 3600.0
"""How long it is known what a device said last; a grant that is under way is there within a minute."""

MOST_HEARD: Final = 200_000
"""Devices of which that is known; those that said nothing for longest are forgotten first."""

_GONE: Final = frozenset({Lifecycle.INIT, Lifecycle.DISCONNECTED})


@dataclass(frozen=True, slots=True)
class Ending:
    """A session to be ended now: `call_ids` are what to hang up, as far as the device has told it."""

    session: Session
    reason: str
    call_ids: tuple[str, ...]


@dataclass(slots=True)
class _Kept:
    session: Session
    call_ids: list[str]
    """Oldest first: while one call takes over from another, there are two."""
    end_at: float
    reason: str
    silent_at: float = inf
    """When it ends, unless the device says anything before."""
    without: tuple[float, str] | None = None
    """When and why it ends, unless the device is seen with it again."""

    def bring_forward(self, at: float, reason: str) -> None:
        if at < self.end_at:
            self.end_at, self.reason = at, reason

    def due(self) -> tuple[float, str]:
        certain = min((self.end_at, self.reason), (self.silent_at, "device silent"))
        return certain if self.without is None else min(certain, self.without)


@dataclass(slots=True)
class _Heard:
    """What a device said last, and when."""

    card: DeviceState | None = None
    at: float = 0.0
    over: tuple[tuple[str, str], ...] = ()
    """The sessions it last called over, and why."""


class Watch:
    """The sessions that go on.

    `grace` is how many seconds a device may take to end one at its deadline, `silence` how many it may say nothing.
    """

    def __init__(self, grace: float, silence: float = inf) -> None:
        self._grace, self._silence = grace, silence
        self._kept: dict[str, _Kept] = {}
        self._by_device: dict[str, dict[str, _Kept]] = {}
        self._deadlines = Deadlines()
        self._heard: Fading[_Heard] = Fading(HEARD_SECONDS, MOST_HEARD)

    def granted(self, session: Session, now: float) -> float:
        """Watch a session from its beginning: a device that has given it up or left meanwhile does not hold it.

        Return when it ends if nothing else happens.
        """
        self.keep(session, now)
        kept, heard = self._kept[session.id], self._heard.get(session.device, now) or _Heard()
        kept.without = (session.created_at + BEGINNING, "the device is without it")
        for why in [why for over, why in heard.over if over == session.id]:
            kept.bring_forward(now, why)
        if heard.card is not None and heard.at >= session.created_at:
            _compare(kept, heard.card, now)
        self._note_due([kept])
        return kept.due()[0]

    def keep(self, session: Session, now: float) -> None:
        """Watch a session that goes on already; what is known of one that is watched stays."""
        if session.id in self._kept:
            return
        kept = _Kept(session, list(session.calls), session.deadline + self._grace, "deadline", now + self._silence)
        self._kept[session.id] = kept
        self._by_device.setdefault(session.device, {})[session.id] = kept
        self._note_due([kept])

    def heard(self, device: str, now: float) -> None:
        """Take any sign of life of a device."""
        self._break_silence(self._all_of(device), now)

    def excuse(self, now: float) -> None:
        """Count nobody's silence until now: it was we who could not hear."""
        self._break_silence(self._kept.values(), now)

    def overspent(self, device: str, session: str, now: float) -> None:
        """End a session that has used more than was put aside for it."""
        self._bring_forward([kept for kept in [self._of(device, session)] if kept], now, "budget")

    def revoked(self, device: str, now: float) -> bool:
        """End what goes on at a device whose identity was taken away; False when there is nothing that would not end."""
        return self._end_now(self._all_of(device), now, "revoked")

    def find(self, device: str, session: str) -> Session | None:
        """Return a session of this device that is watched."""
        kept = self._of(device, session)
        return None if kept is None else kept.session

    def halt(self, now: float, why: str) -> bool:
        """End every session now; False when there is none that would not end anyway."""
        return self._end_now(self._kept.values(), now, why)

    def watches(self, session: str) -> bool:
        """Tell whether a session is watched."""
        return session in self._kept

    def answered(self, device: str, session: str, call_id: str) -> list[str] | None:
        """Take a call of a session; None when this device has no such session.

        Return the older calls that are too many now: they are watched no longer, and to be hung up.
        """
        kept = self._of(device, session)
        if kept is None:
            return None
        if call_id not in kept.call_ids:
            kept.call_ids.append(call_id)
        surplus, kept.call_ids = kept.call_ids[:-MOST_CALLS], kept.call_ids[-MOST_CALLS:]
        return surplus

    def left(self, device: str, session: str, call_id: str) -> bool:
        """Take a device's word that a session goes on without a call; False when it is none of it.

        The last one that is known stays: it is told apart from a session whose call we never learned.
        """
        kept = self._of(device, session)
        known = kept is not None and call_id in kept.call_ids
        if kept is not None and known and len(kept.call_ids) > 1:
            kept.call_ids.remove(call_id)
        return known

    def ended(self, device: str, session: str, now: float, reason: str) -> bool:
        """Take a device's word that a session is over, which is made sure of; False when it is not watched (yet)."""
        heard = self._heard.get(device, now) or _Heard()
        heard.over = (*heard.over, (session, reason))[-_OVER:]
        self._heard.put(device, heard, now)
        kept = self._of(device, session)
        if kept is not None:
            self._bring_forward([kept], now, reason)
        return kept is not None

    def on_state(self, state: DeviceState, now: float) -> None:
        """Take a device's card."""
        heard = self._heard.get(state.device, now) or _Heard()
        heard.card, heard.at = state, now
        self._heard.put(state.device, heard, now)
        for kept in self._all_of(state.device):
            _compare(kept, state, now)
            self._note_due([kept])

    def stop(self, device: str, now: float) -> None:
        """Take an operator's stop."""
        self._bring_forward(self._all_of(device), now + OBEDIENCE, "operator")

    def due(self, now: float) -> list[Ending]:
        """Return, and watch no longer, the sessions to be ended; those that were due first come first."""
        endings: list[Ending] = []
        while (first := self._deadlines.first()) is not None and first[0] <= now:
            kept = self._let_go(first[1])
            endings.append(Ending(kept.session, kept.due()[1], tuple(kept.call_ids)))
        return endings

    def next_due(self) -> float | None:
        """Return when `due` will next have something to give, if nothing else happens."""
        first = self._deadlines.first()
        return None if first is None else first[0]

    def _of(self, device: str, session: str) -> _Kept | None:
        return self._by_device.get(device, {}).get(session)

    def _all_of(self, device: str) -> list[_Kept]:
        return [*self._by_device.get(device, {}).values()]

    def _let_go(self, session: str) -> _Kept:
        kept = self._kept.pop(session)
        self._deadlines.drop(session)
        others = self._by_device[kept.session.device]
        del others[session]
        if not others:
            del self._by_device[kept.session.device]
        return kept

    def _note_due(self, changed: Iterable[_Kept]) -> None:
        for kept in changed:
            self._deadlines.set(kept.session.id, kept.due()[0])

    def _break_silence(self, of: Iterable[_Kept], now: float) -> None:
        for kept in of:
            kept.silent_at = now + self._silence
        self._note_due(of)

    def _bring_forward(self, of: Iterable[_Kept], at: float, reason: str) -> None:
        for kept in of:
            kept.bring_forward(at, reason)
        self._note_due(of)

    def _end_now(self, of: Iterable[_Kept], now: float, reason: str) -> bool:
        going_on = [kept for kept in of if kept.due()[0] > now]
        self._bring_forward(going_on, now, reason)
        return bool(going_on)


def _compare(kept: _Kept, card: DeviceState, now: float) -> None:
    """Hold one session against its device's card."""
    if card.lifecycle in _GONE:
        kept.bring_forward(now, f"device {card.lifecycle}")
    elif card.lifecycle is Lifecycle.LOST:
        kept.without = (now + ABSENCE, "device lost")
    elif card.session == kept.session.id:
        kept.without = None
    elif kept.without is None:
        kept.without = (max(now, kept.session.created_at + BEGINNING), "the device is without it")
