"""PURE. Captions on the clock of what was played.

The assistant's words arrive faster than their sound. A caption begins when its sound begins, promises an end from
the pace of speech, and is cut, when the sound is cut, to what the speaker has really played of it. The user's words are another
model's guess at a sound that is long over: they keep the times of that sound and are marked approximate.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from device.messages.reports import Speaker

LETTERS_PER_SECOND: Final = 15.0
"""First guess at the pace of speech, about 150 English words a minute; each caption heard to its end mends it."""

WIDE_LETTER: Final = 2.2
"""A Japanese character is spoken for as long as about two Latin letters (7 morae a second)."""

SHORTEST_MEASURE: Final = 1.0
"""Seconds of speech below which its pace says nothing."""


@dataclass(frozen=True, slots=True)
class Captioned:
    """Words to show, replacing those with the same id; times are on the clock that was passed in."""

    id: str
    speaker: Speaker
    text: str
    start: float
    end: float
    final: bool
    approximate: bool = False


def spoken_length(text: str) -> float:
    """Return how long `text` is to speak, in Latin letters."""
    return sum(WIDE_LETTER if unicodedata.east_asian_width(letter) in "WF" else 1.0 for letter in text)


def heard_share(text: str, letters: float) -> str:
    """Return the beginning of `text` that `letters` of speech reach, whole words where there are words."""
    reached = 0.0
    for index, letter in enumerate(text):
        reached += spoken_length(letter)
        if reached > letters:
            return _whole_words(text, index)
    return text


def _whole_words(text: str, index: int) -> str:
    begun = text[:index]
    inside_word = text[index].isalnum() and begun[-1:].isalnum() and text[index].isascii()
    return begun.rpartition(" ")[0].rstrip() if inside_word else begun.rstrip()


def _unnamed(response: str) -> str:
    return f"response:{response}"


@dataclass(slots=True)
class _Line:
    id: str = ""
    text: str = ""
    start: float | None = None
    played: float = 0.0
    """Seconds that the speaker had played when the sound began."""
    shown: bool = False
    closed: bool = False


class AssistantCaptions:
    """The words of each response, by response id; `played` are the seconds of the voice that the speaker has taken."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._pace = LETTERS_PER_SECOND

    def add(self, response: str, item: str, delta: str, now: float) -> list[Captioned]:
        """Take a few more words."""
        line = self._line(response)
        line.id, line.text = line.id or item or _unnamed(response), line.text + delta
        return self._show(line, now)

    def settle(self, response: str, item: str, transcript: str, now: float) -> list[Captioned]:
        """Take all the words: what counts when some were missed."""
        line = self._line(response)
        line.id, line.text = line.id or item or _unnamed(response), transcript or line.text
        return self._show(line, now)

    def begin(self, response: str, now: float, played: float) -> list[Captioned]:
        """The sound of the response begins."""
        line = self._line(response)
        if line.start is None:
            line.start, line.played = now, played
        return self._show(line, now)

    def finish(self, response: str, now: float, played: float) -> list[Captioned]:
        """The sound of the response was played to its end."""
        line = self._line(response)
        heard = played - line.played
        if not line.closed and line.start is not None and heard >= SHORTEST_MEASURE and line.text:
            self._pace = (self._pace + spoken_length(line.text) / heard) / 2
        return self._close(line, now)

    def cut(self, response: str, now: float, played: float) -> list[Captioned]:
        """The sound of the response was cut."""
        line = self._line(response)
        if not line.closed and line.start is not None:
            line.text = heard_share(line.text, (played - line.played) * self._pace)
        return self._close(line, now)

    def cut_all(self, now: float, played: float) -> list[Captioned]:
        """Nothing more will be played."""
        return [caption for response in list(self._lines) for caption in self.cut(response, now, played)]

    def _line(self, response: str) -> _Line:
        return self._lines.setdefault(response, _Line())

    def _show(self, line: _Line, now: float) -> list[Captioned]:
        if line.closed or line.start is None or not line.text:
            return []
        line.shown = True
        end = max(now, line.start + spoken_length(line.text) / self._pace)
        return [Captioned(line.id, Speaker.ASSISTANT, line.text, line.start, end, final=False)]

    def _close(self, line: _Line, now: float) -> list[Captioned]:
        was_closed, line.closed = line.closed, True
        if was_closed or line.start is None or not line.shown:
            return []
        return [Captioned(line.id, Speaker.ASSISTANT, line.text.strip(), line.start, now, final=True)]


@dataclass(slots=True)
class _Guess:
    text: str = ""
    start: float | None = None
    end: float | None = None
    shown: bool = False
    closed: bool = False


class UserCaptions:
    """What the user is believed to have said, by item id."""

    def __init__(self) -> None:
        self._guesses: dict[str, _Guess] = {}

    def begin(self, item: str, now: float) -> None:
        """Somebody began to talk."""
        self._begun(item, now)

    def finish(self, item: str, now: float) -> None:
        """They stopped."""
        self._begun(item, now)
        guess = self._guess(item)
        guess.end = now if guess.end is None else guess.end

    def add(self, item: str, delta: str, now: float) -> list[Captioned]:
        """Take a few more words."""
        self._guess(item).text += delta
        return self._show(item, now, final=False)

    def settle(self, item: str, transcript: str, now: float) -> list[Captioned]:
        """Take all the words."""
        self._guess(item).text = transcript
        return self._show(item, now, final=True)

    def fail(self, item: str, now: float) -> list[Captioned]:
        """No more words will come; those that did stand."""
        return self._show(item, now, final=True)

    def forget(self, item: str) -> None:
        """Show nothing of this item, whatever comes of it."""
        self._guess(item).closed = True

    def fail_all(self, now: float) -> list[Captioned]:
        """No more words will come for anything."""
        return [caption for item in list(self._guesses) for caption in self.fail(item, now)]

    def _guess(self, item: str) -> _Guess:
        return self._guesses.setdefault(item, _Guess())

    def _begun(self, item: str, now: float) -> float:
        guess = self._guess(item)
        guess.start = now if guess.start is None else guess.start
        return guess.start

    def _show(self, item: str, now: float, *, final: bool) -> list[Captioned]:
        guess = self._guess(item)
        text = guess.text.strip()
        worth_showing = bool(text) or (final and guess.shown)
        if guess.closed or not worth_showing:
            return []
        guess.closed, guess.shown = final, True
        start, end = self._begun(item, now), now if guess.end is None else guess.end
        return [Captioned(item, Speaker.USER, text, start, end, final=final, approximate=True)]
