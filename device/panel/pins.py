"""Which pins the panel uses: those of a Raspberry Pi through lgpio, or pins that exist in memory only."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from gpiozero.exc import GPIOZeroError, PinUnknownPi
from gpiozero.pins.mock import MockFactory, MockPWMPin

from device.errors import PanelError

_log = logging.getLogger(__name__)

CHIP: Final = Path("/dev/gpiochip0")
"""The header's GPIO on every Raspberry Pi with a kernel since 6.6.45; older ones of the Pi 5 have gpiochip4."""


class MemoryPin(MockPWMPin):  # type: ignore[misc]  # gpiozero has no types
    """A pin that exists in memory only, and remembers its present state alone.

    gpiozero's own keeps every state that it ever had, for tests: with a light that breathes, some 100 MB a day.
    """

    def _change_state(self, value: float) -> bool:
        changed = bool(super()._change_state(value))
        del self.states[:-1]
        return changed


def open_pins(kind: Literal["auto", "lgpio", "mock"]) -> Any:
    """Return a pin factory of gpiozero; `close()` it after.

    `auto` takes lgpio on a Raspberry Pi, and pins in memory everywhere else.

    Raises:
        PanelError: the pins of this computer cannot be used.
    """
    if kind == "mock" or (kind == "auto" and not CHIP.exists()):
        return MockFactory(pin_class=MemoryPin)
    try:
        with explained("the GPIO pins"):
            return _lgpio_factory()
    except PinUnknownPi as error:
        if kind == "lgpio":
            raise PanelError(f"this computer is no Raspberry Pi: {error}") from None
        _log.info("no Raspberry Pi, so button and lights exist in memory only")
        return MockFactory(pin_class=MemoryPin)


def _lgpio_factory() -> Any:
    # lgpio leaves a named pipe in the folder that is current when it is first imported, and fails where it cannot.
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        from gpiozero.pins.lgpio import LGPIOFactory  # noqa: PLC0415 - only where there are pins, see above
    return LGPIOFactory()


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn what gpiozero and lgpio raise into an error that tells what to do; an unknown board passes through.

    Raises:
        PanelError: `what` could not be used.
    """
    try:
        yield
    except PinUnknownPi:
        raise
    except (GPIOZeroError, OSError, ImportError, *_lgpio_errors()) as error:
        raise PanelError(f"{what} cannot be used: {error}{_advice()}") from error


def _lgpio_errors() -> tuple[type[Exception], ...]:
    """Return what lgpio raises, which has no other base than `Exception`; nothing where it was never imported."""
    lgpio = sys.modules.get("lgpio")
    return () if lgpio is None else (lgpio.error,)


def _advice() -> str:
    if CHIP.exists() and not os.access(CHIP, os.R_OK | os.W_OK):
        return f"; this user may not open {CHIP}: add it to the group gpio"
    return ""
