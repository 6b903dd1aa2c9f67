"""PURE. The texts of a place: which of them stand in the instructions, and which are looked up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from device.messages.knowledge import MOST_BYTES, MOST_PACKED, KnownText, packed
from provisioning.profiles.persona import Persona
from provisioning.profiles.tokens import estimated
from provisioning.spending.prices import INSTRUCTION_TOKENS

TITLE: Final = re.compile(r"[^\s/\\\x00-\x1f][^/\\\x00-\x1f]{0,59}")
"""The title of a text, which is the name of its file."""

MOST_TEXTS: Final = 50


class KnowledgeError(ValueError):
    """Texts that no session can hold; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where each text goes."""

    written: tuple[KnownText, ...] = ()
    """Into the instructions."""
    searched: tuple[KnownText, ...] = ()
    """Where the model looks things up."""

    @property
    def packed(self) -> bytes:
        """The texts that are searched, as a grant carries them."""
        return packed(self.searched)


def plan(texts: Mapping[str, str], budget: int) -> Plan:
    """Put texts into the instructions, the shortest first, while they fit into a budget of tokens; the others not."""
    known = [KnownText(title=title, text=text) for title, text in texts.items()]
    written, left = list[KnownText](), budget
    for text in sorted(known, key=lambda text: (weight(text), text.title)):
        if weight(text) <= left:
            written.append(text)
            left -= weight(text)
    by_title = {text.title for text in written}
    ordered = sorted(known, key=lambda text: text.title)
    return Plan(
        tuple(text for text in ordered if text.title in by_title),
        tuple(text for text in ordered if text.title not in by_title),
    )


def weight(text: KnownText) -> int:
    """Return about how many tokens a text takes in the instructions, with its heading."""
    return estimated(text.text) + estimated(text.title) + 4


def check(texts: Mapping[str, str]) -> None:
    """Check titles and lengths.

    Raises:
        KnowledgeError: a text cannot be used, or all together are more than a grant carries.
    """
    for title, text in texts.items():
        if not TITLE.fullmatch(title):
            raise KnowledgeError(f"{title!r} is no title for a text; take the name of a file, of 60 characters at most")
        if not text.strip() or "\0" in text:
            raise KnowledgeError(f"{title}: there is no text in it")
    if len(texts) > MOST_TEXTS:
        raise KnowledgeError(f"{len(texts)} texts, over {MOST_TEXTS}; put some together")


def check_searched(found: Plan) -> None:
    """Check that a grant can carry what is looked up.

    Raises:
        KnowledgeError: it cannot.
    """
    size = len(found.packed)
    plain = sum(len(text.text.encode()) for text in found.searched)
    if size > MOST_PACKED or plain > MOST_BYTES * 0.9:
        raise KnowledgeError(
            f"the texts that are looked up have {plain:,} bytes, {size:,} when packed; a grant carries {MOST_PACKED:,}: "
            "shorten them, or give each group of robots those of its own place"
        )


_WORDS: Final = {
    "en": ("Words and names that come up here:", "What you know about this place", "More is written down in:"),
    "ja": ("ここでよく出る言葉や名前:", "この場所について知っていること", "ほかに書いてあるもの:"),
}

_NEVER: Final = {"en": "Never say these words:", "ja": "次の言葉は決して口にしないこと:"}

_HOW: Final = {
    "en": "Use the tool look_up before you say that you do not know something about this place.",
    "ja": "この場所のことで知らないことがあれば、わからないと言う前に、ツール look_up で調べること。",
}


def instructions(persona: Persona, found: Plan, *, searchable: bool) -> str:
    """Return all that the model is told: the profile's own instructions, words to know and not to say, and what it knows.

    `searchable` is whether its robot has the tool for what is looked up.
    """
    words, knows, more = _WORDS.get(persona.language, _WORDS["en"])
    parts = [persona.instructions]
    if persona.words:
        parts.append(f"{words} {', '.join(persona.words)}")
    if persona.hidden_words:
        parts.append(f"{_NEVER.get(persona.language, _NEVER['en'])} {', '.join(persona.hidden_words)}")
    if found.written:
        parts.append("\n\n".join([f"# {knows}", *(f"## {text.title}\n{text.text.strip()}" for text in found.written)]))
    if found.searched and searchable:
        titles = ", ".join(text.title for text in found.searched)
        parts.append(f"{more} {titles}\n{_HOW.get(persona.language, _HOW['en'])}")
    return "\n\n".join(part for part in parts if part)


def check_length(persona: Persona, found: Plan) -> int:
    """Return about how many tokens all instructions have.

    Raises:
        KnowledgeError: more than every reservation reckons with (`INSTRUCTION_TOKENS`).
    """
    tokens = estimated(instructions(persona, found, searchable=True))
    if tokens > INSTRUCTION_TOKENS:
        raise KnowledgeError(
            f"instructions and texts have about {tokens:,} tokens, over the {INSTRUCTION_TOKENS:,} that are billed for with "
            "every answer: shorten the instructions, or lower knowledge_tokens"
        )
    return tokens
