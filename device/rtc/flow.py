"""PURE. Whether a voice that is pushed goes out, and whether the far end says that it comes in.

A connection can say that it is up, and answer every check of consent, while nobody hears a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SENT_SECONDS: Final = 5.0
"""How long blocks may be pushed and none sent."""

ACKNOWLEDGED_SECONDS: Final = 20.0
"""How long packets may be sent and no report say that more have come: a receiver reports every 7.5 s at the latest (5 s,
times up to 1.5: RFC 3550 §6.2 and §6.3.1), so that two reports may be lost. One that has never reported need not."""


class Flow:
    """Remembers when each count of one `OpusSender` last grew; made anew for each connection that is up."""

    def __init__(self, now: float) -> None:
        self._counts: dict[str, float] = {}
        self._since = dict.fromkeys(("packets", "acknowledged"), now)

    def stopped(self, counters: Mapping[str, float], now: float) -> str | None:
        """Return what has stopped, in words, or None; `counters` are the sender's, `now` is in monotonic seconds.

        Only what something was done for can stop: to be sent it must be pushed, to be acknowledged it must be sent.
        """
        pushed, sent = (counters.get(name, 0.0) != self._counts.get(name) for name in ("pushed", "packets"))
        reported = counters.get("acknowledged", 0.0)
        if sent or not pushed:
            self._since["packets"] = now
        if not sent or not reported or reported != self._counts.get("acknowledged"):
            self._since["acknowledged"] = now
        self._counts = dict(counters)
        if now - self._since["packets"] >= SENT_SECONDS:
            return f"media: nothing was sent for {SENT_SECONDS:g} s"
        if now - self._since["acknowledged"] >= ACKNOWLEDGED_SECONDS:
            return f"media: the far end has told of nothing that it received for {ACKNOWLEDGED_SECONDS:g} s"
        return None
