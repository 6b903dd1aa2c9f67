"""`make test-board`: build the board, then try it in a network namespace of its own, and write docs/board.md."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import fields
from typing import Final

from tests.board.image import ROOT, ImageError, built

SCENARIOS: Final = (
    "first_boot",
    "conversation",
    "sound_card",
    "process",
    "clock",
    "disk",
    "network",
    "update",
    "power",
    "read_only",
)
"""In the order of a robot's life; what is hardest on the disk comes last, and then what changes it for good."""

UPDATING: Final = ("update", "read_only")
"""Those that need newer versions."""


def main() -> int:
    """Build, then run the scenarios; further arguments are pytest's."""
    words = sys.argv[1:]
    try:
        image = built(with_newer=not words or any(scenario in " ".join(words) for scenario in UPDATING))
    except ImageError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    chosen = {f"KAIWA_BOARD_{field.name.upper()}": getattr(image, field.name) for field in fields(image)}
    if not words:
        chosen["KAIWA_BOARD_WHOLE"] = image.disk
    files = [f"tests/board/test_{scenario}.py" for scenario in SCENARIOS]
    tests = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *files, *words]
    alone = ["unshare", "--net", "--", *tests]
    return subprocess.run(
        alone, check=False, cwd=ROOT, env=os.environ | {k: str(v) for k, v in chosen.items()}
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
