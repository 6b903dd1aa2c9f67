"""The judge must be able to say no."""

from typing import Any

import pytest
from pydantic import ValidationError

from provisioning.local.realtime import messages
from provisioning.local.realtime.session import Session
from tests.provisioning.local.realtime.reference import judge, judge_asked


def test_a_right_event_passes() -> None:
    judge(messages.speech_started("item_1", 20))
    judge(messages.session_created(Session("sess_1", 1, {"type": "realtime"}).view))


@pytest.mark.parametrize(
    "change", [{"type": "response.hologram"}, {"audio_start_ms": "soon"}, {"audio_start_ms": None}, {"event_id": None}]
)
def test_a_wrong_event_fails(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        judge({**messages.speech_started("item_1", 20), **change})


def test_a_key_of_the_beta_shape_fails() -> None:
    with pytest.raises(AssertionError):
        judge({**messages.speech_started("item_1", 20), "temperature": 0.8})
    with pytest.raises(AssertionError):
        judge(messages.session_created({**Session("sess_1", 1, {"type": "realtime"}).view, "voice": "marin"}))


def test_what_a_client_sends_is_judged_likewise() -> None:
    output = {"type": "function_call_output", "call_id": "call_1", "output": "{}"}
    judge_asked({"type": "conversation.item.create", "item": output})
    with pytest.raises(ValidationError):
        judge_asked({"type": "response.hologram"})
    with pytest.raises(AssertionError):
        judge_asked({"type": "response.create", "temperature": 0.8})
