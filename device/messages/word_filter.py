"""PURE. Words that the public is not shown: masked in captions, sign for sign, by the robot and once more by the feed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

MASK: Final = "●"


class WordFilter:
    """Masks `words` wherever they stand, whatever their case, width, accents, or style (such as bold letters).

    A word of Latin letters is masked only as a whole word ("ass" stays in "class"); in scripts without spaces any
    occurrence counts. Signs that are not seen (category Cf, such as U+200B) do not hide a word.
    """

    def __init__(self, words: Iterable[str] = ()) -> None:
        folded = (_folded(word.strip())[0] for word in words)
        self._words = sorted({word for word in folded if word}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return `text` with every sign of a hidden word replaced by `MASK`; its length stays the same."""
        folded, origins = _folded(text)
        hidden: set[int] = set()
        for word in self._words:
            at = folded.find(word)
            while at >= 0:
                if _whole(folded, at, at + len(word)):
                    hidden.update(range(origins[at], origins[at + len(word) - 1] + 1))
                at = folded.find(word, at + 1)
        return "".join(MASK if index in hidden else sign for index, sign in enumerate(text)) if hidden else text


def _folded(text: str) -> tuple[str, list[int]]:
    """Return `text` without case, width, marks and unseen signs, and where in `text` each of its signs comes from."""
    signs: list[str] = []
    origins: list[int] = []
    for index, sign in enumerate(text):
        for part in unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", sign).casefold()):
            if unicodedata.category(part) != "Cf" and not _accent(part):
                signs.append(part)
                origins.append(index)
    return "".join(signs), origins


def _accent(sign: str) -> bool:
    return unicodedata.category(sign) == "Mn" and sign not in "\u3099\u309a"  # the marks of が and ぱ make other words


def _whole(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (_joins(before, text[start]) or _joins(text[end - 1], after))


def _joins(left: str, right: str) -> bool:
    """Tell whether two neighbours belong to one word of an alphabet with spaces between words."""
    spaced = all(sign and sign.isalnum() and sign < "\u0530" for sign in (left, right))
    return spaced or right in {"\u3099", "\u309a"}
