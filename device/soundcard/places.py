"""Names of sound cards that stay: the numbers of ALSA change with every restart, the USB port does not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SYS: Final = Path("/sys")

_PORT: Final = re.compile(r"/usb\d+/(?:[^/]+/)*?(\d+-\d+(?:\.\d+)*)/\1:[^/]+(?:/|$)")
"""The last port on the way to a card: bus, root port, then the port of every hub (kernel, usb/core/usb.c)."""
_ALSA: Final = re.compile(r"\(hw:(\d+),\d+\)")
"""How PortAudio's ALSA side ends a device's name."""


def places(sys: Path = SYS) -> dict[int, str]:
    """Return `usb:PORT` for the number of every USB sound card there is now; empty where there is no /sys."""
    found = {}
    for card in (sys / "class/sound").glob("card[0-9]*"):
        port = _PORT.search(str((card / "device").resolve()))
        if port:
            found[int(card.name.removeprefix("card"))] = f"usb:{port[1]}"
    return found


def place_of(name: str, where: Mapping[int, str]) -> str:
    """Return the place of a device by the name that PortAudio gives it; empty when it has none."""
    card = _ALSA.search(name)
    return where.get(int(card[1]), "") if card else ""
