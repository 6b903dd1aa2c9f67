"""PURE. What an operator is told of the update that they have ordered, from its acceptance to its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from device.messages.commands import Step

OFTEN: Final = 5.0
"""Seconds between two words about it, at least."""

SELDOM: Final = 20.0
"""Seconds between two words about it, at most: whoever waits hears that it goes on."""

UNHEARD: Final = 60.0
"""Seconds after which somebody must have taken the request up."""

STILL: Final = 600.0
"""Seconds after which a step that does not go on is given up: a server that is silent is tried for four minutes."""


class Tried(Protocol):
    """A version that waits, or is tried."""

    @property
    def id(self) -> str:
        """By whose order."""

    @property
    def version(self) -> str:
        """Which."""


class Ended(Tried, Protocol):
    """How that has ended."""

    @property
    def kept(self) -> bool:
        """Whether it stays."""

    @property
    def reason(self) -> str:
        """Why not."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What lies on the disk: how the last update ended, the one that is staged, the one on trial, and how far root is."""

    outcome: Ended | None = None
    staged: Tried | None = None
    trial: Tried | None = None
    text: str = ""
    at: float = 0.0
    """When root wrote `text`, by whatever clock."""


class Course:
    """One ordered update, as it is seen; `order` is the command's id, `now` monotonic seconds."""

    def __init__(self, order: str, now: float) -> None:
        self.order = order
        self._began = self._moved = now
        self._told_at = float("-inf")
        self._told = ""
        self._mark: tuple[str, float] = ("", 0.0)

    def look(self, seen: Seen, now: float) -> tuple[Step, str] | None:
        """Return what to tell the operator now, if anything; nothing more after a final step."""
        outcome = seen.outcome
        if outcome is not None and outcome.id == self.order:
            return (Step.SUCCEEDED, f"{outcome.version} runs") if outcome.kept else (Step.FAILED, outcome.reason)
        text = self._stage(seen)
        mark = (text, seen.at)
        if mark != self._mark:
            self._mark, self._moved = mark, now
        if lost := self._lost(text, waits=seen.staged is not None or seen.trial is not None, now=now):
            return Step.FAILED, lost
        return self._word(text, now)

    def _stage(self, seen: Seen) -> str:
        if seen.trial is not None and seen.trial.id == self.order:
            return f"{seen.trial.version} is on trial"
        if seen.staged is not None and seen.staged.id == self.order:
            return f"{seen.staged.version} begins when nobody talks"
        return seen.text

    def _lost(self, text: str, *, waits: bool, now: float) -> str:
        if waits:
            return ""
        if not text and now - self._began >= UNHEARD:
            return "nothing on this board carries out updates: systemctl status kaiwa-device-update.path"
        if text and now - self._moved >= STILL:
            return f"it stands still: {text}"
        return ""

    def _word(self, text: str, now: float) -> tuple[Step, str] | None:
        pause = OFTEN if text != self._told else SELDOM
        if now - self._told_at < pause:
            return None
        self._told, self._told_at = text, now
        return Step.IN_PROGRESS, text or "handed over"
