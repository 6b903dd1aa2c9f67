"""A share of one core for some processes, given by the kernel's CFS bandwidth control (cgroup version 2 or 1)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PERIOD_US: Final = 10_000
"""Microseconds in which the share is given: within half a block of sound, as a slow core works slowly all the time. With
the usual 100 ms, a process would run at full speed and then stand still for four blocks."""

LEAST_US: Final = 1_000
"""The kernel gives no less in a period."""

ROOT: Final = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Quota:
    """A control group that may use some share of one core; processes are put into it by `hold`."""

    folder: Path

    def give(self, share: float) -> None:
        """Let it use `share` of one core from now on, 0 and up."""
        micros = max(LEAST_US, round(share * PERIOD_US))
        if (limit := self.folder / "cpu.max").exists():
            limit.write_text(f"{micros} {PERIOD_US}")
        else:
            (self.folder / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (self.folder / "cpu.cfs_quota_us").write_text(str(micros))

    def hold(self, pid: int) -> None:
        """Let a process, with all of its threads and children to come, use no more than the share."""
        (self.folder / "cgroup.procs").write_text(str(pid))

    @property
    def throttled(self) -> float:
        """Share of the periods in which somebody wanted more than was left."""
        stat = dict(line.split() for line in (self.folder / "cpu.stat").read_text().splitlines())
        return int(stat["nr_throttled"]) / max(1, int(stat["nr_periods"]))


@contextmanager
def quota(share: float) -> Iterator[Quota | None]:
    """Make a group with `share` of one core, 0 and up; yield None where this user may not make one."""
    made = None
    with suppress(OSError):
        made = _made(share)
    try:
        yield made
    finally:
        if made is not None:
            _emptied(made.folder)


def _made(share: float) -> Quota:
    root = ROOT / "cpu" if (ROOT / "cpu").is_dir() else ROOT
    if root is ROOT:
        (ROOT / "cgroup.subtree_control").write_text("+cpu")
    made = Quota(root / f"kaiwa-{os.getpid()}")
    made.folder.mkdir()
    made.give(share)
    return made


def _emptied(folder: Path) -> None:
    for pid in (folder / "cgroup.procs").read_text().split():
        with suppress(OSError):
            (folder.parent / "cgroup.procs").write_text(pid)
    folder.rmdir()
