"""PURE. Captions of a session without turns: words come in pieces with their place on its timeline, and are cut into lines.

A line is over when its speaker is quiet, or at the end of a sentence once it is long.
"""

from __future__ import annotations

from itertools import count
from typing import Final

from device.messages.reports import Speaker
from device.realtime.captions import Captioned

LONG: Final = 120
"""Letters after which the next end of a sentence ends the line, too."""

LONGEST: Final = 400
"""Letters after which any piece ends it."""

_SENTENCE_ENDS: Final = (".", "!", "?", "。", "！", "？")  # noqa: RUF001 - the full-width ones are meant


class Lines:
    """What one speaker says; ids begin with `prefix`, and times are on the clock that is passed in."""

    def __init__(self, prefix: str, speaker: Speaker) -> None:
        self._prefix, self._speaker = prefix, speaker
        self._numbers = count(1)
        self._id = ""
        self._text = ""
        self._start = self._end = 0.0

    def add(self, delta: str, start: float, end: float) -> list[Captioned]:
        """Take a few more words, spoken from `start` to `end`."""
        if not self._text:
            self._id, self._start = f"{self._prefix}:{self._speaker.value}:{next(self._numbers)}", start
            self._end = start
        self._text += delta
        self._end = max(self._end, end)
        over = len(self._text) >= LONGEST or (len(self._text) >= LONG and self._text.rstrip().endswith(_SENTENCE_ENDS))
        return self.close() if over else self._shown(final=False)

    def close(self) -> list[Captioned]:
        """The speaker is quiet, or is cut."""
        shown = self._shown(final=True)
        self._text = ""
        return shown

    def _shown(self, *, final: bool) -> list[Captioned]:
        text = self._text.strip()
        if not text:
            return []
        approximate = self._speaker is Speaker.USER
        return [Captioned(self._id, self._speaker, text, self._start, self._end, final, approximate)]
