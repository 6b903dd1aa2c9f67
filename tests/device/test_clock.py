"""The clock that the cloud sets."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from device.clock import WallClock, ntp_synchronized


def test_it_is_the_system_s_until_the_cloud_has_spoken() -> None:
    assert WallClock().now() == pytest.approx(time.time(), abs=1)
    assert WallClock().of_monotonic(time.monotonic() - 100) == pytest.approx(time.time() - 100, abs=1)


def test_it_goes_on_from_what_the_cloud_said_whatever_the_system_s_clock_does(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = WallClock()
    clock.correct(1000.0)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert clock.now() == pytest.approx(1000.0, abs=5)
    assert clock.of_monotonic(time.monotonic() - 100) == pytest.approx(900.0, abs=5)


def test_ntp_leaves_a_mark(tmp_path: Path) -> None:
    assert ntp_synchronized(tmp_path) is None
    (tmp_path / "run/systemd/timesync").mkdir(parents=True)
    assert ntp_synchronized(tmp_path) is False
    (tmp_path / "run/systemd/timesync/synchronized").touch()
    assert ntp_synchronized(tmp_path) is True
