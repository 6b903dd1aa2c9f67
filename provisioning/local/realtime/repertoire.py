"""PURE. What the stand-in can understand and answer: what is built in, or what a scenario says."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from provisioning.local.realtime import calling, replies
from provisioning.local.realtime.calling import Call, Outcome
from provisioning.local.realtime.scenario import Phrase, Scenario, Turn


@dataclass(frozen=True, slots=True)
class Plan:
    """One answer: what is said, and what is called after it."""

    words: str
    calls: Sequence[Call] = ()
    then: str = ""
    """What is said of the outcome; the outcome itself when empty."""
    wait: float = 0.0
    """Seconds that it thinks longer than usual."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be answered."""

    heard: str
    tools: Collection[str]
    """The names of those that the session has."""
    language: str
    """What the session is spoken in."""
    answers: int
    """How many answers there were before, in this conversation."""
    now: datetime


class Repertoire(Protocol):
    """What phrases there are, and what becomes of each."""

    @property
    def language(self) -> str:
        """Of the phrases."""

    @property
    def phrases(self) -> Sequence[Phrase]:
        """What is understood."""

    def wish(self, question: Question) -> Plan | None:
        """Return what is done for it, if tools are called; None otherwise."""

    def reply(self, question: Question) -> Plan:
        """Return what is said to it."""

    def told(self, outcomes: Sequence[Outcome], then: str) -> str:
        """Return what is said when these outcomes of calls have come."""

    def prompted(self, instructions: str) -> str:
        """Return what is said when the client tells, as the system, what to say."""


class BuiltIn:
    """A dozen English questions, a wish for each tool of a robot, and four answers in Japanese."""

    language: Final = "en"
    phrases: Final = tuple(Phrase(written=phrase) for phrase in replies.PHRASES)

    def wish(self, question: Question) -> Plan | None:
        """Return the calls for phrases joined by "and"."""
        calls = calling.calls(question.heard, question.tools)
        return Plan(" ".join(call.before for call in calls).strip(), calls) if calls else None

    def reply(self, question: Question) -> Plan:
        """Return the answer to a known question, or a hint."""
        return Plan(replies.reply(question.heard, question.language, question.answers, question.now))

    def told(self, outcomes: Sequence[Outcome], then: str) -> str:
        """Return the outcomes in words."""
        del then
        return calling.told(outcomes)

    def prompted(self, instructions: str) -> str:
        """Return a greeting, a goodbye, or the question whether anybody is there."""
        return replies.prompted(instructions)


class Scripted:
    """What a scenario says."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.language, self.phrases = scenario.language, tuple(scenario.phrases)

    def wish(self, question: Question) -> Plan | None:
        """Return the turn's calls, if the session has all those tools."""
        turn = self._scenario.turn(question.heard)
        if turn is None or not turn.calls or not {call.tool for call in turn.calls} <= set(question.tools):
            return None
        return Plan(turn.say, [Call(call.tool, call.arguments) for call in turn.calls], turn.then, turn.wait)

    def reply(self, question: Question) -> Plan:
        """Return what the turn says."""
        turn = self._scenario.turn(question.heard)
        return Plan(self._otherwise(question)) if turn is None else _said(turn, self.language)

    def told(self, outcomes: Sequence[Outcome], then: str) -> str:
        """Return the turn's words about it; a failure is told as it is."""
        words = calling.told(outcomes)
        return then.replace("{result}", words) if then and not any(map(calling.failed, outcomes)) else words

    def prompted(self, instructions: str) -> str:
        """Return the scenario's greeting or goodbye, where it has one."""
        said = replies.prompted(instructions)
        return {replies.GREETING: self._scenario.greeting, calling.GOODBYE: self._scenario.goodbye}.get(said) or said

    def _otherwise(self, question: Question) -> str:
        said = self._scenario.otherwise or [replies.LOST]
        return said[question.answers % len(said)]


_UNABLE: Final = {"en": calling.UNABLE, "ja": "それは、ここではできません。"}


def _said(turn: Turn, language: str) -> Plan:
    words = _UNABLE[language] if turn.calls else turn.say
    return Plan(words or replies.LOST, wait=turn.wait)
