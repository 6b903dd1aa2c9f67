"""The proof that a second call hears, whatever the order of what the service says."""

import json
from typing import Any

import pytest

from device.messages.reports import Speaker
from device.realtime.events import (
    ErrorDetail,
    InputCommitted,
    Item,
    ItemAdded,
    ItemDeleted,
    Response,
    ResponseCreated,
    ServerEvent,
    ServiceError,
)
from device.realtime.floor import NOTHING_SAID
from device.realtime.history import Line
from device.realtime.rehearsal import Rehearsal, Step
from tests.provisioning.local.realtime.reference import judge_asked

LINES = (Line(1.0, "a", Speaker.USER, "How are you?"), Line(2.0, "b", Speaker.ASSISTANT, "Well."))
SILENCE = "item_s"


def sent(client_events: list[str]) -> list[dict[str, Any]]:
    decoded = [json.loads(client_event) for client_event in client_events]
    for event in decoded:
        judge_asked(event)
    return decoded


def heard(rehearsal: Rehearsal, *events: ServerEvent) -> list[dict[str, Any]]:
    return [event for given in events for event in sent(rehearsal.handle(given, LINES))]


def added(item: str) -> ItemAdded:
    return ItemAdded(Item(id=item))


@pytest.mark.parametrize(
    "known", [[InputCommitted(SILENCE), added(SILENCE)], [added(SILENCE), InputCommitted(SILENCE)]]
)
def test_silence_is_taken_as_a_turn_and_thrown_away_and_then_the_history_is_told(known: list[ServerEvent]) -> None:
    rehearsal = Rehearsal()
    assert [event["type"] for event in sent(rehearsal.ask())] == ["input_audio_buffer.commit"]
    assert rehearsal.ask() == []
    [delete] = heard(rehearsal, *known)
    assert (delete["type"], delete["item_id"]) == ("conversation.item.delete", SILENCE)
    told = [event["item"] for event in heard(rehearsal, ItemDeleted(SILENCE))]
    assert [(item["role"], item["content"][0]) for item in told] == [
        ("user", {"type": "input_text", "text": "How are you?"}),
        ("assistant", {"type": "output_text", "text": "Well."}),
    ]
    heard(rehearsal, added(told[0]["id"]))
    assert rehearsal.step is Step.TOLD
    heard(rehearsal, added(told[1]["id"]))
    assert (rehearsal.step, rehearsal.silence) == (Step.PROVEN, SILENCE)
    later = Line(3.0, "c", Speaker.USER, "And you?")
    assert [event["item"]["content"][0]["text"] for event in sent(rehearsal.tell([*LINES, later]))] == ["And you?"]


def test_without_a_history_it_is_proven_when_the_silence_is_gone() -> None:
    rehearsal = Rehearsal()
    rehearsal.ask()
    for event in (InputCommitted(SILENCE), added(SILENCE), ItemDeleted(SILENCE)):
        rehearsal.handle(event, ())
    assert rehearsal.step is Step.PROVEN


def test_a_service_that_has_heard_nothing_yet_is_asked_again() -> None:
    rehearsal = Rehearsal()
    rehearsal.ask()
    heard(rehearsal, ServiceError(ErrorDetail(code=NOTHING_SAID)))
    assert (rehearsal.step, rehearsal.refused) == (Step.WAITING, None)
    assert len(rehearsal.ask()) == 1


def test_any_other_complaint_is_the_end_of_it() -> None:
    rehearsal = Rehearsal()
    rehearsal.ask()
    heard(rehearsal, ServiceError(ErrorDetail(code="invalid_value", message="no")))
    assert rehearsal.refused == "invalid_value: no"


def test_an_answer_that_nobody_asked_for_is_stopped() -> None:
    rehearsal = Rehearsal()
    rehearsal.ask()
    assert [event["type"] for event in heard(rehearsal, ResponseCreated(Response(id="resp_1")))] == ["response.cancel"]
