"""What a test runs on a read-only card is really on one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.read_only import may_unshare, python_in

TRY = """
import pathlib, sys
pathlib.Path(sys.argv[1], "state").write_text("kept")
for place in ("/", "/etc", "/var", sys.argv[2]):
    try:
        pathlib.Path(place, "kaiwa-was-here").write_text("lost")
    except OSError:
        continue
    sys.exit(f"{place} can be written to")
"""


@pytest.mark.skipif(not may_unshare(), reason="only root may have a mount namespace of its own")
def test_nothing_can_be_written_but_the_state(tmp_path: Path) -> None:
    (tmp_path / "board").mkdir()
    python = python_in(tmp_path / "board")
    ran = subprocess.run([python, "-c", TRY, tmp_path / "board", tmp_path], check=False, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert (tmp_path / "board" / "state").read_text() == "kept"
