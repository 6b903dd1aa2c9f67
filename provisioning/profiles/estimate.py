"""PURE. What conversations with a profile will cost, before anybody has one: an estimate, with what it reckons with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from provisioning.profiles.persona import Persona
from provisioning.spending.prices import (
    ASSISTANT_TOKENS_PER_SECOND,
    TEXT_TOKENS_PER_SECOND,
    USER_TOKENS_PER_SECOND,
    Tariff,
)

VISITOR_SECONDS: Final = 4.0
ROBOT_SECONDS: Final = 7.0
PAUSE_SECONDS: Final = 2.0
"""One turn as it is reckoned with: a question, its answer, and silence, which is not billed."""

TURN_SECONDS: Final = VISITOR_SECONDS + ROBOT_SECONDS + PAUSE_SECONDS

TOOL_TOKENS: Final = 1000
"""What the declarations of a robot's tools take in every answer; those of the built-in ones have about so many."""

TURNS_PER_TASK: Final = 4
"""In a Live session: with so many turns something is done or looked up."""

TASK_TOKENS: Final = 200

USUAL_MINUTES: Final = 3.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """Amounts in micros."""

    minutes: float
    """How long the conversation is."""
    conversation: int
    per_minute: int
    longest: int
    """One that goes on until its longest time is over, both talking in turns all the while."""
    put_aside: int
    """The most that a session may cost, which is put aside for it."""


def estimate(
    persona: Persona,
    tokens: int,
    tariff: Tariff,
    longest_seconds: float,
    minutes: float = USUAL_MINUTES,
    grace_seconds: float = 0.0,
) -> Estimate:
    """Return what a conversation of so many minutes costs, with `tokens` of instructions.

    `grace_seconds` is how long after its longest time the cloud may take to end it, for which money is put aside, too.
    """
    whole = costs(persona, tokens, tariff, minutes * 60)
    return Estimate(
        minutes=minutes,
        conversation=whole,
        per_minute=round(whole / minutes),
        longest=costs(persona, tokens, tariff, longest_seconds),
        put_aside=tariff.bound(longest_seconds + grace_seconds),
    )


def costs(persona: Persona, tokens: int, tariff: Tariff, seconds: float) -> int:
    """Return the micros of a conversation of so many seconds, in turns of `TURN_SECONDS`."""
    turns = max(1, round(seconds / TURN_SECONDS))
    used = live_usage(tokens, turns, seconds) if persona.opening == "live" else usage(persona, tokens, turns)
    said = tariff.cost(used) or 0
    return said + tariff.flat(seconds)


def usage(persona: Persona, tokens: int, turns: int) -> dict[str, int]:
    """Return what the service would report for a conversation of so many turns.

    All that was said before is billed again with each answer, cached where the same words came before it the last time:
    so when the history is cut, what is left of it is not.
    """
    talk = _Talk(tokens + (TOOL_TOKENS if persona.tools else 0), persona.history_tokens, persona.history_kept)
    total = Counter[str]()
    for _ in range(turns):
        total.update(talk.answer())
    return dict(total)


def live_usage(tokens: int, turns: int, seconds: float) -> dict[str, int]:
    """Return what would be reported for a Live session: its time, and tokens of the model behind.

    Every `TURNS_PER_TASK` turns that one is given a task; it is told instructions, tools and all that was said, nothing of
    which is cached, and gives two answers of `TASK_TOKENS`: one that calls a tool, and one that tells of it.
    """
    tasks = turns // TURNS_PER_TASK
    words = round(seconds * TEXT_TOKENS_PER_SECOND / 2)
    return {
        "responses": 2 * tasks,
        "input_text_tokens": 2 * tasks * (tokens + TOOL_TOKENS + words),
        "output_text_tokens": 2 * tasks * TASK_TOKENS,
        "live_seconds": round(seconds),
    }


class _Talk:
    """A conversation that is reckoned, turn by turn."""

    def __init__(self, instructions: int, limit: int, kept: float) -> None:
        self._instructions, self._limit, self._kept = instructions, limit, kept
        self._audio = self._text = 0
        self._cached_text = self._cached_audio = 0

    def answer(self) -> dict[str, int]:
        """Return the tokens of the next answer."""
        self._audio += round(VISITOR_SECONDS * USER_TOKENS_PER_SECOND)
        self._cut()
        text, audio = self._instructions + self._text, self._audio
        made_audio, made_text = (
            round(ROBOT_SECONDS * rate) for rate in (ASSISTANT_TOKENS_PER_SECOND, TEXT_TOKENS_PER_SECOND)
        )
        used = {
            "responses": 1,
            "input_text_tokens": text,
            "input_audio_tokens": audio,
            "cached_text_tokens": self._cached_text,
            "cached_audio_tokens": self._cached_audio,
            "output_audio_tokens": made_audio,
            "output_text_tokens": made_text,
        }
        self._cached_text, self._cached_audio = text, audio
        self._audio += made_audio
        self._text += made_text
        return used

    def _cut(self) -> None:
        """Forget what is too much, and with it what was cached behind the instructions."""
        history = self._audio + self._text
        if not self._limit or history <= self._limit:
            return
        share = self._limit * self._kept / history
        self._audio, self._text = int(self._audio * share), int(self._text * share)
        self._cached_text, self._cached_audio = min(self._cached_text, self._instructions), 0
