"""Everything that can be observed of one robot: on its bench, and by what it tells the cloud."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from device.errors import KaiwaError
from device.messages.reports import (
    Caption,
    DeviceState,
    Event,
    FaultRaised,
    Metrics,
    OperatorNote,
    SessionEnded,
    SessionGoesOn,
    Trace,
)
from provisioning.imageflux import Channel

T = TypeVar("T")


class DemoError(KaiwaError):
    """Something the demonstration waits for did not happen."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What the bench saw or heard, and the monotonic second at which it was."""

    what: str
    at: float
    detail: dict[str, Any] = field(default_factory=dict)


class Watch:
    """Collects observations and wakes who waits for one."""

    def __init__(self) -> None:
        self.seen: list[Observation] = []
        self.state: DeviceState | None = None
        self.phases: list[str] = []
        self.captions: dict[str, Caption] = {}
        self.faults: list[FaultRaised] = []
        self.ended: list[SessionEnded] = []
        self.notes: list[OperatorNote] = []
        self.usage: dict[str, int] = {}
        """Of the session that goes on, as its robot told last."""
        self.metrics: Metrics | None = None
        self.marks: dict[str, float] = {}
        self.playlist = ""
        self._gone = self._outlived = False
        self._changed = asyncio.Event()

    # the bench -------------------------------------------------------------------------------------------------------

    def on_observed(self, line: dict[str, Any]) -> None:
        """Take one line of the robot's bench."""
        detail = {key: value for key, value in line.items() if key not in {"what", "at"}}
        self.seen.append(Observation(line["what"], line["at"], detail))
        self._changed.set()

    def on_gone(self) -> None:
        """Take it that the robot's program has ended."""
        self._gone = True
        self._changed.set()

    def outlive(self) -> None:
        """Go on waiting when the robot's program ends: it is meant to."""
        self._outlived = True

    # what the cloud hears --------------------------------------------------------------------------------------------

    def on_state(self, state: DeviceState) -> None:
        """Take the device's card."""
        self.state = state
        self.phases.append(state.phase)
        self._changed.set()

    def on_event(self, device: str, event: Event) -> None:
        """Take an event of the device."""
        del device
        match event:
            case Caption():
                self.captions[event.id] = event
            case FaultRaised():
                self.faults.append(event)
            case SessionEnded():
                self.ended.append(event)
            case OperatorNote():
                self.notes.append(event)
            case SessionGoesOn():
                self.usage = event.usage
            case Trace():
                self.marks |= event.marks
            case _:
                pass
        self._changed.set()

    def on_metrics(self, device: str, metrics: Metrics) -> None:
        """Take the device's meters."""
        del device
        self.metrics = metrics
        self._changed.set()

    def on_playlist(self, device: str, session: str, url: str | None) -> None:
        """Take the address of the live stream; the last one stays known when it is gone."""
        del device, session
        self.playlist = url or self.playlist
        self._changed.set()

    def on_watch(self, device: str, session: str, channel: Channel | None) -> None:
        """Take how pages may join the broadcast, which the demonstration does not."""

    def forget(self) -> None:
        """Forget all that was observed but the robot's last card and what it is made of."""
        self.seen = [seen for seen in self.seen if seen.what == "body"]
        self.phases, self.faults, self.ended, self.notes = [], [], [], []
        self.captions, self.marks, self.playlist = {}, {}, ""

    def nudge(self) -> None:
        """Look again: something that is waited for may have changed elsewhere."""
        self._changed.set()

    # waiting ---------------------------------------------------------------------------------------------------------

    async def until(self, what: str, happened: Callable[[], T | None], seconds: float = 20.0) -> T:
        """Wait until `happened` returns something, and return it.

        Raises:
            DemoError: it did not within `seconds`; the text says `what`, and what the robot complained of last.
        """
        try:
            async with asyncio.timeout(seconds):
                while (found := happened()) is None:
                    if self._gone and not self._outlived:
                        raise DemoError(f"{what}: the robot's program has ended; see its log")
                    self._changed.clear()
                    await self._changed.wait()
                return found
        except TimeoutError:
            fault = f"; last fault: {self.faults[-1].fault}: {self.faults[-1].text}" if self.faults else ""
            phase = self.state.phase if self.state else "unknown"
            raise DemoError(f"{what}: not within {seconds:.0f} s (the robot is {phase}{fault})") from None

    async def phase(self, *phases: str, seconds: float = 20.0) -> str:
        """Wait until the robot is in one of `phases`, and return it."""

        def reached() -> str | None:
            return self.state.phase if self.state is not None and self.state.phase in phases else None

        return await self.until(f"the robot becomes {' or '.join(phases)}", reached, seconds)

    async def observation(self, what: str, after: float = 0.0, seconds: float = 20.0, **detail: object) -> Observation:
        """Wait for the first observation of `what` at or after monotonic `after`, with the details given."""
        return await self.until(what, lambda: self.find(what, after, **detail), seconds)

    def find(self, what: str, after: float = 0.0, **detail: object) -> Observation | None:
        """Return the first observation of `what` at or after monotonic `after`, or None."""
        return next(
            (
                seen
                for seen in self.seen
                if seen.what == what and seen.at >= after and detail.items() <= seen.detail.items()
            ),
            None,
        )
