"""PURE. How Japanese in kana sounds to an American recogniser: mora by mora in the phonemes of its dictionary."""

from __future__ import annotations

from typing import Final

_VOWELS: Final = {"a": "AA", "i": "IY", "u": "UW", "e": "EH", "o": "OW"}

_ROWS: Final = {
    "": "あいうえお",
    "K": "かきくけこ",
    "G": "がぎぐげご",
    "S": "さ すせそ",
    "Z": "ざ ずぜぞ",
    "T": "た  てと",
    "D": "だ  でど",
    "N": "なにぬねの",
    "HH": "はひ へほ",
    "B": "ばびぶべぼ",
    "P": "ぱぴぷぺぽ",
    "M": "まみむめも",
    "Y": "や ゆ よ",
    "R": "らりるれろ",
    "W": "わ   を",
}
"""Consonant -> its morae with a, i, u, e, o; a space where another consonant is spoken."""

_OTHERS: Final = {
    "し": "SH IY",
    "じ": "JH IY",
    "ち": "CH IY",
    "ぢ": "JH IY",
    "つ": "T S UW",
    "づ": "Z UW",
    "ふ": "F UW",
    "ん": "N",
    "っ": "",
    "ー": "",
}

_SMALL: Final = {"ゃ": "AA", "ゅ": "UW", "ょ": "OW"}

_MORAE: Final = _OTHERS | {
    mora: f"{consonant} {vowel}".strip()
    for consonant, morae in _ROWS.items()
    for mora, vowel in zip(morae, _VOWELS.values(), strict=False)
    if mora != " "
}

_KATAKANA: Final = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
"""Each katakana to its hiragana."""


def phonemes(kana: str) -> str:
    """Return the phonemes of a phrase in kana, with a space between them.

    Raises:
        ValueError: a letter that is not kana; the text names it.
    """
    found: list[str] = []
    for letter in kana.translate(_KATAKANA):
        if letter in _SMALL and found:
            found[-1] = _contracted(found[-1], _SMALL[letter])
        elif letter in _MORAE:
            found.append(_MORAE[letter])
        elif not letter.isspace():
            raise ValueError(f"{letter!r} is not kana; say how it is read, with `read`")
    return " ".join(part for part in found if part)


def _contracted(mora: str, vowel: str) -> str:
    """Return what becomes of き before ゃ, or of し."""
    consonant = mora.split(maxsplit=1)[0]
    return f"{consonant} {vowel}" if consonant in {"SH", "JH", "CH"} else f"{consonant} Y {vowel}"
