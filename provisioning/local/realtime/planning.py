"""PURE. What the stand-in's next answer is: to a new question, else of outcomes that came, else as the client prompts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from provisioning.local.realtime import replies
from provisioning.local.realtime.calling import Outcome
from provisioning.local.realtime.repertoire import Plan, Question, Repertoire


class Planner:
    """What has come since the last answer."""

    def __init__(self, repertoire: Repertoire) -> None:
        self._repertoire = repertoire
        self._fresh = False
        self._outcomes: list[Outcome] = []
        self._prompt = ""
        self._then = ""
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
        plan = self._plan(question, tools, language, now)
        self._fresh, self._outcomes, self._prompt, self._then = False, [], "", plan.then
        return plan

    def _plan(self, heard: str | None, tools: Collection[str], language: str, now: datetime) -> Plan:
        question = None if heard is None else Question(heard, tools, language, self._answers, now)
        if question is not None and self._fresh:
            wish = self._repertoire.wish(question)
            if wish is not None:
                return wish
        elif self._outcomes:
            return Plan(self._repertoire.told(self._outcomes, self._then))
        elif self._prompt:
            return Plan(self._repertoire.prompted(self._prompt))
        if question is None:
            return Plan(self._repertoire.prompted(replies.GREETING))
        self._answers += 1
        return self._repertoire.reply(question)
