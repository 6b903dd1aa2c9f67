"""What processes cost, as the kernel counts it (proc(5))."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TICK: Final = os.sysconf("SC_CLK_TCK")
PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Cost:
    """What some processes have used so far."""

    cpu: float
    """Seconds of processor time, user and system, children that have ended included."""
    memory: float
    """Megabytes (1e6) that are resident now, pages shared between them counted in each."""


def pids(*words: str) -> list[int]:
    """Return the processes in whose command line all of `words` stand."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if all(word in line for word in words):
            found.append(int(folder.name))
    return found


def cost(processes: list[int]) -> Cost:
    """Return what these processes have used; one that has ended counts nothing."""
    cpu = memory = 0.0
    for pid in processes:
        try:
            fields = _stat(pid)
        except OSError:
            continue
        cpu += sum(map(int, fields[11:15])) / TICK
        memory += int(fields[21]) * PAGE / 1e6
    return Cost(cpu, memory)


def starved(pid: int) -> float:
    """Return the seconds for which a process was ready to go on and had no processor (sched-stats.rst of the kernel)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def started(pid: int) -> float:
    """Return the monotonic second at which a process began, to a hundredth of a second."""
    since_boot = int(_stat(pid)[19]) / TICK
    return since_boot - time.clock_gettime(time.CLOCK_BOOTTIME) + time.monotonic()


def _stat(pid: int) -> list[str]:
    text = Path(f"/proc/{pid}/stat").read_text()
    return text.rpartition(")")[2].split()
