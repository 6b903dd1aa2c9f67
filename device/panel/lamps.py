"""Owner of the lamps that the talk light is made of; a lamp is written to only when it changes.

A lamp that does not take what it is given, because lgpio's queue of changes is full for one, is given it again with the
next step of its pattern: no light is worth a conversation.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import Any, Self

from gpiozero import PWMLED

from device.errors import PanelError
from device.panel.pins import explained
from device.panel.rendering import Channels
from device.panel.settings import PanelSettings

_log = logging.getLogger(__name__)


class Lamps:
    """One to three lamps, from `with` to its end; dark after."""

    def __init__(self, factory: Any, settings: PanelSettings) -> None:
        self._factory, self._settings = factory, settings
        self._lamps: list[Any] = []
        self._given: list[float | None] = []
        """The power that each lamp has taken; None for one that took none."""
        self._refused = 0
        self.written = 0
        """How often a lamp was written to."""

    def __enter__(self) -> Self:
        """Take the pins.

        Raises:
            PanelError: one cannot be used; the text tells why.
        """
        with ExitStack() as owned:
            for pin in self._settings.light_pins:
                with explained(f"GPIO {pin}"):
                    lamp = PWMLED(pin, active_high=not self._settings.lit_when_low, pin_factory=self._factory)
                owned.callback(lamp.close)
                owned.callback(lamp.off)
                self._lamps.append(lamp)
                self._given.append(0.0)
            self._owned = owned.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Put them out and give the pins back."""
        self._owned.close()

    def shine(self, channels: Channels) -> bool:
        """Give each lamp its power, 0 to 1; return whether that changed anything."""
        before = self.written
        for number, power in enumerate(channels):
            if self._given[number] != power:
                self._give(number, power)
        return self.written != before

    def _give(self, number: int, power: float) -> None:
        try:
            with explained("the talk light"):
                self._lamps[number].value = power
        except PanelError as error:
            self._given[number] = None
            self._refused += 1
            if self._refused == 1:
                _log.warning("%s", error)
            return
        self._given[number] = power
        self.written += 1
