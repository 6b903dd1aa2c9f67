"""Owner of the panel: the button that starts and ends, the talk light, and the red on-air light."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain
from types import TracebackType
from typing import Any, Self

from gpiozero import LED, PWMLED, DigitalInputDevice
from gpiozero.pins.mock import MockFactory

from device.errors import PanelError
from device.panel.gestures import Gesture, Gestures
from device.panel.patterns import IDENTIFYING, PATTERNS, Light, Step
from device.panel.pins import explained, open_pins
from device.panel.settings import PanelSettings

OnGesture = Callable[[Gesture, float], None]
"""Takes what a hand did and the monotonic time of the edge, or of the deadline, that made it so; in the event loop."""

OnLight = Callable[[float, float], None]
"""Takes the monotonic time and the new brightness, 0 to 1, of the talk light; in the event loop."""


def _ignore(_at: float, _brightness: float) -> None:
    pass


class Panel:
    """Button and lights, from `async with` to its end; everything is dark after."""

    def __init__(self, settings: PanelSettings, on_gesture: OnGesture, on_light: OnLight = _ignore) -> None:
        self._settings = settings
        self._on_gesture, self._on_light = on_gesture, on_light
        self._gestures = Gestures()
        self._deadline: asyncio.TimerHandle | None = None
        self._next_step: asyncio.TimerHandle | None = None
        self._shown: Light | None = None
        self._level: float | None = None
        self._brightness = 1.0

    async def __aenter__(self) -> Self:
        """Take the pins.

        Raises:
            PanelError: they cannot be used; the text tells why.
        """
        self._loop = asyncio.get_running_loop()
        with ExitStack() as owned:
            self._factory = open_pins(self._settings.factory)
            owned.callback(self._factory.close)
            self._light = self._device(owned, PWMLED, self._settings.light)
            self._red = self._device(owned, LED, self._settings.on_air)
            self._button = self._device(owned, DigitalInputDevice, self._settings.button, pull_up=True)
            self._button.when_activated = self._closed
            self._button.when_deactivated = self._opened
            self._owned = owned.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the lights out and give the pins back."""
        for timer in (self._deadline, self._next_step):
            if timer is not None:
                timer.cancel()
        with self._owned:
            self._shine(0.0)
            self._red.off()

    def _device(self, owned: ExitStack, kind: Callable[..., Any], pin: int, **options: Any) -> Any:
        with explained(f"GPIO {pin}"):
            device = kind(pin, pin_factory=self._factory, **options)
        owned.callback(device.close)
        return device

    @property
    def stood_in(self) -> bool:
        """True when the pins exist in memory only."""
        return isinstance(self._factory, MockFactory)

    @property
    def pins(self) -> Any:
        """The pin factory of gpiozero, for outputs that are not the panel's; closed with it."""
        return self._factory

    @property
    def brightness(self) -> float:
        """How bright the talk light is at its brightest, 0.1 to 1."""
        return self._brightness

    @brightness.setter
    def brightness(self, share: float) -> None:
        """Set it from now on; below 0.1 the light could not be told from one that is out."""
        self._brightness = min(1.0, max(0.1, share))
        self._step_again()

    @property
    def pressed(self) -> bool:
        """True while the contact of the button is closed, bouncing included."""
        return bool(self._button.value)

    def show(self, light: Light | str) -> None:
        """Let the talk light show a phase from now on; shown already, it goes on undisturbed.

        Raises:
            ValueError: no such phase.
        """
        light = Light(light)
        if light is self._shown:
            return
        self._shown = light
        self._step_again()

    def identify(self) -> None:
        """Blink for five seconds, or until another phase is to be shown."""
        dark = iter((Step(0.0, math.inf),))
        after = dark if self._shown is None else PATTERNS[self._shown](lambda: self._level)
        self._steps: Iterator[Step] = chain(IDENTIFYING, after)
        self._step()

    def on_air(self, on: bool) -> None:
        """Switch the red light."""
        self._red.value = on

    def level(self, dbfs: float) -> None:
        """Tell how loud the robot speaks now, RMS in dBFS: the talk light follows while it shows `speaking`."""
        self._level = dbfs

    def _step_again(self) -> None:
        if self._shown is not None:
            self._steps = PATTERNS[self._shown](lambda: self._level)
            self._step()

    def _step(self) -> None:
        if self._next_step is not None:
            self._next_step.cancel()
        step = next(self._steps)
        self._shine(step.brightness * self._brightness)
        self._next_step = self._loop.call_later(step.seconds, self._step) if step.seconds < 3600.0 else None

    def _shine(self, brightness: float) -> None:
        if brightness != self._light.value:
            self._light.value = brightness
            self._on_light(time.monotonic(), brightness)

    def _closed(self) -> None:
        self._edge(True)

    def _opened(self) -> None:
        self._edge(False)

    def _edge(self, closed: bool) -> None:
        self._loop.call_soon_threadsafe(self._handle, closed, time.monotonic())  # FROM THE THREAD OF GPIOZERO

    def _handle(self, closed: bool, at: float) -> None:
        self._tell(self._gestures.handle(closed, at), at)

    def _due(self) -> None:
        now = time.monotonic()
        self._tell(self._gestures.due(now), now)

    def _tell(self, gestures: list[Gesture], at: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        deadline = self._gestures.deadline
        self._deadline = None if deadline is None else self._loop.call_at(deadline, self._due)
        for gesture in gestures:
            self._on_gesture(gesture, at)

    def press(self) -> None:
        """Close the contact of a button that exists in memory only.

        Raises:
            PanelError: there is a real button.
        """
        self._contact().drive_low()

    def release(self) -> None:
        """Open the contact of a button that exists in memory only.

        Raises:
            PanelError: there is a real button.
        """
        self._contact().drive_high()

    def _contact(self) -> Any:
        if not self.stood_in:
            raise PanelError("a real button is pressed by hand")
        return self._button.pin
