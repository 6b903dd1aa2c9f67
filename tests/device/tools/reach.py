"""What the built-in tools get at, where there is no robot."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from device import phase as p
from device.audio.block import RATE, Samples
from device.tools.built_in import Reach


@dataclass(slots=True)
class Body:
    """Loudspeaker and lamp, and what was posted and handed over."""

    volume: float = 1.0
    brightness: float = 1.0
    posted: list[p.Event] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    identified: list[str] = field(default_factory=list)
    held: float = 0.0
    watched: list[float] = field(default_factory=list)

    def earcon(self, samples: Samples) -> None:
        """Note that a sound was played."""
        self.identified.append(f"sound of {len(samples) / RATE:.1f} s")

    def cut(self) -> float:
        """Drop what is held: nothing, or as much as the test says."""
        if not self.held:
            raise LookupError("the broadcast is not delayed")
        return self.held

    def identify(self) -> None:
        """Note that the light blinked."""
        self.identified.append("light")


def reach(body: Body | None = None) -> Reach:
    """Return the reach of tools at noon of a Monday."""
    body = body or Body()

    def note(session: str, text: str) -> None:
        body.notes.append((session, text))

    noon = datetime(2026, 11, 23, 12, 5, tzinfo=UTC)
    return Reach(body, body, body.posted.append, note, lambda: noon, body.cut, body.watched.append)
