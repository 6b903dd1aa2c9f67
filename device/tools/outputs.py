"""Outputs by name: a lamp, a servo. Each is owned here, and is a tool of its name."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Annotated, Any, Final, Self

from gpiozero import PWMLED, AngularServo, OutputDevice
from msgspec import Meta

from device.panel.pins import explained
from device.tools.settings import OutputSettings
from device.tools.tool import Tool, made

SECONDS: Final = 1.0
"""More than a pin ever takes; that is why it may be set in the event loop."""

Percent = Annotated[int, Meta(ge=0, le=100)]
Degrees = Annotated[int, Meta(ge=-90, le=90)]

OnOutput = Callable[[str, float, float], None]
"""Takes an output's name, the monotonic time and the new value (0 to 1, or degrees); in the event loop."""


def _ignore(_name: str, _at: float, _value: float) -> None:
    pass


class Outputs:
    """The outputs of the settings on the pins of `factory` (gpiozero's), from `async with` to its end; all off after."""

    def __init__(self, settings: Sequence[OutputSettings], factory: Any, on_output: OnOutput = _ignore) -> None:
        self._settings, self._factory, self._on_output = settings, factory, on_output
        self._devices: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        """Take the pins.

        Raises:
            PanelError: one cannot be used; the text tells why.
        """
        with ExitStack() as owned:
            for output in self._settings:
                kind, options = _KINDS[output.kind]
                with explained(f"{output.name} on GPIO {output.pin}"):
                    device = kind(output.pin, pin_factory=self._factory, **options)
                owned.callback(device.close)
                self._devices[output.name] = device
            self._owned = owned.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Switch everything off and give the pins back."""
        self._owned.close()

    def tools(self) -> list[Tool]:
        """Return a tool for each output; they can be called while the pins are held."""
        return [
            made(
                self._setter(output),
                seconds=SECONDS,
                in_loop=True,
                name=output.name,
                description=f"{output.description} {does}",
            )
            for output in self._settings
            for does in [_DOES[output.kind]]
        ]

    def value(self, name: str) -> float:
        """Return what an output shows now: 0 to 1, or degrees; 0 for a servo that has not been moved yet."""
        device = self._devices[name]
        return float((device.angle if isinstance(device, AngularServo) else device.value) or 0.0)

    def _setter(self, output: OutputSettings) -> Callable[..., None]:
        def switch(*, on: bool) -> None:
            self._devices[output.name].value = on
            self._on_output(output.name, time.monotonic(), float(on))

        def dim(percent: Percent) -> None:
            self._devices[output.name].value = percent / 100
            self._on_output(output.name, time.monotonic(), percent / 100)

        def turn(degrees: Degrees) -> None:
            self._devices[output.name].angle = degrees
            self._on_output(output.name, time.monotonic(), float(degrees))

        setters: dict[str, Callable[..., None]] = {"switch": switch, "dimmer": dim, "servo": turn}
        return setters[output.kind]


_KINDS: Final[dict[str, tuple[Callable[..., Any], dict[str, Any]]]] = {
    "switch": (OutputDevice, {}),
    "dimmer": (PWMLED, {}),
    # At rest until it is first moved, so that nothing jerks when the robot starts.
    "servo": (AngularServo, {"initial_angle": None}),
}

_DOES: Final = {
    "switch": "Switch it on or off.",
    "dimmer": "Set how bright or strong it is, in percent.",
    "servo": "Turn it to an angle in degrees; 0 is the middle.",
}
