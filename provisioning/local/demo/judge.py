"""PURE. Judging a scripted conversation: every link must have carried what it should, found by measure."""

from __future__ import annotations

from dataclasses import dataclass, field

from provisioning.local.demo.evidence import Finding, Piece, Samples, delay_ms, find
from provisioning.local.demo.summary import Summary

AUDIBLE_DBFS = -45.0
"""A voice below this is not heard by an observer."""

BARGE_IN_MS = 1500.0
"""An interruption must have silenced the robot within this; the detector needs a part of it to be sure of speech."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was collected: sounds that are known, and the stream in which they must be."""

    question: Samples
    question_spoken_at: float | None
    """Monotonic second at which its first sample was at the microphone."""
    answer: Samples
    """The part of the robot's answer that was played for certain."""
    pieces: list[Piece]
    recording: Samples
    facts: dict[str, bool] = field(default_factory=dict)
    """Sentences that must be true, and whether they are."""
    interrupted: bool = True
    """Whether the visitor has interrupted the robot."""


def judge(summary: Summary, evidence: Evidence) -> Summary:
    """Return `summary` with what the stream proves, everything that failed named in words, and `ok`."""
    user = find(evidence.question, evidence.recording)
    assistant = find(evidence.answer, evidence.recording)
    _measure(summary, evidence, user, assistant)
    facts = {
        "the visitor's question is in the stream": user.found and user.dbfs > AUDIBLE_DBFS,
        "the robot's answer is in the stream": assistant.found and assistant.dbfs > AUDIBLE_DBFS,
        **evidence.facts,
    }
    if evidence.interrupted:
        facts["the interruption silenced the robot"] = (summary.barge_in_to_silence_ms or 1e9) < BARGE_IN_MS
    summary.failed = [sentence for sentence, true in facts.items() if not true]
    summary.ok = not summary.failed
    return summary


def _measure(summary: Summary, evidence: Evidence, user: Finding, assistant: Finding) -> None:
    summary.hls_user_likeness, summary.hls_assistant_likeness = user.likeness, assistant.likeness
    if user.found:
        summary.hls_user_dbfs = user.dbfs
        if evidence.question_spoken_at is not None:
            length = evidence.question.size
            summary.mic_to_hls_ms = delay_ms(user, length, evidence.question_spoken_at, evidence.pieces)
    if assistant.found:
        summary.hls_assistant_dbfs = assistant.dbfs
