"""What the stand-in bills: everything again with each answer, what was billed before as cached."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from provisioning.local.realtime.usage import Ledger


def input_of(usage: dict[str, Any]) -> tuple[int, int, int]:
    details = usage["input_token_details"]
    return details["text_tokens"], details["audio_tokens"], details["cached_tokens"]


def test_instructions_words_and_seconds_are_counted_by_their_kind() -> None:
    ledger = Ledger("x" * 40)
    ledger.heard(2.0)
    ledger.read("y" * 8)
    usage = ledger.answered("z" * 12, 1.5)
    assert input_of(usage) == (12, 20, 0)
    assert usage["output_token_details"] == {"text_tokens": 3, "audio_tokens": 30}
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (32, 33, 65)


def test_what_was_said_is_billed_again_and_what_was_billed_is_cached() -> None:
    ledger = Ledger("x" * 40)
    ledger.heard(2.0)
    ledger.answered("z" * 12, 1.5)
    ledger.heard(1.0)
    second = ledger.answered("", 0.0)
    assert input_of(second) == (13, 60, 30), "all of it, the answer too, and of that what was billed before"
    assert second["input_token_details"]["cached_tokens_details"] == {
        "text_tokens": 13,
        "audio_tokens": 17,
        "image_tokens": 0,
    }
    assert input_of(ledger.answered("", 0.0)) == (13, 60, 73)


@given(st.lists(st.tuples(st.floats(0, 60), st.text(max_size=40), st.floats(0, 60)), min_size=1, max_size=8))
def test_no_usage_contradicts_itself_and_none_is_smaller_than_the_one_before(
    turns: list[tuple[float, str, float]],
) -> None:
    ledger, before = Ledger("instructions"), 0
    for heard, text, seconds in turns:
        ledger.heard(heard)
        usage = ledger.answered(text, seconds)
        given_text, given_audio, cached = input_of(usage)
        details = usage["input_token_details"]["cached_tokens_details"]
        assert given_text + given_audio == usage["input_tokens"] >= before
        assert cached == details["text_tokens"] + details["audio_tokens"] <= usage["input_tokens"]
        assert details["text_tokens"] <= given_text
        assert details["audio_tokens"] <= given_audio
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
        assert cached == before
        before = usage["input_tokens"]
