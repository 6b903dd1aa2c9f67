"""Owner of one contact between a pin and ground: its edges, in the event loop, to a machine that tells what they mean.

An edge may come late, because its thread had to wait: it counts when the kernel saw it. It may never come, because the
kernel keeps 16 of a line and drops what is more: before anything follows from waiting, and once a second besides, the
contact itself is looked at.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final, Generic, Protocol, Self, TypeVar

from gpiozero import DigitalInputDevice
from gpiozero.pins.mock import MockFactory

from device.errors import PanelError
from device.panel.pins import explained

T = TypeVar("T")

LOOK_SECONDS: Final = 1.0
"""Between two looks at a contact of which nothing is heard."""

LATEST: Final = 1.0
"""Seconds by which an edge may be late; an older one was timed by another clock (lgpio: before Linux 5.7)."""


class Meaning(Protocol[T]):
    """A machine that turns edges into something; times are monotonic seconds."""

    @property
    def deadline(self) -> float | None:
        """When `due` should be called next, if ever."""

    def handle(self, closed: bool, at: float) -> list[T]:
        """Take one edge."""

    def due(self, now: float) -> list[T]:
        """Return what has become true by waiting."""


class Contact(Generic[T]):
    """One contact, from `with` to its end; `tell` is called in the event loop, with the time of what made it so."""

    def __init__(self, factory: Any, pin: int, meaning: Meaning[T], tell: Callable[[T, float], None]) -> None:
        self._factory, self._pin, self._meaning, self._tell = factory, pin, meaning, tell
        self._deadline: asyncio.TimerHandle | None = None
        self._seen = False
        """Whether the contact is closed as far as the machine has been told."""

    def __enter__(self) -> Self:
        """Take the pin; a contact that is closed already counts as closed now.

        Raises:
            PanelError: it cannot be used; the text tells why.
        """
        self._loop = asyncio.get_running_loop()
        with ExitStack() as owned:
            with explained(f"GPIO {self._pin}"):
                self._device: Any = DigitalInputDevice(self._pin, pull_up=True, pin_factory=self._factory)
            owned.callback(self._device.close)
            self._device.pin.when_changed = self._edge
            owned.callback(setattr, self._device.pin, "when_changed", None)
            self._owned = owned.pop_all()
        self._looking = self._loop.call_later(LOOK_SECONDS, self._look_again)
        return self

    def __exit__(self, *_: object) -> None:
        """Give the pin back; nothing is told any more."""
        for waiting in (self._deadline, self._looking):
            if waiting is not None:
                waiting.cancel()
        self._owned.close()

    @property
    def closed(self) -> bool:
        """True while the contact is closed, bouncing included."""
        return bool(self._device.value)

    def look(self) -> None:
        """Take the contact as it is now for an edge, if none has told of it: one that was closed before has none."""
        self._look(time.monotonic())

    def close(self) -> None:
        """Close a contact that exists in memory only.

        Raises:
            PanelError: there is a real one.
        """
        self._pretended().drive_low()

    def open(self) -> None:
        """Open a contact that exists in memory only.

        Raises:
            PanelError: there is a real one.
        """
        self._pretended().drive_high()

    def _pretended(self) -> Any:
        if not isinstance(self._factory, MockFactory):
            raise PanelError("a real button is pressed by hand")
        return self._device.pin

    def _edge(self, ticks: float, level: float) -> None:
        now = time.monotonic()
        at = ticks if now - LATEST < ticks <= now else now
        self._loop.call_soon_threadsafe(self._handle, not level, at)  # FROM THE THREAD OF GPIOZERO

    def _handle(self, closed: bool, at: float) -> None:
        self._seen = closed
        self._told(self._meaning.handle(closed, at), at)

    def _look(self, at: float) -> None:
        if (closed := self.closed) is not self._seen:
            self._handle(closed, at)

    def _look_again(self) -> None:
        self.look()
        self._looking = self._loop.call_later(LOOK_SECONDS, self._look_again)

    def _due(self) -> None:
        now = time.monotonic()
        if (deadline := self._meaning.deadline) is not None:
            self._look(min(now, math.nextafter(deadline, 0.0)))  # what has changed without a word has changed before
        self._told(self._meaning.due(now), now)

    def _told(self, meanings: list[T], at: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        deadline = self._meaning.deadline
        self._deadline = None if deadline is None else self._loop.call_at(deadline, self._due)
        for meaning in meanings:
            self._tell(meaning, at)
