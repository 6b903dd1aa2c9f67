"""Owner of the panel: the button that starts and ends, the contact that mutes, the talk light, the red on-air light."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain
from types import TracebackType
from typing import Any, Final, Self

from gpiozero import LED
from gpiozero.pins.mock import MockFactory

from device.panel.contact import Contact
from device.panel.gestures import Gesture, Gestures
from device.panel.lamps import Lamps
from device.panel.patterns import IDENTIFYING, PATTERNS, Level, Light, Step
from device.panel.pins import explained, open_pins
from device.panel.rendering import channels
from device.panel.settings import PanelSettings
from device.panel.switch import Switch

OnGesture = Callable[[Gesture, float], None]
"""Takes what a hand did and the monotonic time of the edge, or of the deadline, that made it so; in the event loop."""

OnLight = Callable[[float, float], None]
"""Takes the monotonic time and the new brightness, 0 to 1, of the talk light; in the event loop."""

OnCut = Callable[[], None]
"""Called when the button that cuts was pressed; in the event loop."""

OnMute = Callable[[bool | None], None]
"""Takes whether the switch has closed the microphone, or opened it, or None when a button changes it; in the event loop."""

DARK: Final = Step(0.0, math.inf)


def ignore(*_: object) -> None:
    """Take what nobody wants to know."""


class Panel:
    """Contacts and lights, from `async with` to its end; everything is dark after."""

    def __init__(
        self,
        settings: PanelSettings,
        on_gesture: OnGesture,
        on_light: OnLight = ignore,
        on_mute: OnMute = ignore,
        on_cut: OnCut = ignore,
    ) -> None:
        self._settings = settings
        self._on_gesture, self._on_light, self._on_mute, self._on_cut = on_gesture, on_light, on_mute, on_cut
        self._next_step: asyncio.TimerHandle | None = None
        self._shown: Light | None = None
        self._steps: Iterator[Step] = iter((DARK,))
        self._level: Level = lambda: None
        self._brightness = 1.0

    async def __aenter__(self) -> Self:
        """Take the pins; a switch that is closed already is told of at once.

        Raises:
            PanelError: they cannot be used; the text tells why.
        """
        self._loop = asyncio.get_running_loop()
        with ExitStack() as owned:
            self._factory = open_pins(self._settings.factory)
            owned.callback(self._factory.close)
            self._lamps = owned.enter_context(Lamps(self._factory, self._settings))
            self._red = self._on_air_light(owned)
            gestures = Gestures(self._settings.claim_seconds)
            self._button = self._button_on(self._settings.button, gestures, self._on_gesture, owned)
            self._mute = self._mute_contact(owned)
            self._cut = self._cut_contact(owned)
            self._owned = owned.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the lights out and give the pins back."""
        if self._next_step is not None:
            self._next_step.cancel()
        with self._owned:
            self._shown = None
            self._shine(0.0)
            self._red.off()

    def _on_air_light(self, owned: ExitStack) -> Any:
        with explained(f"GPIO {self._settings.on_air}"):
            red = LED(self._settings.on_air, pin_factory=self._factory)
        owned.callback(red.close)
        return red

    def _button_on(self, pin: int, gestures: Gestures, tell: OnGesture, owned: ExitStack) -> Contact[Gesture]:
        """Take a button; who holds it already does not press it."""
        button = owned.enter_context(Contact(self._factory, pin, gestures, tell))
        if button.closed:
            gestures.overlook()
            button.look()
        return button

    def _mute_contact(self, owned: ExitStack) -> Contact[bool] | Contact[Gesture] | None:
        pin = self._settings.mute
        if pin is None:
            return None
        if self._settings.mute_kind == "button":
            return self._button_on(pin, Gestures(), self._mute_pressed, owned)
        switch = Contact(self._factory, pin, Switch(), lambda off, _at: self._on_mute(off))
        owned.enter_context(switch).look()
        return switch

    def _mute_pressed(self, gesture: Gesture, _at: float) -> None:
        if gesture is Gesture.PRESS:
            self._on_mute(None)

    def _cut_contact(self, owned: ExitStack) -> Contact[Gesture] | None:
        pin = self._settings.cut
        return None if pin is None else self._button_on(pin, Gestures(), self._cut_pressed, owned)

    def _cut_pressed(self, gesture: Gesture, _at: float) -> None:
        if gesture is Gesture.PRESS:
            self._on_cut()

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
        return self._button.closed

    @property
    def written(self) -> int:
        """How often a lamp of the talk light was written to."""
        return self._lamps.written

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
        after = iter((DARK,)) if self._shown is None else PATTERNS[self._shown](self._level)
        self._steps = chain(IDENTIFYING, after)
        self._step()

    def on_air(self, on: bool) -> None:
        """Switch the red light."""
        self._red.value = on

    def follow(self, level: Level) -> None:
        """Have the talk light ask `level`, while it shows `speaking`, how loud the robot speaks."""
        self._level = level
        self._step_again()

    def _step_again(self) -> None:
        if self._shown is not None:
            self._steps = PATTERNS[self._shown](self._level)
            self._step()

    def _step(self) -> None:
        if self._next_step is not None:
            self._next_step.cancel()
        step = next(self._steps)
        self._shine(step.brightness)
        self._next_step = self._loop.call_later(step.seconds, self._step) if step.seconds < 3600.0 else None

    def _shine(self, brightness: float) -> None:
        powers = channels(self._settings.kind, self._shown, brightness)
        if self._lamps.shine(tuple(self._brightness * power for power in powers)):
            self._on_light(time.monotonic(), brightness * self._brightness)

    def press(self) -> None:
        """Close the contact of a button that exists in memory only.

        Raises:
            PanelError: there is a real button.
        """
        self._button.close()

    def release(self) -> None:
        """Open the contact of a button that exists in memory only.

        Raises:
            PanelError: there is a real button.
        """
        self._button.open()

    def cut(self, *, closed: bool) -> None:
        """Close or open the contact that cuts, if there is one and it exists in memory only.

        Raises:
            PanelError: it is a real one.
        """
        if self._cut is not None:
            (self._cut.close if closed else self._cut.open)()

    def mute(self, *, closed: bool) -> None:
        """Close or open the contact that mutes, if there is one and it exists in memory only.

        Raises:
            PanelError: it is a real one.
        """
        if self._mute is not None:
            (self._mute.close if closed else self._mute.open)()
