"""What the units forbid of memory, and what the program needs: tried with the kernel's own switch for the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.systemd.test_units import service

FORBIDDEN = """
import asyncio, ctypes, sys
PR_SET_MDWE, REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None).prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0):
    sys.exit(77)
from device.rtc.rehearsal import rehearse
asyncio.run(rehearse())
"""
"""What comes before every call, in a process that may make no memory both writable and executable."""

NO_SUCH_SWITCH = 77


def test_executable_memory_is_forbidden_as_soon_as_calls_can_do_without() -> None:
    done = subprocess.run([sys.executable, "-c", FORBIDDEN], check=False, capture_output=True, text=True, timeout=60)
    if done.returncode == NO_SUCH_SWITCH:
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3)")
    forbids = service("kaiwa-device.service").get("MemoryDenyWriteExecute", "no") == "yes"
    assert forbids == (done.returncode == 0), done.stderr[-300:]
