"""PURE. Letters: which fonts draw which words, how wide they are, and what cannot be drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from PIL import ImageFont

Font = ImageFont.FreeTypeFont
Load = Callable[[int], Font]
"""Returns the font in a size, in pixels."""


@dataclass(frozen=True, slots=True)
class Letters:
    """A bold font for everything; whether it has Japanese is known by whoever found it."""

    load: Load
    japanese: bool

    @classmethod
    def of(cls, load: Load) -> Letters:
        """Return letters of a font, and look whether it can draw Japanese."""
        font = load(24)
        return cls(lru_cache(maxsize=8)(load), japanese=_shape(font, "話") != _shape(font, "\U000f0000"))

    def measure(self, size: int) -> Callable[[str], float]:
        """Return what tells how wide a text is in `size`, in pixels: the sum of its letters, each measured once."""
        width = lru_cache(maxsize=4096)(self.load(size).getlength)
        return lambda text: sum(map(width, text))

    def spoken(self, text: str) -> str:
        """Return `text` as far as it can be drawn: without what this font shows as an empty box."""
        return text if self.japanese else "".join(letter for letter in text if ord(letter) < 0x2100)

    def both(self, words: tuple[str, str], between: str = " ") -> str:
        """Return words in English and, where it can be drawn, in Japanese."""
        return between.join(words) if self.japanese else words[0]


def _shape(font: Font, letter: str) -> bytes:
    return bytes(font.getmask(letter))
