"""Feeds systemd's watchdog while the robot lives, and tells the session machine when something in it stands still.

The machine shows and tells the fault, gives back what it can, and has the process started again; should that hang, too,
systemd ends it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from device import phase as p
from device.audio.block import BlockSink
from device.heartbeat import Heartbeat
from device.notify import notify, watchdog_seconds
from device.soundcard.card import OpenCard
from device.voice import VoicePath

_log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 2.0
"""Between two looks, at most."""

PASSING_SECONDS: Final = 6.0
"""What stands still for less may be a busy computer, or a sound card that takes its time; systemd's patience is 20 s."""


def lacking(voice: VoicePath, card: OpenCard, online: Callable[[], bool]) -> Callable[[], list[str]]:
    """Return what tells, whenever it is asked, what a visitor would miss now: what stands still, a sound card, or the cloud."""
    heartbeat = Heartbeat()

    def asked() -> list[str]:
        stalled = heartbeat.stalled(progress(voice, card), time.monotonic())
        away = bool(card.counters().get("card_away"))
        return [*stalled, *(["sound card"] if away else []), *([] if online() else ["online"])]

    return asked


async def supervise(voice: VoicePath, card: OpenCard, post: Callable[[p.Stalled], None]) -> None:
    """Look for ever whether everything goes on, and feed the watchdog, if there is one, as often as it asks for."""
    heartbeat, standstill = Heartbeat(), Standstill()
    while True:
        now = time.monotonic()
        stalled = check(heartbeat, progress(voice, card), now)
        if (text := standstill.told(stalled, now)) is not None:
            post(p.Stalled(text))
        await asyncio.sleep(min(LOOK_SECONDS, watchdog_seconds() or LOOK_SECONDS))


class Standstill:
    """Tells once of something that does not go on by itself again."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._told = False

    def told(self, stalled: Sequence[str], now: float) -> str | None:
        """Return in words what has been stalled for `PASSING_SECONDS` at monotonic `now`, once; else None."""
        if not stalled:
            self._since = None
            return None
        self._since = now if self._since is None else self._since
        if self._told or now - self._since < PASSING_SECONDS:
            return None
        self._told = True
        return still(stalled)


def check(heartbeat: Heartbeat, counts: dict[str, float | None], now: float) -> list[str]:
    """Feed the watchdog unless something stands still; return what does."""
    stalled = heartbeat.stalled(counts, now)
    if stalled:
        _log.error("%s; the watchdog is not fed", still(stalled))
        notify(f"STATUS={still(stalled)}")
    else:
        notify("WATCHDOG=1", "STATUS=everything goes on")
    return stalled


def still(stalled: Sequence[str]) -> str:
    """Return in words what stands still."""
    return f"nothing is {' or '.join(stalled)} any more"


def progress(voice: VoicePath, card: OpenCard) -> dict[str, float | None]:
    """Return what must grow; None for a call or a broadcast that there is not."""
    counters = card.counters()
    return {
        "captured": voice.counters()["blocks"],
        "played": counters["spoken"] + counters.get("reopening_looks", 0.0),  # without a card, the search for one
        "sent": _packets(voice.uplink),
        "broadcast": _packets(voice.programme),
    }


def _packets(sink: BlockSink | None) -> float | None:
    """Return what was sent; None where nothing can be, because the connection is known to be over."""
    counters = {} if sink is None else sink.counters()
    return None if counters.get("over") else counters.get("packets")
