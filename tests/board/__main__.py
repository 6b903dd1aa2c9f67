"""`make test-board`: build the board, then try it in a network namespace of its own, and write docs/board.md."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

from tests.board.image import ROOT, ImageError, built

SCENARIOS: Final = ("first_boot", "conversation", "process", "clock", "disk", "network", "power")
"""In the order of a robot's life; what is hardest on the disk comes last."""


def main() -> int:
    """Build, then run the scenarios; further arguments are pytest's."""
    try:
        image = built()
    except ImageError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    chosen = {"KAIWA_BOARD_BASE": image.base, "KAIWA_BOARD_DISK": image.disk, "KAIWA_BOARD_PACKAGE": image.package}
    if not sys.argv[1:]:
        chosen["KAIWA_BOARD_WHOLE"] = image.disk
    files = [f"tests/board/test_{scenario}.py" for scenario in SCENARIOS]
    tests = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *files, *sys.argv[1:]]
    alone = ["unshare", "--net", "--", *tests]
    return subprocess.run(
        alone, check=False, cwd=ROOT, env=os.environ | {k: str(v) for k, v in chosen.items()}
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
