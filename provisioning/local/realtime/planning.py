"""PURE. What the stand-in's next answer is: to a new question, else of outcomes that came, else as the client prompts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from provisioning.local.realtime import replies
from provisioning.local.realtime.calling import Call, Outcome, calls, told


@dataclass(frozen=True, slots=True)
class Plan:
    """One answer: what is said, and what is called after it."""

    words: str
    calls: Sequence[Call] = ()


class Planner:
    """What has come since the last answer."""

    def __init__(self) -> None:
        self._fresh = False
        self._outcomes: list[Outcome] = []
        self._prompt = ""
        self._answers = 0

    def asked(self) -> None:
        """There is a question that has not been answered yet."""
        self._fresh = True

    def answered(self) -> None:
        """The question needs no answer: the client has told one, or has taken the question back."""
        self._fresh = False

    def outcome(self, outcome: Outcome) -> None:
        """A client told what came of a call."""
        self._outcomes.append(outcome)

    def prompted(self, text: str) -> None:
        """The client said something as the system."""
        self._prompt = text

    def next(self, question: str | None, tools: Collection[str], language: str, now: datetime) -> Plan:
        """Decide on an answer; `question` is the last one, None where there was none yet."""
        fresh, outcomes, prompt = self._fresh, self._outcomes, self._prompt
        self._fresh, self._outcomes, self._prompt = False, [], ""
        if question is not None and fresh:
            wished = calls(question, tools)
            if wished:
                return Plan(" ".join(call.before for call in wished).strip(), wished)
        elif outcomes:
            return Plan(told(outcomes))
        elif prompt:
            return Plan(replies.prompted(prompt))
        return Plan(replies.GREETING if question is None else self._reply(question, language, now))

    def _reply(self, question: str, language: str, now: datetime) -> str:
        self._answers += 1
        return replies.reply(question, language, self._answers - 1, now)
