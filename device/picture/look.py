"""PURE. What the picture shows at one moment: few values with few steps each, so that most frames equal the one before."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

from device.messages.reports import Levels, Speaker
from device.phase import LIVE, Phase
from device.picture.subtitles import Subtitle, Subtitles
from device.realtime.captions import Captioned

MOUTHS: Final = 7
"""Shapes of the mouth, from closed to wide open."""
STEPS: Final = 12
"""Segments of a level meter."""
LETTING_GO: Final = 0.18
"""Seconds in which a meter or the mouth falls to 37 %; up they go at once."""
LOOKING: Final = 0.8
"""Seconds for which the character goes on looking at a visitor who pauses."""
SPEECH_DBFS: Final = -42.0
"""What is louder than this at the microphone, once echo control is through with it, is somebody."""
BLINK: Final = 0.15
"""Seconds that the eyes are closed."""


class Gaze(StrEnum):
    """Where the character looks."""

    AHEAD = "ahead"
    VISITOR = "visitor"
    UP = "up"


class Lids(StrEnum):
    """What the eyes do; `GLAD` are the bows of a smile."""

    OPEN = "open"
    CLOSED = "closed"
    GLAD = "glad"


@dataclass(frozen=True, slots=True)
class Look:
    """One picture; equal looks are equal pictures."""

    phase: Phase = Phase.IDLE
    on_air: bool = False
    muted: bool = False
    mouth: int = 0
    gaze: Gaze = Gaze.AHEAD
    lids: Lids = Lids.OPEN
    user: int = 0
    assistant: int = 0
    subtitle: Subtitle | None = None


class Scene:
    """What goes on, told by whoever knows it; `look` makes a picture of it.

    Args:
        subtitles: the words.
        random: decides when the eyes blink.
    """

    def __init__(self, subtitles: Subtitles, random: Random) -> None:
        self._subtitles, self._random = subtitles, random
        self._phase, self._on_air, self._muted = Phase.IDLE, False, False
        self._speaking = dict.fromkeys(Speaker, 0.0)
        self._looked = self._blink = self._seen = -math.inf

    def stand(self, phase: Phase, *, on_air: bool, muted: bool) -> None:
        """The session machine stands so."""
        self._phase, self._on_air, self._muted = phase, on_air, muted

    def caption(self, caption: Captioned, now: float) -> None:
        """Somebody says something; the words appear when their sound does."""
        self._subtitles.take(caption, now)

    def clear(self) -> None:
        """Another conversation begins: forget the words of the last one."""
        self._subtitles.clear()

    def look(self, levels: Levels, now: float) -> Look:
        """Return the picture at monotonic time `now`, with the levels of both voices in dBFS."""
        kept = math.exp(-(now - self._looked) / LETTING_GO)
        self._looked = now
        for speaker, dbfs in ((Speaker.USER, levels.user), (Speaker.ASSISTANT, levels.assistant)):
            self._speaking[speaker] = max(_loudness(dbfs), self._speaking[speaker] * kept)
        if levels.user > SPEECH_DBFS and not self._muted:
            self._seen = now
        return Look(
            phase=self._phase,
            on_air=self._on_air,
            muted=self._muted,
            mouth=_step(self._speaking[Speaker.ASSISTANT], MOUTHS - 1),
            gaze=self._gaze(now),
            lids=self._lids(now),
            user=_step(self._speaking[Speaker.USER], STEPS),
            assistant=_step(self._speaking[Speaker.ASSISTANT], STEPS),
            subtitle=self._subtitles.at(now),
        )

    def _gaze(self, now: float) -> Gaze:
        if self._phase in LIVE and now - self._seen < LOOKING:
            return Gaze.VISITOR
        return Gaze.UP if self._phase is Phase.THINKING else Gaze.AHEAD

    def _lids(self, now: float) -> Lids:
        if self._phase is Phase.ENDING:
            return Lids.GLAD
        if now >= self._blink + BLINK:
            self._blink = now + self._random.uniform(2.0, 5.5)
        return Lids.CLOSED if now >= self._blink else Lids.OPEN


def _loudness(dbfs: float) -> float:
    """Return how loud `dbfs` is, 0 to 1: speech lies between -50 and -14."""
    return min(1.0, max(0.0, (dbfs + 50) / 36))


def _step(share: float, steps: int) -> int:
    return round(share * steps)
