"""PURE. What was said in a session, as words: what a call that takes over is told of the calls before it.

The words are those of the captions, the assistant's cut to what was heard. They stay in memory and go nowhere but to the
service that has heard them before.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from typing import Final

from device.messages.reports import Speaker
from device.realtime.captions import Captioned

LETTERS_PER_TOKEN: Final = 3.5
"""Of Latin text; "one token generally corresponds to about 4 characters" (platform.openai.com/tokenizer), and some room."""

ITEM_TOKENS: Final = 6
"""What an item needs besides its words, reckoned generously."""


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """What one of the two said, at once and to its end; `id` is that of its caption."""

    start: float
    id: str
    speaker: Speaker
    text: str

    @property
    def tokens(self) -> int:
        """About how many tokens it has: a Latin letter is part of one, any other character one of its own."""
        latin = sum(letter.isascii() for letter in self.text)
        return ITEM_TOKENS + round(latin / LETTERS_PER_TOKEN) + len(self.text) - latin


class History:
    """The last lines of a session in the order in which they began to be said, as many as have `budget` tokens."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._lines: list[Line] = []
        self._tokens = 0

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is kept, oldest first."""
        return tuple(self._lines)

    def add(self, caption: Captioned) -> None:
        """Take a caption; only one that is final, and has words, counts."""
        if not caption.final or not caption.text.strip():
            return
        line = Line(caption.start, caption.id, caption.speaker, caption.text.strip())
        insort(self._lines, line)
        self._tokens += line.tokens
        while self._tokens > self._budget:
            self._tokens -= self._lines.pop(0).tokens
