"""What systemd is told."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from device.notify import notify, watchdog_seconds


def test_a_listening_systemd_hears_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        assert notify("READY=1", "STATUS=idle")
        assert systemd.recv(100) == b"READY=1\nSTATUS=idle"


def test_a_systemd_that_does_not_read_or_is_gone_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path)
        assert any(not notify("WATCHDOG=1") for _ in range(10_000)), "more than its queue holds"
        assert systemd.recv(100) == b"WATCHDOG=1"
    assert not notify("WATCHDOG=1")


def test_without_systemd_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify("READY=1")


@pytest.mark.parametrize(("given", "seconds"), [("20000000", 10.0), ("", None), ("x", None)])
def test_the_watchdog_is_fed_at_half_its_limit(
    monkeypatch: pytest.MonkeyPatch, given: str, seconds: float | None
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", given)
    assert watchdog_seconds() == seconds
