"""Feeds systemd's watchdog while the robot lives; when something stands still, systemd ends and starts it again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from device.audio.block import BlockSink
from device.heartbeat import Heartbeat
from device.notify import notify, watchdog_seconds
from device.soundcard.card import OpenCard
from device.voice import VoicePath

_log = logging.getLogger(__name__)


async def supervise(voice: VoicePath, card: OpenCard) -> None:
    """Feed the watchdog, if there is one, as often as it asks for; never returns while there is."""
    seconds, heartbeat = watchdog_seconds(), Heartbeat()
    while seconds is not None:
        check(heartbeat, progress(voice, card), time.monotonic())
        await asyncio.sleep(seconds)


def lacking(voice: VoicePath, card: OpenCard, online: Callable[[], bool]) -> Callable[[], list[str]]:
    """Return what tells, whenever it is asked, what a visitor would miss now: what stands still, or the cloud."""
    heartbeat = Heartbeat()

    def asked() -> list[str]:
        return [*heartbeat.stalled(progress(voice, card), time.monotonic()), *([] if online() else ["online"])]

    return asked


def check(heartbeat: Heartbeat, counts: dict[str, float | None], now: float) -> bool:
    """Feed the watchdog unless something stands still; return whether it was fed."""
    stalled = heartbeat.stalled(counts, now)
    if stalled:
        _log.error("nothing is %s any more; the watchdog is not fed", " or ".join(stalled))
        notify(f"STATUS=nothing is {' or '.join(stalled)} any more")
    else:
        notify("WATCHDOG=1")
    return not stalled


def progress(voice: VoicePath, card: OpenCard) -> dict[str, float | None]:
    """Return what must grow; None for a call or a broadcast that there is not."""
    counters = card.counters()
    return {
        "captured": voice.counters()["blocks"],
        "played": counters["spoken"] + counters.get("reopening_attempts", 0.0),  # without a card, the search for one
        "sent": _packets(voice.uplink),
        "broadcast": _packets(voice.programme),
    }


def _packets(sink: BlockSink | None) -> float | None:
    return None if sink is None else sink.counters().get("packets")
