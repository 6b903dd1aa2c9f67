"""What a page and its translation have in common whatever the language: headings, code, tables, lists, figures, links."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"(?:^|[ ]+)# .*$", re.MULTILINE)
HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)
ROW = re.compile(r"^\|.*\|$", re.MULTILINE)
ITEM = re.compile(r"^(?:-|\d+\.) ", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
FIGURE = re.compile(r"[A-Z]*\d+(?:\.\d+)*[A-Z]*")
WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBERS = dict(zip([*WORDS, *"二三四五六七八九十"], [*"23456789", "10"] * 2, strict=True))
"""Numbers in words; not one, which English has everywhere and Japanese seldom."""
NUMBER = re.compile(rf"\b(?:{'|'.join(WORDS)})\b|[二三四五六七八九十]", re.IGNORECASE)


class Section(NamedTuple):
    """One heading and what stands below it, without code blocks."""

    level: int
    title: str
    text: str


def sections(page: str) -> list[Section]:
    parts = HEADING.split(FENCE.sub("", page))
    return [
        Section(len(marks), title, text)
        for marks, title, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    ]


def blocks(page: str) -> list[str]:
    """Return the code blocks of a page without their comments, which may be translated."""
    return [COMMENT.sub("", block) for block in FENCE.findall(page)]


def code(text: str) -> set[str]:
    """Return what stands between backquotes: commands, settings, names of files."""
    return {" ".join(span.split()) for span in CODE.findall(text)}


def figures(text: str) -> Counter[str]:
    """Return numbers, also in words, and what contains them, such as `I2S`: not in code, and not where a link leads."""
    plain = LINK.sub("]", CODE.sub("", text))
    return Counter([*FIGURE.findall(plain), *(NUMBERS[word.lower()] for word in NUMBER.findall(plain))])


def links(page: str) -> list[str]:
    return LINK.findall(FENCE.sub("", page))


def anchor(title: str) -> str:
    """Return where GitHub lets a link to a heading lead."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def counterpart(link: str, page: Path) -> str:
    """Return the link that a translation has where the English `page` has this one."""
    target, _, place = link.partition("#")
    english = page.parent / target if target else page
    japanese = english.with_suffix(".ja.md")
    if english.suffix != ".md" or not japanese.exists():
        return link
    there = [anchor(section.title) for section in sections(english.read_text(encoding="utf-8"))]
    titles = [section.title for section in sections(japanese.read_text(encoding="utf-8"))]
    translated = target and str(Path(target).with_suffix(".ja.md"))
    return f"{translated}#{anchor(titles[there.index(place)])}" if place else translated


def differences(english: str, japanese: str) -> list[str]:
    """Return what the translation lacks or has too much, in words; nothing where it is complete."""
    ours, theirs = sections(english), sections(japanese)
    if [section.level for section in ours] != [section.level for section in theirs]:
        return [f"sections: {[title for _, title, _ in ours]} and {[title for _, title, _ in theirs]}"]
    within = (_within(one, other) for one, other in zip(ours, theirs, strict=True))
    return [*chain.from_iterable(within), *_unlike("code blocks", blocks, english, japanese)]


def _within(english: Section, japanese: Section) -> Iterator[str]:
    where, one, other = f"{english.title}: ", "\n".join(english[1:]), "\n".join(japanese[1:])
    yield from _unlike(f"{where}code", code, one, other)
    yield from _unlike(f"{where}number of items", lambda text: len(ITEM.findall(text)), one, other)
    yield from _unlike(f"{where}rows", lambda text: [row.count("|") for row in ROW.findall(text)], one, other)
    for row, translated in zip(ROW.findall(one), ROW.findall(other), strict=False):
        yield from _unlike(f"{where}code in {row}", code, row, translated)
        yield from _lost(f"{where}{row}", row, translated)
    yield from _lost(where, one, other)


def _unlike(what: str, looked_at: Callable[[str], object], english: str, japanese: str) -> Iterator[str]:
    ours, theirs = looked_at(english), looked_at(japanese)
    if isinstance(ours, set) and isinstance(theirs, set):
        ours, theirs = ours - theirs, theirs - ours
    if ours != theirs:
        yield f"{what}: {ours} in English, {theirs} in Japanese"


def _lost(where: str, english: str, japanese: str) -> Iterator[str]:
    """Yield the figures that are lost; a translation may have more of them, such as `1` where English says "one"."""
    if lost := figures(english) - figures(japanese):
        yield f"{where} {sorted(lost.elements())} only in English"
