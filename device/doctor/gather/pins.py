"""Looks at the pins by taking them, the way the robot does."""

from __future__ import annotations

import getpass
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from device.doctor.checks.pins import Chip, PinFacts, switches_i2s_on
from device.errors import PanelError
from device.panel.board import Panel
from device.panel.gestures import Gesture
from device.panel.settings import PanelSettings
from device.tools.outputs import Outputs
from device.tools.settings import OutputSettings

_MODEL: Final = "proc/device-tree/model"
_CHIPS: Final = ("dev/gpiochip0", "dev/gpiochip4")
FAULT_LIGHT: Final = "run/kaiwa-device-fault"
"""There while the fault light is shown (systemd/kaiwa-device-fault.service)."""
_BOOT: Final = ("boot/firmware/config.txt", "boot/config.txt")


async def gather(settings: PanelSettings, root: Path = Path("/"), outputs: Sequence[OutputSettings] = ()) -> PinFacts:
    """Return what is to be seen of the pins; `root` is where /dev, /proc and /boot are looked for."""
    stood_in, pressed, error = False, False, ""
    try:
        async with Panel(settings, _ignore) as panel, Outputs(outputs, panel.pins):
            stood_in, pressed = panel.stood_in, panel.pressed
    except PanelError as trouble:
        error = str(trouble)
    return PinFacts(
        model=_text(root / _MODEL).strip("\0"),
        chips=tuple(_chip(root / chip) for chip in _CHIPS if (root / chip).exists()),
        user=user(),
        used={**settings.pins, **{output.name: output.pin for output in outputs}},
        i2s=any(switches_i2s_on(_text(root / path)) for path in _BOOT),
        stood_in=stood_in,
        error=error,
        pressed=pressed,
        showing=(root / FAULT_LIGHT).is_dir(),
    )


def user() -> str:
    """Return the name of the user that runs this program; its number where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _ignore(_gesture: Gesture, _at: float) -> None:
    pass


def _chip(path: Path) -> Chip:
    return Chip(str(path), os.access(path, os.R_OK | os.W_OK))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
