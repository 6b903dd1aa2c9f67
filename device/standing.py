"""PURE. How the session machine stands, and the few ways in which all of its actions move it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from device import command as do
from device.command import Command
from device.hand import Hand
from device.handover import Handover
from device.messages.commands import Step
from device.messages.minting import Grant
from device.patience import Patience
from device.phase import TALKING, Chime, Phase
from device.timing import Timing
from device.wishes import Wishes


class Standing:
    """What one session machine knows; `device.session.Session` is the machine."""

    def __init__(self, new_id: Callable[[], str], timing: Timing | None = None) -> None:
        self.timing = timing or Timing()
        self._new_id = new_id
        self.phase, self.since = Phase.STARTING, 0.0
        self.id: str | None = None
        self.on_air = False
        self.muted = False
        """Whether the microphone is to be closed."""
        self.trouble: str | None = None
        """Why the last answer failed, until somebody speaks."""
        self.fault: str | None = None
        self.dropped = 0
        """Events that named another session, or a call that is not in use."""
        self.deaf = False
        """Whether there is no sound card: whatever the phase, the robot then looks out of order."""
        self.broken = False
        """Whether something in it stands still: it only shows that until its process ends."""
        self._online = self._again = False
        self._leaving: do.Exit | None = None
        self._order: str | None = None
        self._stop_order: str | None = None
        self._reason = self._end_reason = ""
        self._grant: Grant | None = None
        self._broadcasting = False
        self.switched_off = False
        """Whether a switch keeps the microphone closed, in this conversation and in the next."""
        self.wishes = Wishes()
        """What operators want said or answered in this conversation."""
        self.hand = Hand(self.timing.tap)
        """What the button means in this conversation."""
        self._until: float | None = None
        self._talking = False
        """Whether somebody in the room is talking, while the robot listens."""
        self._patience: Patience | None = None
        self._handover: Handover | None = None
        self._live_since: float | None = None

    @property
    def deadline(self) -> float | None:
        """Monotonic time at which `Elapsed` is due, or None."""
        return min((at for at in (self._until, self._handing_over_at) if at is not None), default=None)

    @property
    def _handing_over_at(self) -> float | None:
        return None if self._handover is None or self.phase not in TALKING else self._handover.deadline

    @property
    def _call(self) -> int:
        """Number of the call in use."""
        return 0 if self._handover is None else self._handover.call

    @property
    def ends_at(self) -> float | None:
        """Monotonic time at which the conversation ends because it has lasted so long; None until that was told."""
        return None if self._patience is None else self._patience.closing

    @property
    def _shown(self) -> tuple[object, ...]:
        closed = (self.muted, self.switched_off, self.hand.closed)
        return self.phase, self.on_air, self.fault, self.id, self.trouble, self.deaf, closed, self.ends_at

    def _enter(self, phase: Phase, now: float, seconds: float | None = None) -> None:
        self.phase, self.since = phase, now
        self._until = None if seconds is None else now + seconds

    def _enter_live(self, phase: Phase, now: float) -> None:
        self._enter(phase, now)
        self._wait(now)

    def _wait(self, now: float, *, talking: bool = False) -> None:
        self._talking = talking
        if self._patience is not None:
            self._until = self._patience.deadline(self.phase, now, talking=talking)
        if self._handover is not None:
            self._handover.stirred(now, quiet=self.phase is Phase.LISTENING and not talking)

    def _fail(self, code: str, text: str, now: float) -> Iterator[Command]:
        self.fault = code
        yield do.ReportFault(self.id, code, text)
        yield from self._end(code, now, Chime.ERROR, text)

    def _end(self, reason: str, now: float, chime: Chime = Chime.END, text: str = "") -> Iterator[Command]:
        self._end_reason, self.trouble = reason, None
        self.hand.over()
        yield from self.wishes.drop(f"the conversation has ended: {reason}")
        if self._order is not None:
            yield do.Acknowledge(self._order, Step.FAILED, f"{reason}: {text}" if text else f"ended by {reason}")
            self._order = None
        self._enter(Phase.ENDING, now, self.timing.release)
        yield do.Play(chime)
        yield do.Release(self.id or "")
