"""PURE. One call after another: when a second call is brought up beside the one in use, and when it takes its place.

A call ends with its service's limit, or with the network under it; the session shall not. Before the limit a second call
is asked for, which is silent until it hears and knows what was said. It takes over in a pause: nobody talks, nothing is
generated, nothing is left to play. Where the call in use dies, it takes over as soon as it can. What it is asked for and
what becomes of it is in `HANDOVER`, a table of its own beside that of the session.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from device import command as do
from device import phase as p
from device.command import Command
from device.messages.minting import Limits, Refusal
from device.phase import Event
from device.timing import Timing
from device.transition import Row, rows

PAUSE: Final = 1.5
"""Seconds for which nobody may have talked: longer than network, jitter buffer and the speaker's ring hold sound back, and
than what is sent once more to the call that takes over (`prebuffer.RECENT`), so that no turn is heard twice."""

SHARE: Final = 11 / 12
"""Of the service's limit after which a second call is asked for at the latest: 55 of 60 minutes."""

SETUP: Final = 30.0
"""How long a second call may take to come up; later than so long before the limit none is asked for."""

LAST_MOMENT: Final = 5.0
"""Before its limit a call is left although somebody talks, or ended by us: the service would do it in the same sentence."""

AGAIN: Final = 3.0
"""Between two tries while there is no call at all."""

FINAL: Final = frozenset({Refusal.DENIED, Refusal.REVOKED, Refusal.QUOTA, Refusal.BUDGET})
"""Refusals after which asking again within minutes does not help."""

INTERRUPTED: Final = (
    "The line was broken for a moment while you were thinking or speaking. Go on: answer what you were asked last, or finish "
    "what you were saying. If you do not know what that was, ask in one short sentence to hear it again."
)
"""What the model is told by the call that takes over from one that died in the middle of an answer."""


class Stage(StrEnum):
    """How a session stands with its calls."""

    SINGLE = "single"
    """One call; a second is asked for in time."""
    ASKED = "asked"
    """A second one is being brought up."""
    READY = "ready"
    """It hears, knows what was said, and waits for a pause."""
    LAST = "last"
    """There will be no second one: the session ends with this call."""
    CUT = "cut"
    """The call is gone, and the next one not there yet."""
    OVER = "over"
    """No call, and none to come."""


class Handover:
    """The calls of one session; `handle` and `deadline` are all the session machine needs.

    Args:
        session: its id.
        limits: `call` is how long one call may last, `longest` how long the session, in seconds.
        timing: when to ask (`renew`), and when once more (`retry`).
        began: monotonic time at which the first call came up.
    """

    def __init__(self, session: str, limits: Limits, timing: Timing, began: float) -> None:
        self.stage = Stage.SINGLE
        self.call = 0
        """Number of the call in use, the first of a session being 0."""
        self.asked = 0
        """Number of the call that was asked for last."""
        self.why = ("media", "")
        """Fault code and words of the last call that was lost."""
        self._session, self._limits, self._timing = session, limits, timing
        self._ends = began + limits.longest
        self._asked_at = began
        self._broke_off = False
        self._quiet_since: float | None = None
        self._again: float | None = None
        self._use(0, began)

    @property
    def deadline(self) -> float | None:
        """Monotonic time at which `Elapsed` is due here, or None."""
        if self.stage is Stage.READY:
            forced = self._limit - LAST_MOMENT
            return forced if self._quiet_since is None else min(forced, self._quiet_since + PAUSE)
        return self._again

    def stirred(self, now: float, *, quiet: bool) -> None:
        """Something happened in the talk; `quiet` is whether nobody talks and nothing is thought or said from now on."""
        self._quiet_since = now if quiet else None

    def handle(self, event: Event, now: float) -> list[Command]:
        """Take one event at monotonic time `now` and return what is to be done, in order."""
        if getattr(event, "spare", self.asked) != self.asked:
            return []
        row = HANDOVER.get((self.stage, type(event)))
        return [] if row is None else list(row.run(self, event, now))

    def _use(self, call: int, began: float) -> None:
        """The call with this number is the one in use, and its service counts from `began`."""
        self.stage, self.call, self._limit = Stage.SINGLE, call, began + self._limits.call
        needed = self._ends > self._limit
        self._again = began + min(self._timing.renew, self._limits.call * SHARE) if needed else None

    def _ask(self, _event: Event, now: float) -> Iterator[Command]:
        self.stage = Stage.CUT if self.stage is Stage.CUT else Stage.ASKED
        self.asked, self._asked_at, self._again = self.asked + 1, now, None
        yield do.Renew(self._session, self.asked)

    def _ready(self, _event: Event, _now: float) -> Iterator[Command]:
        self.stage = Stage.READY
        yield from ()

    def _switch(self, _event: Event, _now: float) -> Iterator[Command]:
        self._use(self.asked, self._asked_at)
        yield do.Switch(self._session, self.asked)
        if self._broke_off:
            self._broke_off = False
            yield do.Prompt(self._session, INTERRUPTED)

    def _no_spare(self, event: p.SpareLost, now: float) -> Iterator[Command]:
        """Ask again while there is time; where that does not help, the session ends with the call."""
        again = now + self._timing.retry
        if event.code not in FINAL and again + SETUP < self._limit:
            self.stage, self._again = Stage.SINGLE, again
            return
        self.stage, self._again = Stage.LAST, self._limit - LAST_MOMENT
        yield do.ReportFault(self._session, "renewal", f"{event.code}: {event.text}")

    def _cut(self, event: p.CallLost, now: float) -> Iterator[Command]:
        self._lose(event)
        self.stage = Stage.CUT
        yield from self._ask(event, now)

    def _cut_while_asked(self, event: p.CallLost, _now: float) -> Iterator[Command]:
        self._lose(event)
        self.stage = Stage.CUT
        yield from ()

    def _cut_while_ready(self, event: p.CallLost, now: float) -> Iterator[Command]:
        self._lose(event)
        yield from self._switch(event, now)

    def _lose(self, event: p.CallLost) -> None:
        self.why, self._broke_off = (event.code or "media", event.text), event.broke_off

    def _still_cut(self, event: p.SpareLost, now: float) -> Iterator[Command]:
        self._again = now + AGAIN
        if event.code in FINAL:
            self.stage, self._again = Stage.OVER, None
        yield from ()

    def _over(self, _event: Event, _now: float) -> Iterator[Command]:
        self.stage, self._again = Stage.OVER, None
        yield from ()


_UP: Final = (Stage.SINGLE, Stage.LAST)


# fmt: off
HANDOVER: Final[dict[tuple[Stage, type], Row[Stage]]] = {
    # in time: asked for, ready, taken in a pause
    **rows([Stage.SINGLE], p.Elapsed, Handover._ask, Stage.ASKED),
    **rows([Stage.ASKED], p.SpareReady, Handover._ready, Stage.READY),
    **rows([Stage.READY], p.Elapsed, Handover._switch, Stage.SINGLE),
    # refused, or failed: asked for again, or the session ends with its call
    **rows([Stage.ASKED, Stage.READY], p.SpareLost, Handover._no_spare, Stage.SINGLE, Stage.LAST),
    **rows([Stage.LAST], p.Elapsed, Handover._over, Stage.OVER),
    # the call in use is gone
    **rows(_UP, p.CallLost, Handover._cut, Stage.CUT),
    **rows([Stage.ASKED], p.CallLost, Handover._cut_while_asked, Stage.CUT),
    **rows([Stage.READY], p.CallLost, Handover._cut_while_ready, Stage.SINGLE),
    **rows([Stage.CUT], p.SpareReady, Handover._switch, Stage.SINGLE),
    **rows([Stage.CUT], p.SpareLost, Handover._still_cut, Stage.CUT, Stage.OVER),
    **rows([Stage.CUT], p.Elapsed, Handover._ask, Stage.CUT),
}
# fmt: on
