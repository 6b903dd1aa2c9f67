"""The composition root, where the tests of the whole do not reach."""

from __future__ import annotations

import subprocess
import sys

from device.__main__ import EXIT_FAILED

STUCK = "import threading, device.app; device.app.end_within(0.2); threading.Event().wait()"


def test_a_robot_that_is_stuck_ends_all_the_same_and_says_where() -> None:
    ended = subprocess.run([sys.executable, "-c", STUCK], check=False, capture_output=True, text=True, timeout=30)
    assert ended.returncode == EXIT_FAILED
    assert "threading.py" in ended.stderr
