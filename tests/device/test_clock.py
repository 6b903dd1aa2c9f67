"""The clock that the cloud sets."""

from __future__ import annotations

import time

import pytest

from device.clock import WallClock


def test_it_is_the_system_s_until_the_cloud_has_spoken() -> None:
    assert WallClock().now() == pytest.approx(time.time(), abs=1)
    assert WallClock().of_monotonic(time.monotonic() - 100) == pytest.approx(time.time() - 100, abs=1)


def test_it_goes_on_from_what_the_cloud_said_whatever_the_system_s_clock_does(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = WallClock()
    clock.correct(1000.0)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert clock.now() == pytest.approx(1000.0, abs=5)
    assert clock.of_monotonic(time.monotonic() - 100) == pytest.approx(900.0, abs=5)
