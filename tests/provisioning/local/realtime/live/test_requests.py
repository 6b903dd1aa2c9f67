"""What a client may ask for in a Live session, and what is refused, without a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from provisioning.local.realtime.course import Course
from provisioning.local.realtime.dialogue import House
from provisioning.local.realtime.ears import Ears
from provisioning.local.realtime.faults import Faults
from provisioning.local.realtime.live.dialogue import LiveDialogue
from provisioning.local.realtime.live.requests import carry_out
from provisioning.local.realtime.live.session import LiveSession
from provisioning.local.realtime.mouth import Mouth
from provisioning.local.realtime.playback import Playback
from provisioning.local.realtime.records import Records
from provisioning.local.realtime.repertoire import BuiltIn
from provisioning.local.realtime.settings import StandInSettings
from tests.provisioning.local.realtime.conftest import OverError, play
from tests.provisioning.local.realtime.live.reference import judge, judge_asked

SETTINGS = StandInSettings(thinking_seconds=0.0, words_per_minute=450)
SESSION = {
    "model": "gpt-live-1",
    "delegation": {
        "type": "responses",
        "responses": {"model": "m", "tools": [{"type": "function", "name": "current_time"}]},
    },
}


class Desk:
    """A dialogue whose events are judged and kept."""

    def __init__(self, house: House, session: LiveSession, tasks: asyncio.TaskGroup) -> None:
        self.house, self.events, self.closed = house, list[dict[str, Any]](), False
        self.playback = Playback()
        self.dialogue = LiveDialogue(house, session, self.playback, self._take, tasks)
        self._something = asyncio.Event()

    def ask(self, kind: str, **fields: Any) -> None:
        event = {"type": kind, **fields}
        judge_asked(event)
        self.send(event)

    def send(self, event: Any) -> None:
        data = event if isinstance(event, str) else msgspec.json.encode(event)
        carry_out(self.dialogue, data, self._take, self._close)

    async def until(self, kind: str, nested: str = "") -> dict[str, Any]:
        async with asyncio.timeout(10):
            while True:
                for event in self.events:
                    if event["type"] == kind and (not nested or event["event"]["type"] == nested):
                        return event
                self._something.clear()
                await self._something.wait()

    @property
    def refused(self) -> list[str]:
        return [event["error"]["code"] for event in self.events if event["type"] == "error"]

    def _close(self) -> None:
        self.closed = True

    def _take(self, event: dict[str, Any]) -> None:
        judge(event)
        self.events.append(event)
        self._something.set()


@pytest.fixture
async def desk(ears: Ears) -> AsyncIterator[Desk]:
    faults = Faults()
    mouth = Mouth(SETTINGS.voice, SETTINGS.words_per_minute)
    house = House(SETTINGS, faults, ears, mouth, Records(), BuiltIn(), Course(None, faults))
    try:
        async with asyncio.TaskGroup() as tasks:
            desk = Desk(house, LiveSession("live_1", 0, SESSION), tasks)
            tasks.create_task(play(desk.playback))
            yield desk
            raise OverError  # noqa: TRY301 - the way to end a task group
    except* OverError:
        pass


def append(desk: Desk, what: str, content: str) -> None:
    desk.ask(f"session.{what}.append", content=content, delegation_id=None, event_id="event_1")


async def test_a_written_wish_is_delegated_and_its_outcome_told(desk: Desk) -> None:
    append(desk, "instructions", 'A visitor asks in writing: "What time is it?"')
    done = await desk.until("response.event", "response.output_item.done")
    assert (await desk.until("session.instructions.appended"))["client_event_id"] == "event_1"
    call = done["event"]["item"]
    desk.send({"type": "response.create"})
    assert desk.refused == ["missing_tool_output"]
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "Noon."}
    desk.ask("response.item.create", item=output)
    desk.ask("response.create")
    await desk.until("session.usage.updated")
    words = "".join(event["delta"] for event in desk.events if event["type"] == "session.output_transcript.delta")
    assert words == "Noon."
    usage = [event["event"]["response"]["usage"] for event in desk.events if _completed(event)]
    assert [each["total_tokens"] == each["input_tokens"] + each["output_tokens"] > 0 for each in usage] == [True, True]


def _completed(event: dict[str, Any]) -> bool:
    return (event["type"], event.get("event", {}).get("type")) == ("response.event", "response.completed")


async def test_a_delegation_that_fails_says_why(desk: Desk) -> None:
    desk.house.faults.responses = "server_error"
    append(desk, "instructions", 'Answer this: "What time is it?"')
    failed = await desk.until("response.event", "response.failed")
    assert failed["event"]["response"]["error"]["code"] == "server_error"


async def test_context_is_acknowledged_and_commentary_spoken(desk: Desk) -> None:
    append(desk, "thinking", "The visitor is called Robin.")
    append(desk, "commentary", "Well, hello.")
    assert [event["type"] for event in desk.events] == ["session.thinking.appended", "session.commentary.appended"]
    spoken = await desk.until("session.output_transcript.delta")
    assert (spoken["delta"], spoken["end_ms"] > spoken["start_ms"]) == ("Well,", True)


async def test_the_microphone_is_closed_and_opened(desk: Desk) -> None:
    desk.ask("session.input_audio.mute")
    assert desk.dialogue.muted
    desk.ask("session.input_audio.unmute")
    assert not desk.dialogue.muted
    assert [event["type"] for event in desk.events] == ["session.input_audio.muted", "session.input_audio.unmuted"]


async def test_the_session_is_closed_when_it_is_asked_for(desk: Desk) -> None:
    desk.ask("session.close")
    assert desk.closed


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("no JSON", "invalid_event"),
        ({"type": "session.tomorrow"}, "invalid_value"),
        ({"type": "session.thinking.append", "content": "x"}, "missing_required_parameter"),
        ({"type": "session.thinking.append", "content": "x", "delegation_id": "del_1"}, "invalid_value"),
        ({"type": "session.thinking.append", "content": 1, "delegation_id": None}, "invalid_type"),
        ({"type": "session.thinking.append", "content": "x" * 2001, "delegation_id": None}, "string_above_max_length"),
        ({"type": "response.item.create", "item": {"type": "message"}}, "invalid_value"),
        ({"type": "response.item.create", "item": {"type": "function_call_output", "call_id": 1}}, "invalid_type"),
        (
            {"type": "response.item.create", "item": {"type": "function_call_output", "call_id": "c", "output": ""}},
            "invalid_tool_call_id",
        ),
    ],
)
async def test_what_cannot_be_done_is_refused_with_its_code(desk: Desk, message: Any, code: str) -> None:
    desk.send(message)
    assert desk.refused == [code]


async def test_what_the_frontend_may_not_do_is_refused(desk: Desk) -> None:
    limited = {"data_channel": {"allowed_client_events": ["session.close"]}}
    desk.dialogue.session = LiveSession("live_2", 0, {**SESSION, "client": limited})
    append(desk, "thinking", "x")
    assert desk.refused == ["event_not_allowed"]
    [event] = desk.events
    assert event["error"]["client_event_id"] == "event_1"
