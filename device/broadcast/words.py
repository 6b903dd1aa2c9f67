"""PURE. The captions of a broadcast that is late on purpose: let out when their sound is, never once it was cut.

A visitor's words come when they were said, so they are let out whole and as late as the sound. The model's words come before
their sound, so they are let out word by word as far as the sound has got outside: what a cut takes away was never told. How
far the sound has got is known from the pace of speech, so the cut may fall a word or so beside the one in the sound.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Final

from device.messages.reports import Speaker
from device.realtime.captions import Captioned, heard_share, spoken_length

LEAD: Final = 1.0
"""Seconds by which a visitor may have begun to speak before the service says so: its detection takes its time."""

SAME: Final = 0.001
"""Seconds by which two moments may differ that are one: what begins where a cut ends is none of it."""


def heard_by(caption: Captioned, moment: float) -> Captioned:
    """Return what of `caption` was heard by `moment`, on the caption's clock."""
    if caption.final or caption.speaker is Speaker.USER or moment >= caption.end:
        return caption
    share = max(0.0, moment - caption.start) / (caption.end - caption.start)
    text = heard_share(caption.text, share * spoken_length(caption.text))
    return replace(caption, text=text, end=max(caption.start, moment))


@dataclass(slots=True)
class _Held:
    """One caption: what came of it and when, and what of it is out."""

    versions: deque[tuple[float, Captioned]] = field(default_factory=deque)
    latest: Captioned | None = None
    """The newest version that has been held long enough."""
    out: Captioned | None = None

    def advance(self, moment: float) -> Captioned | None:
        """Return what is to be let out now that the sound has got to `moment` outside, None for nothing new."""
        while self.versions and self.versions[0][0] <= moment:
            self.latest = self.versions.popleft()[1]
        if self.latest is None:
            return None
        heard = heard_by(self.latest, moment)
        if not self._news(heard):
            return None
        self.out = heard
        return heard

    def _news(self, heard: Captioned) -> bool:
        if self.out is None:
            return bool(heard.text)
        if heard.final or heard.speaker is Speaker.USER:
            return (heard.text, heard.final) != (self.out.text, self.out.final)
        return not self.out.text.startswith(heard.text)  # a new guess at the pace takes no word back

    @property
    def over(self) -> bool:
        """Whether all of it is out."""
        return not self.versions and self.latest is not None and self.latest.final


class HeldCaptions:
    """Holds each version of a caption for `seconds`; times are monotonic, and move by `seconds` on the way out."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._held: dict[str, _Held] = {}
        self._cuts: list[tuple[float, float]] = []

    def put(self, caption: Captioned, now: float) -> None:
        """Take a new caption, or a new version of one; what tells of sound that was cut is forgotten at once."""
        if not self._cut_away(caption):
            self._held.setdefault(caption.id, _Held()).versions.append((now, caption))

    def due(self, now: float) -> list[Captioned]:
        """Return the captions to let out now, on the clock of the delayed sound."""
        found = [held.advance(now - self._seconds) for held in self._held.values()]
        self._held = {name: held for name, held in self._held.items() if not held.over}
        return [self._late(caption) for caption in found if caption is not None]

    def cut(self, now: float) -> list[Captioned]:
        """Forget what tells of sound that is held; return those that are partly out, ended where they are."""
        since = now - self._seconds
        self._cuts.append((since, now))
        gone = {name: held for name, held in self._held.items() if self._cut_away(_newest(held))}
        self._held = {name: held for name, held in self._held.items() if name not in gone}
        shown = [held.out for held in gone.values() if held.out is not None and held.out.text]
        return [self._late(replace(out, end=min(out.end, since), final=True)) for out in shown]

    def _cut_away(self, caption: Captioned) -> bool:
        start = caption.start - (LEAD if caption.speaker is Speaker.USER else 0.0)
        end = caption.end if caption.final else math.inf  # nobody knows yet how long it goes on
        return any(start < until - SAME and end > since + SAME for since, until in self._cuts)

    def _late(self, caption: Captioned) -> Captioned:
        return replace(caption, start=caption.start + self._seconds, end=caption.end + self._seconds)


def _newest(held: _Held) -> Captioned:
    newest = held.versions[-1][1] if held.versions else held.latest
    if newest is None:
        raise AssertionError("a caption is held as soon as there is a version of it")
    return newest
