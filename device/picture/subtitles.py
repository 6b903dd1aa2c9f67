"""PURE. Which words stand in the picture now: those that are heard, a page of lines at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from device.messages.reports import Speaker
from device.realtime.captions import Captioned, spoken_length

LINGER: Final = 2.0
"""Seconds for which words stay after their sound."""
SHORTEST: Final = 2.5
"""Seconds for which a visitor's words are shown at least; they come when their sound is over."""
READING: Final = 15.0
"""Latin letters that are read in a second; a Japanese character counts as two (`spoken_length`)."""
MOST: Final = 8
"""Captions that are kept; older ones are over."""

Break = Callable[[str], list[str]]
"""Parts a text into lines."""


@dataclass(frozen=True, slots=True)
class Subtitle:
    """Lines of one speaker."""

    speaker: Speaker
    lines: tuple[str, ...]


@dataclass(slots=True)
class _Kept:
    caption: Captioned
    came: float
    lines: list[str]


class Subtitles:
    """The captions of one conversation; `rows` lines are shown at a time, broken by `break_`."""

    def __init__(self, break_: Break, rows: int) -> None:
        self._break, self._rows = break_, rows
        self._kept: dict[str, _Kept] = {}

    def take(self, caption: Captioned, now: float) -> None:
        """Take a caption; it replaces the one with the same id, and an empty one withdraws it."""
        before = self._kept.pop(caption.id, None)
        if caption.text.strip():
            came = now if before is None else before.came
            self._kept[caption.id] = _Kept(caption, came, self._break(caption.text))
        for old in list(self._kept)[:-MOST]:
            del self._kept[old]

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()

    def at(self, now: float) -> Subtitle | None:
        """Return what to show at monotonic time `now`, None for nothing."""
        heard = [kept for kept in self._kept.values() if kept.caption.start <= now < _over(kept)]
        if not heard:
            return None
        latest = max(heard, key=lambda kept: kept.caption.start)
        first = self._page(latest, now) * self._rows
        return Subtitle(latest.caption.speaker, tuple(latest.lines[first : first + self._rows]))

    def _page(self, kept: _Kept, now: float) -> int:
        caption = kept.caption
        begun, length = caption.start, caption.end - caption.start
        if caption.speaker is Speaker.USER:
            begun, length = kept.came, _reading(kept)
        share = min(1.0, (now - begun) / length) if length > 0 else 1.0
        reached = share * sum(map(spoken_length, kept.lines))
        for number, line in enumerate(kept.lines):
            reached -= spoken_length(line)
            if reached < 0:
                return number // self._rows
        return (len(kept.lines) - 1) // self._rows


def _reading(kept: _Kept) -> float:
    return max(SHORTEST, spoken_length(kept.caption.text) / READING)


def _over(kept: _Kept) -> float:
    if kept.caption.speaker is Speaker.USER:
        return kept.came + _reading(kept) + LINGER
    return kept.caption.end + LINGER if kept.caption.final else float("inf")
