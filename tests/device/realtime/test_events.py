import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.realtime.events import (
    EventReader,
    Item,
    PlaybackStarted,
    ResponseDone,
    ServiceError,
    SessionCreated,
    conversation_item_create,
    function_call_output,
    output_audio_buffer_clear,
    response_cancel,
    response_create,
    session_update,
    system_message,
)


def test_an_event_is_read_by_its_type() -> None:
    reader = EventReader()
    event = reader.read('{"type": "output_audio_buffer.started", "event_id": "event_1", "response_id": "resp_1"}')
    assert event == PlaybackStarted("resp_1")


def test_the_calls_of_a_response_are_read_and_its_other_items_let_by() -> None:
    items = [
        {"id": "item_1", "type": "message", "status": "completed", "role": "assistant", "content": [{"type": "audio"}]},
        {"type": "function_call", "status": "completed", "call_id": "call_1", "name": "lamp", "arguments": "{}"},
    ]
    event = EventReader().read(json.dumps({"type": "response.done", "response": {"id": "resp_1", "output": items}}))
    assert isinstance(event, ResponseDone)
    assert event.response.output == (
        Item("message", "completed", "item_1"),
        Item("function_call", "completed", call_id="call_1", name="lamp", arguments="{}"),
    )


def test_unknown_fields_are_let_by() -> None:
    reader = EventReader()
    text = '{"type": "session.created", "obfuscation": "x9", "session": {"id": "sess_1", "shape": [1, {"of": "tomorrow"}]}}'
    event = reader.read(text)
    assert isinstance(event, SessionCreated)
    assert event.session.id == "sess_1"
    assert reader.malformed == 0


def test_a_failed_response_carries_its_code() -> None:
    error = {"type": "error", "code": "insufficient_quota", "message": "no money"}
    response = {"id": "resp_1", "status": "failed", "status_details": {"type": "failed", "error": error}}
    event = EventReader().read(json.dumps({"type": "response.done", "response": {**response, "usage": None}}))
    assert isinstance(event, ResponseDone)
    assert event.response.status_details is not None
    assert event.response.status_details.error is not None
    assert event.response.status_details.error.code == "insufficient_quota"


def test_null_fields_are_let_by() -> None:
    event = EventReader().read('{"type": "error", "error": {"code": null, "message": "odd", "param": null}}')
    assert isinstance(event, ServiceError)
    assert event.error.code is None


@pytest.mark.parametrize("kind", ["rate_limits.updated", "conversation.item.done", "response.content_part.done"])
def test_documented_events_without_use_are_neither_unknown_nor_malformed(kind: str) -> None:
    reader = EventReader()
    assert reader.read(json.dumps({"type": kind, "anything": 1})) is None
    assert (reader.unknown, reader.malformed) == (0, 0)


def test_events_of_tomorrow_are_counted() -> None:
    reader = EventReader()
    assert reader.read('{"type": "response.hologram.delta"}') is None
    assert (reader.unknown, reader.malformed) == (1, 0)


@pytest.mark.parametrize(
    "data",
    [
        "",
        "{",
        "null",
        "[]",
        '{"kind": "error"}',
        '{"type": 3}',
        '{"type": "error", "error": "text"}',
        b"\xff\xfe",
        "[" * 100_000,
        "\ud800",
    ],
)
def test_malformed_messages_are_counted(data: str | bytes) -> None:
    reader = EventReader()
    assert reader.read(data) is None
    assert (reader.unknown, reader.malformed) == (0, 1)


@given(st.text() | st.binary())
def test_no_message_makes_the_reader_fail(data: str | bytes) -> None:
    EventReader().read(data)


def test_client_events_have_the_documented_shape() -> None:
    item = {"type": "message", "role": "user", "content": []}
    assert json.loads(session_update({"instructions": "be brief"})) == {
        "type": "session.update",
        "session": {"type": "realtime", "instructions": "be brief"},
    }
    assert json.loads(response_create()) == {"type": "response.create"}
    assert json.loads(response_create("mine")) == {"type": "response.create", "event_id": "mine"}
    output = {"type": "function_call_output", "call_id": "call_1", "output": "{}"}
    assert json.loads(function_call_output("call_1", "{}")) == {"type": "conversation.item.create", "item": output}
    assert json.loads(system_message("greet", "prompt_1"))["item"]["role"] == "system"
    assert json.loads(response_cancel()) == {"type": "response.cancel"}
    assert json.loads(response_cancel("resp_1"))["response_id"] == "resp_1"
    assert json.loads(output_audio_buffer_clear()) == {"type": "output_audio_buffer.clear"}
    assert json.loads(conversation_item_create(item)) == {"type": "conversation.item.create", "item": item}
