"""PURE. The texts of a place that are too long for the instructions: how a grant carries them, and how they are looked up.

Search is BM25 over passages, with words for what is written in an alphabet and pairs of characters for Japanese, which
has no spaces: no dictionary is needed on a robot, and no other word of the same text is missed.
"""

from __future__ import annotations

import math
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from device.errors import MalformedMessageError
from device.messages.wire import Message, decode, encode

MOST_PACKED: Final = 20_000
"""Bytes of all texts together as a grant carries them. Sealing, signing and wrapping make 2.4 times as much of them, and
no message may have more than 65,536; prose takes about a third of its own size, so some 60 kB of it fit."""

MOST_BYTES: Final = 200_000
"""Bytes of all texts together, unpacked."""

PASSAGE_LETTERS: Final = 400
"""Paragraphs are put together to passages of about this length, and longer ones cut at the ends of sentences."""

MOST_PASSAGES: Final = 3
"""Passages of one answer; more would be billed for again with every answer that follows."""

_K1: Final = 1.2
_B: Final = 0.75
"""The usual constants of BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009)."""

_TERM: Final = re.compile(r"[^\W\u2e80-\U0003ffff]+|[\u2e80-\U0003ffff]+")
_WIDE: Final = re.compile(r"[\u2e80-\U0003ffff]")
_PARAGRAPH: Final = re.compile(r"\n\s*\n")
_SENTENCE: Final = re.compile(r"(?<=[.!?。!?])\s*|\n")
_MARKS: Final = re.compile(r"[\u3000-\u303f\uff00-\uff0f\uff1a-\uff20]")


class KnownText(Message, frozen=True):
    """One text of a place."""

    title: str
    text: str


def packed(texts: Sequence[KnownText]) -> bytes:
    """Return texts as a grant carries them; nothing for none."""
    return zlib.compress(encode(list(texts)), 9) if texts else b""


def unpacked(data: bytes) -> list[KnownText]:
    """Return the texts that a grant carries.

    Raises:
        MalformedMessageError: they are none, or too long.
    """
    if not data:
        return []
    inflate = zlib.decompressobj()
    try:
        plain = inflate.decompress(data, MOST_BYTES)
    except zlib.error:
        raise MalformedMessageError("the texts of this place are damaged") from None
    if not inflate.eof:
        raise MalformedMessageError(f"the texts of this place have over {MOST_BYTES} bytes, or are cut")
    return decode(plain, list[KnownText], most=MOST_BYTES)


def terms(text: str) -> list[str]:
    """Return what a text is found by: its words in small letters, and pairs of Japanese characters."""
    plain = _MARKS.sub(" ", unicodedata.normalize("NFKC", text).casefold())
    return [term for run in _TERM.findall(plain) for term in _pairs(run)]


def _pairs(run: str) -> Iterator[str]:
    if not _WIDE.match(run) or len(run) == 1:
        yield run
        return
    for at in range(len(run) - 1):
        yield run[at : at + 2]


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a text, small enough to be read out."""

    title: str
    text: str


class Library:
    """Texts that can be searched; making it takes some 10 ms for 60 kB on a board of today."""

    def __init__(self, texts: Sequence[KnownText]) -> None:
        self._passages = [Passage(known.title, part) for known in texts for part in _parts(known.text)]
        self._counts = [Counter(terms(f"{passage.title} {passage.text}")) for passage in self._passages]
        self._lengths = [counts.total() for counts in self._counts]
        self._known = Counter(term for counts in self._counts for term in counts)
        self._mean = max(1, sum(self._lengths)) / max(1, len(self._lengths))

    def search(self, query: str, most: int = MOST_PASSAGES) -> list[Passage]:
        """Return the passages that fit a query best, the best first; none when no word of it is anywhere."""
        wanted = set(terms(query))
        scores = [(self._score(number, wanted), -number) for number in range(len(self._passages))]
        best = sorted((score for score in scores if score[0] > 0), reverse=True)[:most]
        return [self._passages[-number] for _, number in best]

    def _score(self, number: int, wanted: set[str]) -> float:
        counts, length = self._counts[number], self._lengths[number] / self._mean
        return sum(self._weight(term, counts[term], length) for term in wanted if term in counts)

    def _weight(self, term: str, count: int, length: float) -> float:
        known, passages = self._known[term], len(self._passages)
        rarity = math.log(1 + (passages - known + 0.5) / (known + 0.5))
        return rarity * count * (_K1 + 1) / (count + _K1 * (1 - _B + _B * length))


def _parts(text: str) -> Iterator[str]:
    """Yield the passages of a text, in order."""
    whole = ""
    for piece in _pieces(text):
        if whole and len(whole) + len(piece) > PASSAGE_LETTERS:
            yield whole
            whole = ""
        whole = f"{whole}\n{piece}" if whole else piece
    if whole:
        yield whole


def _pieces(text: str) -> Iterator[str]:
    """Yield its paragraphs, and the sentences of those that are too long."""
    for paragraph in _PARAGRAPH.split(text):
        for piece in [paragraph] if len(paragraph) <= PASSAGE_LETTERS else _SENTENCE.split(paragraph):
            for at in range(0, len(piece.strip()), PASSAGE_LETTERS):
                yield piece.strip()[at : at + PASSAGE_LETTERS]
