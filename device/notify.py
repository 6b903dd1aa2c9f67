"""Telling systemd that the robot is ready, alive, or stopping (sd_notify(3)); silent where there is no systemd."""

from __future__ import annotations

import os
import socket


def notify(*lines: str) -> bool:
    """Send state lines such as `READY=1` or `WATCHDOG=1`, without waiting; return False when nobody listens or takes them."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.setblocking(False)  # who is slow to read must not stop the voice
        try:
            channel.sendto("\n".join(lines).encode(), address)
        except OSError:
            return False
    return True


def watchdog_seconds() -> float | None:
    """Return how often systemd wants to hear `WATCHDOG=1`, half its limit, or None when it does not ask."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 2e6 if microseconds.isdigit() else None
