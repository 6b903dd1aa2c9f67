"""PURE. The captions of one conversation: merged by id, in the order of speech, bounded."""

from __future__ import annotations

from typing import Final

from provisioning.observer.views import CaptionView

MOST_CAPTIONS: Final = 200
"""Captions kept for a page that opens late: about half an hour of talk."""


class CaptionLog:
    """Keeps the newest `most` captions; the same messages in any number of repetitions give the same log."""

    def __init__(self, most: int = MOST_CAPTIONS) -> None:
        self._most = most
        self._by_id: dict[str, CaptionView] = {}

    def merge(self, caption: CaptionView) -> bool:
        """Take one caption; an empty text withdraws it. Return True when the log changed.

        A final caption is not replaced by one that is not final: a message may be delivered twice.
        """
        known = self._by_id.get(caption.id)
        if known == caption or (known is not None and known.final and not caption.final):
            return False
        if not caption.text.strip():
            return self._by_id.pop(caption.id, None) is not None
        self._by_id[caption.id] = caption
        self._forget_the_oldest()
        return caption.id in self._by_id

    def _forget_the_oldest(self) -> None:
        while len(self._by_id) > self._most:
            oldest = min(self._by_id.values(), key=lambda caption: caption.start)
            del self._by_id[oldest.id]

    def __contains__(self, caption_id: str) -> bool:
        return caption_id in self._by_id

    def __len__(self) -> int:
        return len(self._by_id)

    def captions(self) -> list[CaptionView]:
        """Return the captions in the order in which they were spoken."""
        return sorted(self._by_id.values(), key=lambda caption: caption.start)
