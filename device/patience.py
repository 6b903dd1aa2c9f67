"""PURE. When a live conversation ends by itself: at its longest, when nobody says anything, or when goodbye was said.

Before silence ends it, the robot asks whether anybody is there, and then says goodbye, if the grant has words for it.
Whoever speaks up calls all of that off. Before its longest, the robot says so once, and nothing calls that off. Times are
monotonic seconds, passed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from device.messages.minting import SHORTEST, Limits, Prompts
from device.phase import Phase

ANSWER: Final = 12.0
"""How long somebody may take to answer whether they are there, from the end of the question."""

PARTING: Final = 10.0
"""How long the model may take to begin its goodbye, before the session ends without."""

TAIL: Final = 0.6
"""From the end of the sound at the service to its end in the room: network, jitter buffer, the speaker's ring."""


@dataclass(frozen=True, slots=True)
class Over:
    """The wait is over: the session ends for `reason`, or, where that is None, the model is first asked to `say`."""

    reason: str | None
    say: str = ""


class Patience:
    """How long one conversation, live since `began`, still waits."""

    def __init__(self, limits: Limits, prompts: Prompts, began: float) -> None:
        self._limits, self._prompts, self._began = limits, prompts, began
        self._asked = False
        self._warned = False
        self._parting: str | None = None
        self._ends = began + limits.longest
        self.closing: float | None = None
        """Monotonic time at which the session ends because it has lasted so long, once that was told."""

    @property
    def parting(self) -> str | None:
        """For what the session ends once what is being said was heard, or None while it does not."""
        return self._parting

    def deadline(self, phase: Phase, now: float, *, talking: bool = False) -> float:
        """Return when the wait is over if nothing else happens; `talking` is whether somebody in the room is."""
        notice = self._notice
        left = (self._began + self._limits.longest if notice is None else notice) - now
        return now + max(0.0, min(left, self._wait(phase, talking=talking)))

    def end_by(self, at: float) -> None:
        """The session will end at that monotonic time at the latest, for there will be no other call."""
        if self.closing is None:
            self._ends = min(self._ends, at)

    def goes_on(self) -> None:
        """There is another call after all: the session ends at its longest."""
        self._ends = self._began + self._limits.longest
        if self.closing is not None and self.closing < self._ends:
            self.closing = None

    @property
    def _notice(self) -> float | None:
        """When the end is told; None if it was, or is not told at all."""
        wanted = self._limits.notice and self._prompts.closing and self._parting is None and self.closing is None
        if not wanted or self._limits.longest < SHORTEST * self._limits.notice:
            return None
        return self._ends - self._limits.notice

    def _wait(self, phase: Phase, *, talking: bool) -> float:
        if talking or phase is Phase.SPEAKING:
            return self._limits.longest
        if self._parting is not None:
            return PARTING
        if phase is not Phase.LISTENING:
            return self._limits.longest
        return ANSWER if self._warned else self._limits.idle

    @property
    def asked(self) -> bool:
        """Whether anybody in the room has said anything."""
        return self._asked

    def spoke_up(self) -> None:
        """Somebody in the room said something: nothing ends for now."""
        self._asked, self._warned, self._parting = True, False, None

    def part(self, reason: str) -> None:
        """The session ends for `reason` once what is being said, or about to be, has been heard."""
        self._parting = reason

    def heard_out(self, now: float) -> float | None:
        """What the robot said was heard to its end: return when the session is over, or None when it is not.

        A greeting is no answer: with `single_turn`, somebody must have said something first.
        """
        if self._limits.single_turn and self._asked and self._parting is None:
            self._parting = "answered"
        return None if self._parting is None else now + TAIL

    def over(self, now: float, *, muted: bool) -> Over:
        """The deadline has come. A robot that is muted asks nothing, for it would not hear the answer."""
        if now - self._began >= self._limits.longest:
            return Over("longest")
        if self._parting is not None:
            return Over(self._parting)
        if (notice := self._notice) is not None and now >= notice:
            self.closing = self._ends
            return Over(None, self._prompts.closing.replace("{seconds}", f"{max(1.0, self._ends - now):.0f}"))
        if self._prompts.warning and not self._warned and not muted:
            self._warned = True
            return Over(None, self._prompts.warning)
        if self._prompts.farewell:
            self._parting = "idle"
            return Over(None, self._prompts.farewell)
        return Over("idle")
