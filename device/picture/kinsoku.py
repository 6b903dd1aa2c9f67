"""PURE. Japanese and English in lines: what may not begin a line, what may not end one, and what stays together.

The rules are those of JIS X 4051 in the simple form that subtitles use: what must not stand alone is carried over to
the next line (oidashi), nothing hangs and nothing is squeezed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

NOT_FIRST: Final = frozenset(
    "」』）】〉》〕］｝〙〗｠»”’)]}"
    "、。，．・：；！？‼⁇⁈⁉,.:;!?"
    "ーぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ"
    "々〻ゝゞヽヾ゛゜‐–〜゠…‥％%‰℃°′″￠"
)
"""What may not begin a line: closing brackets, marks that end something, small kana, repetition marks, units."""

NOT_LAST: Final = frozenset("「『（【〈《〔［｛〘〖｟«“‘([{￥¥＄$￡£＃#№")
"""What may not end a line: opening brackets, and what stands before a number."""

INSEPARABLE: Final = frozenset("…‥―—〳〵")
"""What may not be parted from itself."""

Measure = Callable[[str], float]
"""Returns how wide a text is."""


def lines(text: str, width: float, measure: Measure) -> list[str]:
    """Return `text` in lines that `measure` finds no wider than `width`.

    A word or a run of marks that alone is wider is parted wherever it must be.
    """
    found: list[str] = []
    line = ""
    for piece in _pieces(" ".join(text.split())):
        if line and measure((line + piece).rstrip()) > width:
            found.append(line.rstrip())
            line = ""
        *whole, line = _parted(line + piece, width, measure)
        found += whole
    return [*found, line.rstrip()] if line.strip() else found


def may_break(before: str, after: str) -> bool:
    """Tell whether a line may end with the character `before` when the next one begins with `after`."""
    if after in NOT_FIRST or before in NOT_LAST or after == " " or (before == after and before in INSEPARABLE):
        return False
    return before == " " or _wide(before) or _wide(after)


def _pieces(text: str) -> Iterator[str]:
    start = 0
    for index in range(1, len(text)):
        if may_break(text[index - 1], text[index]) and not (text[index - 1] == " " and _clings(text, index)):
            yield text[start:index]
            start = index
    if text:
        yield text[start:]


def _clings(text: str, index: int) -> bool:
    """Tell whether what stands before the space before `index` may not end a line, since the space vanishes there."""
    return index >= 2 and text[index - 2] in NOT_LAST


def _parted(piece: str, width: float, measure: Measure) -> list[str]:
    parts = [""]
    if measure(piece.rstrip()) <= width:
        return [piece]
    for letter in piece:
        if parts[-1] and measure(parts[-1] + letter) > width:
            parts.append("")
        parts[-1] += letter
    return parts


def _wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"
