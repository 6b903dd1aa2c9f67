"""The events both ways, held against the vendor's types."""

from __future__ import annotations

import msgspec
import pytest

from device.realtime.live import events
from device.realtime.live.events import EventReader, ServerEvent, pieces
from tests.provisioning.local.realtime.live.reference import client_kinds, judge_asked, server_kinds

USED = {arm.__struct_config__.tag for arm in ServerEvent.__args__}


def test_everything_that_is_read_or_let_by_is_an_event_of_the_reference() -> None:
    assert server_kinds() >= USED
    assert server_kinds() >= events.UNUSED
    assert not USED & events.UNUSED


def test_everything_that_is_sent_is_an_event_of_the_reference() -> None:
    sent = [
        events.instructions_append("Greet."),
        events.thinking_append("So far.", "before_1"),
        events.function_call_output("call_1", "{}"),
        events.response_create(),
        events.session_close(),
    ]
    kinds = set[str]()
    for client_event in sent:
        decoded = msgspec.json.decode(client_event)
        judge_asked(decoded)
        kinds.add(decoded["type"])
    assert kinds <= client_kinds()


def test_unknown_fields_are_let_by() -> None:
    reader = EventReader()
    event = reader.read('{"type": "session.output_transcript.delta", "delta": "Hi", "start_ms": 1, "tomorrow": []}')
    assert event == events.RobotWords(delta="Hi", start_ms=1)
    assert (reader.malformed, reader.unknown) == (0, 0)


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("  ", 0), ("short", 1), ("word " * 2000, 7), ("あ" * 1000, 3), ("x" * 5000, 4)],
)
def test_pieces_are_short_enough_and_lose_nothing(text: str, count: int) -> None:
    found = pieces(text)
    assert len(found) == count
    assert "".join(found).replace(" ", "") == text.replace(" ", "")
    assert all(piece and len(piece) < 1600 and sum(not letter.isascii() for letter in piece) < 450 for piece in found)
