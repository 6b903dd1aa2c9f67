"""PURE. How many tokens a text has, without the vendor's vocabulary, which would have to be fetched.

An estimate on the high side: beside o200k_base, the vocabulary of the vendor's current models, it was 1.0 to 1.3 times as
much for each page of this project's documents, in English and Japanese, and up to 1.5 times for single lines (2026-11-26).
"""

from __future__ import annotations

import re
from typing import Final

_PIECE: Final = re.compile(
    r"(?P<word>[A-Za-zÀ-ɏ]+)|(?P<number>[0-9]+)|(?P<line>\n+)|(?P<gap>[^\S\n]+)"
    r"|(?P<kana>[\u3040-\u30ff]+)|(?P<other>.)"
)

_LETTERS: Final = 7
"""Of a Latin word, for which there is one token more; with its article and commas, English has about 4 a token."""

_DIGITS: Final = 3

_KANA: Final = 1.3
"""Letters of kana for a token."""


def estimated(text: str) -> int:
    """Return about how many tokens `text` has; rather more than it really has."""
    return sum(_weight(match.lastgroup or "", len(match[0])) for match in _PIECE.finditer(text))


def _weight(kind: str, length: int) -> int:
    match kind:
        case "word":
            return 1 + (length - 1) // _LETTERS
        case "number":
            return -(-length // _DIGITS)
        case "kana":
            return round(length / _KANA + 0.5)
        case "gap":
            return length > 1
        case _:
            return 1
