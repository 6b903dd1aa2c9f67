"""Owner of the lamps that the talk light is made of; a lamp is written to only when it changes."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, Self

from gpiozero import PWMLED

from device.panel.pins import explained
from device.panel.rendering import Channels
from device.panel.settings import PanelSettings


class Lamps:
    """One to three lamps, from `with` to its end; dark after."""

    def __init__(self, factory: Any, settings: PanelSettings) -> None:
        self._factory, self._settings = factory, settings
        self._lamps: list[Any] = []
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
            self._owned = owned.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Put them out and give the pins back."""
        self._owned.close()

    def shine(self, channels: Channels) -> bool:
        """Give each lamp its power, 0 to 1; return whether that changed anything."""
        before = self.written
        for lamp, power in zip(self._lamps, channels, strict=True):
            if lamp.value != power:
                lamp.value = power
                self.written += 1
        return self.written != before
