"""PURE. A scenario: what the stand-in understands, what it says and calls for it, and what goes wrong on which day."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from device.errors import SettingsError
from provisioning.local.realtime.faults import Faults
from provisioning.local.realtime.lined_yaml import line_of, read_yaml

_MARKS: Final = str.maketrans("", "", ".,!?'\"。、！？「」")

Text = Annotated[str, Meta(min_length=1, max_length=2000)]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of everything in a scenario; an unknown key is an error."""


class Phrase(_Part, frozen=True):
    """One thing that may be said."""

    written: Text
    """As it stands in captions."""
    read: str = ""
    """How it sounds: words of the English dictionary, or kana; `written` itself when empty."""

    @property
    def sound(self) -> str:
        """What is pronounced."""
        return self.read or self.written


class Call(_Part, frozen=True):
    """A call of a tool."""

    tool: Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]{1,64}$")]
    arguments: dict[str, Any] = {}


class Turn(_Part, frozen=True):
    """What is done for some phrases."""

    heard: Text | Annotated[list[Text | Phrase], Meta(min_length=1)]
    """The phrases: one, or several that mean the same."""
    say: str = ""
    """The answer; with `call`, what is said before it."""
    call: Call | Annotated[list[Call], Meta(min_length=1)] | None = None
    """What is called for it, where the session has such tools."""
    then: str = ""
    """What is said of the outcome; `{result}` in it is the result in words. Failures are told as they are."""
    wait: Annotated[float, Meta(ge=0, le=60)] = 0.0
    """Seconds that it thinks longer than usual."""
    faults: Faults | None = None
    """What goes wrong from this turn until the next one is understood."""

    @property
    def phrases(self) -> list[Phrase]:
        """All of them."""
        heard = [self.heard] if isinstance(self.heard, str) else self.heard
        return [Phrase(written=phrase) if isinstance(phrase, str) else phrase for phrase in heard]

    @property
    def calls(self) -> list[Call]:
        """All of them."""
        return self.call if isinstance(self.call, list) else [] if self.call is None else [self.call]


class Spell(_Part, frozen=True):
    """What goes wrong for some sessions of a day."""

    sessions: Annotated[int, Meta(ge=1)] | Annotated[str, Meta(pattern=r"^[1-9]\d*-[1-9]\d*$")]
    """One number, or the first and the last, as in `3-5`; the first session that is asked for is 1."""
    faults: Faults

    def covers(self, session: int) -> bool:
        """Tell whether it is about this session."""
        first, _, last = str(self.sessions).partition("-")
        return int(first) <= session <= int(last or first)


class Scenario(_Part, frozen=True):
    """The whole file."""

    name: Text
    language: Literal["en", "ja"] = "en"
    """Of the phrases: how they are pronounced."""
    greeting: str = ""
    """Said when the client asks for a greeting; the built-in one when empty."""
    goodbye: str = ""
    otherwise: Annotated[list[Text], Meta(min_length=1)] | None = None
    """Said in turn to what is not understood."""
    turns: Annotated[list[Turn], Meta(max_length=100)] = []
    day: list[Spell] = []
    """What goes wrong, by the number of the session; in a later entry what is said last counts."""

    @property
    def phrases(self) -> list[Phrase]:
        """Everything that is understood."""
        return [phrase for turn in self.turns for phrase in turn.phrases]

    def turn(self, heard: str) -> Turn | None:
        """Return the turn that `heard` is a phrase of, or None."""
        wanted = plain(heard)
        return next((turn for turn in self.turns for known in turn.phrases if wanted in _forms(known)), None)

    def faults(self, session: int) -> Faults:
        """Return what goes wrong in the session of this number."""
        return next((spell.faults for spell in reversed(self.day) if spell.covers(session)), Faults())


def _forms(phrase: Phrase) -> set[str]:
    return {plain(phrase.written), plain(phrase.sound)}


def plain(text: str) -> str:
    """Return `text` without what is not heard of it: marks, capitals, spaces at its ends."""
    return re.sub(r"\s+", " ", text.translate(_MARKS)).strip().lower()


def read_scenario(text: str, path: str) -> Scenario:
    """Return the scenario in a YAML text; `path` is for messages only.

    Raises:
        SettingsError: it is none, two turns have the same phrase, or a turn does nothing; with the line.
    """
    scenario = read_yaml(text, path, Scenario)
    known: dict[str, int] = {}
    for number, turn in enumerate(scenario.turns):
        if not (turn.say or turn.calls):
            raise _wrong(text, path, number, "there is neither something to say nor to call")
        for form in {form for phrase in turn.phrases for form in _forms(phrase)}:
            if known.setdefault(form, number) != number:
                raise _wrong(text, path, number, f"{form!r} is a phrase of another turn, too")
    return scenario


def _wrong(text: str, path: str, turn: int, reason: str) -> SettingsError:
    return SettingsError(path, reason, line=line_of(text, path, ("turns", turn)), key="turns")
