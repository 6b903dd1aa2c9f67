"""docs/board.md: what was done to the virtual board, what a visitor saw and heard of it, and how long it took."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from tests.board.machine import QEMU

PAGE: Final = Path(__file__).parents[2] / "docs" / "board.md"

HEAD: Final = """# The virtual board

`make test-board` builds a Debian with `kaiwa-device` installed from its package, boots it as a machine of its own, with systemd
as its first process, and does to it what is done to a robot in a year. What the visitor sees is read from the lamp's pin by
the kernel of that machine; what the visitor hears is recorded at the other end of its sound card. Cloud and services run
outside of it, at the other end of its network cable. This page is written by the run named below; where there is a dash, nobody
looked, listened, or took the time.

| what was done | what the visitor saw | and heard | then | took |
|---|---|---|---|---|
"""

REAL: Final = """
Times are of the emulated machine's world, beside other work on the same computer. They say that something happens, and
what it waits for; no board was measured.

## What is real, and what is not

| part | there |
|---|---|
| systemd, journald, udev, the units as shipped | real: Debian's, as the machine's first process; every directive is enforced |
| the package | real: `make deb ARGS=device`, installed with dpkg, for x86-64 |
| kernel, `/dev/gpiochip0`, edges and interrupts of its pins | Debian's kernel; the pins are its own gpio-sim, whose levels the tests set and read. No voltage, no bounce |
| sound card, ALSA with the voice HAT's `asound.conf`, PortAudio | real, over the kernel's snd-aloop: what is played is recorded at its other end. No room, no echo, no drift between two crystals |
| network | a cable of software; loss, delay and silence are the kernel's netem |
| updates | real: release, order, package over HTTPS, the units and the guard under systemd. The newer versions are this very package with a higher number, and, in two, one passage broken |
| disk | ext4 on a disk of software. When its power is pulled, what the kernel had not written yet is gone; what the disk had accepted is not, which a bad memory card may also lose |
| the board's name | a module tells what a Raspberry Pi's firmware would tell; nothing else in the machine is one |
| processor | {accelerator}. The process uses three quarters of a core at rest there; so the settings are the voice HAT's but for `[echo] mode = "none"` and `[broadcast] enabled = false` |
| cloud, broker, certificates | real: `kaiwa-cloud serve` with Mosquitto |
| OpenAI Realtime, ImageFlux | the stand-ins of `make demo` |
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One scenario as the page tells it."""

    done: str
    then: str
    seen: str = "-"
    heard: str = "-"
    seconds: float | None = None

    def row(self) -> str:
        """Return its row of the table."""
        took = (
            "-" if self.seconds is None else f"{self.seconds:.0f} s" if self.seconds >= 10 else f"{self.seconds:.1f} s"
        )
        return f"| {self.done} | {self.seen} | {self.heard} | {self.then} | {took} |\n"


def document(
    lines: Sequence[Line], versions: Sequence[str], accelerator: str, boots: Sequence[float], day: datetime
) -> str:
    """Return the page."""
    shown = HEAD + "".join(line.row() for line in lines) + REAL.format(accelerator=_processor(accelerator))
    parts = ", ".join(line.replace(":amd64", "") for line in versions)
    many = (
        f"from power to its first answer {min(boots):.0f} to {max(boots):.0f} s, {len(boots)} starts" if boots else "-"
    )
    return f"{shown}\n{day:%Y-%m-%d}; {emulator()} on {platform.machine()}; {parts}; {many}.\n"


def _processor(accelerator: str) -> str:
    return "emulated in software by QEMU" if accelerator == "tcg" else "the computer's own, lent by KVM"


def emulator() -> str:
    """Return name and version of QEMU."""
    said = subprocess.run([QEMU, "--version"], check=True, capture_output=True, text=True, timeout=20).stdout
    found = re.search(r"version (\d+(?:\.\d+)+)", said)
    return f"QEMU {found[1] if found else '?'}"
