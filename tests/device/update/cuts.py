"""What is cut by a power cut in the tests: each works on one folder, and loads little."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from device.update import guard
from device.update.guard import Places, Trial

TRIAL = Trial("a1", "0.2.0", "updates/0.2.0", "versions/0.1.0")
MOST = 24


def board(root: Path, trial: Trial | None = TRIAL) -> Places:
    """Return a board on which one version runs and another is staged."""
    places = places_of(root)
    for folder in (TRIAL.back, TRIAL.to):
        program = places.home / folder / guard.PROGRAM
        program.parent.mkdir(parents=True)
        program.touch(0o755)
    guard.point(places.current, TRIAL.back)
    if trial is not None:
        guard.write(places.staged, trial)
    return places


def places_of(root: Path) -> Places:
    return Places(root / "home", root / "healthy")


def begin(root: str) -> None:
    """The start that begins a trial."""
    guard.start(places_of(Path(root)))


def end(root: str) -> None:
    """The look that ends one, well or not."""
    guard.look(places_of(Path(root)), 300.0, 300.0)


def boards(folder: Path, *, started: bool, well: bool = False) -> list[Path]:
    """Return as many boards as there may be steps."""
    roots = [folder / str(number) for number in range(MOST)]
    for root in roots:
        places = board(root)
        if started:
            guard.start(places)
        if well:
            places.healthy.write_text(TRIAL.id)
    return roots


def cut(roots: list[Path], what: str, module: str = __name__) -> list[Path]:
    """Have `what` die on each folder, one step later each; return those on which it died."""
    words = [sys.executable, "-m", "tests.device.update.dying", module, what, *map(str, roots)]
    steps = int(subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout)
    return roots[:steps]
