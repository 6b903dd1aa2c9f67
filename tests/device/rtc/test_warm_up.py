from __future__ import annotations

import subprocess
import sys

import pytest
from aiortc import RTCCertificate

from device.errors import MediaError
from device.rtc.peer import SparePeer
from device.rtc.warm_up import warm_up

LOADED = """
import asyncio, sys
from device.rtc.warm_up import warm_up
before = set(sys.modules)
asyncio.run(warm_up())
between = set(sys.modules)
asyncio.run(warm_up())
print(len(between - before) > 0, sorted(set(sys.modules) - between))
"""


def test_what_is_loaded_at_the_first_use_is_loaded_once_it_is_over() -> None:
    told = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert told.stdout == "True []\n"


async def test_another_aiortc_is_noticed_when_the_robot_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(RTCCertificate, "_create_ssl_context")
    with pytest.raises(MediaError, match=r"use aiortc 1\.16"):
        await warm_up()


async def test_a_spare_connection_that_is_not_needed_is_closed() -> None:
    spare = SparePeer()
    await spare.close()
    assert spare.use().connectionState == "closed"
