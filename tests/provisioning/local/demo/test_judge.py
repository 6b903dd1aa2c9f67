"""The judge: says yes only when every link carried sound, and names the one that did not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from provisioning.local.demo.evidence import Piece, Samples
from provisioning.local.demo.judge import Evidence, judge
from provisioning.local.demo.summary import CaptionLine, Summary, as_json

RANDOM = np.random.default_rng(3)


def voice(seconds: float, gain: float = 1.0) -> Samples:
    return (3000 * gain * RANDOM.standard_normal(int(48_000 * seconds))).clip(-32767, 32767).astype(np.int16)


QUESTION, ANSWER, GAP = voice(1.0), voice(1.5), np.zeros(48_000, np.int16)


def evidence(recording: Samples, **facts: bool) -> Evidence:
    half = recording.size // 2
    pieces = [Piece(recording[:half], 11.0), Piece(recording[half:], 12.0)]
    return Evidence(QUESTION, 10.0, ANSWER, pieces, recording, facts)


def talked() -> Summary:
    return Summary(barge_in_to_silence_ms=300.0)


def test_both_voices_in_the_stream_are_a_conversation() -> None:
    summary = judge(talked(), evidence(np.concatenate([GAP, QUESTION, GAP, ANSWER, GAP])))
    assert summary.ok, summary.failed
    assert summary.hls_user_dbfs == pytest.approx(-20.8, abs=0.5)
    assert summary.mic_to_hls_ms == pytest.approx(500, abs=10)


@pytest.mark.parametrize(
    ("recording", "failed"),
    [
        ([GAP, QUESTION, GAP], "the robot's answer is in the stream"),
        ([GAP, ANSWER, GAP], "the visitor's question is in the stream"),
        ([GAP, QUESTION // 60, GAP, ANSWER], "the visitor's question is in the stream"),
    ],
)
def test_a_missing_or_inaudible_voice_is_named(recording: list[Samples], failed: str) -> None:
    summary = judge(talked(), evidence(np.concatenate(recording)))
    assert not summary.ok
    assert failed in summary.failed


def test_an_interruption_that_was_ignored_is_named() -> None:
    summary = judge(Summary(), evidence(np.concatenate([QUESTION, ANSWER])))
    assert summary.failed == ["the interruption silenced the robot"]


def test_any_other_fact_that_is_not_true_is_named() -> None:
    summary = judge(talked(), evidence(np.concatenate([QUESTION, ANSWER]), **{"the page is served": False}))
    assert summary.failed == ["the page is served"]


def test_the_summary_is_json_with_every_key_and_rounded_figures() -> None:
    summary = Summary(press_to_light_ms=12.3456, captions=[CaptionLine("user", "hi", 0.0, 1.234567)])
    data = json.loads(as_json(summary))
    assert data["press_to_light_ms"] == 12.35
    assert data["captions"] == [{"speaker": "user", "text": "hi", "start": 0.0, "end": 1.23}]
    assert {"ok", "press_to_listening_ms", "question_end_to_answer_ms", "mic_to_hls_ms", "hls_url", "stood_in"} <= set(
        data
    )
