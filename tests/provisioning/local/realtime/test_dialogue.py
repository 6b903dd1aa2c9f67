import json
from typing import Any

import pytest

from provisioning.local.realtime.replies import STORY
from tests.provisioning.local.realtime.conftest import Desk

TURN = [
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
    "response.created",
]
ANSWER = [
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "output_audio_buffer.started",
    "response.output_audio_transcript.delta",
]
DONE = [
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "conversation.item.done",
    "response.done",
    "rate_limits.updated",
    "output_audio_buffer.stopped",
]


def without_transcription_and_repeats(kinds: list[str]) -> list[str]:
    kept = [kind for kind in kinds if "transcription" not in kind]
    return [kind for before, kind in zip(["", *kept], kept, strict=False) if kind != before]


async def test_a_turn_follows_the_order_of_the_reference(desk: Desk) -> None:
    await desk.ask("thank you")
    await desk.until("output_audio_buffer.stopped")
    assert without_transcription_and_repeats(desk.kinds) == [*TURN, *ANSWER, *DONE]


async def test_ids_and_words_agree_throughout_a_turn(desk: Desk) -> None:
    await desk.ask("thank you")
    await desk.until("response.done")
    user = desk.of("input_audio_buffer.speech_started")[0]["item_id"]
    assert {event["item_id"] for kind in TURN[1:3] for event in desk.of(kind)} == {user}
    [response] = {event["response"]["id"] for kind in ("response.created", "response.done") for event in desk.of(kind)}
    assert {event["response_id"] for event in desk.events if "response_id" in event} == {response}
    assistant = desk.of("response.output_item.added")[0]["item"]["id"]
    assert desk.of("conversation.item.added")[1]["previous_item_id"] == user
    assert desk.of("response.output_audio_transcript.delta")[0]["item_id"] == assistant
    deltas = "".join(event["delta"] for event in desk.of("response.output_audio_transcript.delta"))
    assert deltas == desk.of("response.output_audio_transcript.done")[0]["transcript"] == "You are welcome."
    assert len({event["event_id"] for event in desk.events}) == len(desk.events)


async def test_speech_is_placed_on_the_clock_of_the_sound(desk: Desk) -> None:
    desk.pause(1000)
    await desk.ask("good morning")
    start = desk.of("input_audio_buffer.speech_started")[0]["audio_start_ms"]
    end = desk.of("input_audio_buffer.speech_stopped")[0]["audio_end_ms"]
    assert 600 < start < 1000
    assert 1500 < end < 3000


async def test_what_was_said_is_recognised_and_measured(desk: Desk) -> None:
    await desk.ask("what time is it")
    completed = await desk.until("conversation.item.input_audio_transcription.completed")
    assert completed["transcript"] == "What time is it?"
    [heard] = desk.house.records.heard
    assert heard.text == "What time is it?"
    assert -30 < heard.level < -15
    assert 0.48 <= heard.end - heard.voice_ended < 0.8, "the silence that ends a turn, within a block"


async def test_usage_adds_up_and_bills_the_history_again(desk: Desk) -> None:
    await desk.ask("thank you")
    first = (await desk.until("response.done"))["response"]["usage"]
    await desk.ask("thank you")
    second = (await desk.until("response.done", 2))["response"]["usage"]
    for usage in (first, second):
        given, made = usage["input_token_details"], usage["output_token_details"]
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
        assert usage["input_tokens"] == given["text_tokens"] + given["audio_tokens"]
        assert usage["output_tokens"] == made["text_tokens"] + made["audio_tokens"]
    heard, [spoken, _] = desk.house.records.heard[0], desk.house.records.spoken
    assert first["input_token_details"]["audio_tokens"] == pytest.approx(10 * (heard.end - heard.start), abs=1)
    assert first["output_token_details"]["audio_tokens"] == round(20 * len(spoken.samples) / 48_000)
    assert second["input_tokens"] > first["input_tokens"] + first["output_tokens"]
    assert second["input_token_details"]["cached_tokens"] == first["input_tokens"]


async def test_talking_over_the_sound_cuts_it(desk: Desk) -> None:
    await desk.ask("tell me a story")
    await desk.until("response.done")
    await desk.say("stop please")
    kinds = desk.kinds
    cut = kinds.index("output_audio_buffer.cleared")
    assert kinds[cut - 1 : cut + 2] == [
        "input_audio_buffer.speech_started",
        "output_audio_buffer.cleared",
        "conversation.item.truncated",
    ]
    truncated = desk.of("conversation.item.truncated")[0]
    assert truncated["item_id"] == desk.of("response.output_item.added")[0]["item"]["id"]
    assert truncated["audio_end_ms"] == desk.house.records.spoken[0].played_ms
    assert not desk.playback.playing


async def test_talking_over_the_generation_cancels_it(desk: Desk) -> None:
    await desk.ask("tell me a story")
    await desk.until("response.output_audio_transcript.delta", 3)
    await desk.say("stop please")
    done = desk.of("response.done")[0]["response"]
    assert (done["status"], done["status_details"]["reason"]) == ("cancelled", "turn_detected")
    assert done["output"][0]["status"] == "incomplete"
    assert STORY.startswith(desk.of("response.output_audio_transcript.done")[0]["transcript"])
    assert desk.kinds.index("output_audio_buffer.cleared") < desk.kinds.index("response.done")


class TestWithoutInterrupting:
    @pytest.fixture
    def config(self) -> dict[str, Any]:
        turns = {"type": "server_vad", "interrupt_response": False, "create_response": False}
        return {"type": "realtime", "audio": {"input": {"turn_detection": turns}}}

    async def test_neither_sound_nor_answer_follows_by_itself(self, desk: Desk) -> None:
        desk.request('{"type": "response.create"}')
        await desk.until("output_audio_buffer.started")
        await desk.ask("thank you")
        assert "output_audio_buffer.cleared" not in desk.kinds
        assert desk.kinds.count("response.created") == 1
        assert "input_audio_buffer.committed" in desk.kinds


class TestPushToTalk:
    @pytest.fixture
    def config(self) -> dict[str, Any]:
        return {"type": "realtime", "audio": {"input": {"turn_detection": None}}}

    async def test_the_client_takes_the_turns(self, desk: Desk) -> None:
        await desk.ask("good morning")
        assert desk.events == []
        desk.request('{"type": "input_audio_buffer.clear"}')
        await desk.say("thank you")
        desk.request('{"type": "input_audio_buffer.commit"}')
        desk.request('{"type": "response.create"}')
        await desk.until("output_audio_buffer.started")
        assert desk.kinds[:4] == [
            "input_audio_buffer.cleared",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
        ]
        assert desk.house.records.heard[0].text == "Thank you."

    async def test_committing_nothing_is_refused(self, desk: Desk) -> None:
        desk.pause(80)
        desk.request('{"type": "input_audio_buffer.commit", "event_id": "mine"}')
        error = desk.of("error")[0]["error"]
        assert (error["code"], error["event_id"]) == ("input_audio_buffer_commit_empty", "mine")


class TestIdling:
    @pytest.fixture
    def config(self) -> dict[str, Any]:
        turns = {"type": "server_vad", "idle_timeout_ms": 5000}
        return {"type": "realtime", "audio": {"input": {"turn_detection": turns}}}

    async def test_silence_after_an_answer_is_a_turn_and_is_answered(self, desk: Desk) -> None:
        desk.pause(6000)
        assert desk.events == [], "nobody has been answered yet"
        desk.request('{"type": "response.create"}')
        await desk.until("output_audio_buffer.stopped")
        before = len(desk.events)
        desk.pause(4900)
        assert len(desk.events) == before
        desk.pause(200)
        await desk.until("response.done", 2)
        assert desk.kinds[before : before + 5] == [
            "input_audio_buffer.timeout_triggered",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "response.created",
        ]
        [triggered] = desk.of("input_audio_buffer.timeout_triggered")
        assert triggered["audio_end_ms"] - triggered["audio_start_ms"] == 5000
        assert triggered["item_id"] == desk.of("input_audio_buffer.committed")[0]["item_id"]

    async def test_whoever_speaks_in_time_is_listened_to(self, desk: Desk) -> None:
        desk.request('{"type": "response.create"}')
        await desk.until("output_audio_buffer.stopped")
        desk.pause(4000)
        await desk.say("thank you")
        assert "input_audio_buffer.speech_started" in desk.kinds
        assert "input_audio_buffer.timeout_triggered" not in desk.kinds


async def test_written_words_are_answered(desk: Desk) -> None:
    part = {"type": "input_text", "text": "What is your name?"}
    item = {"type": "message", "role": "user", "content": [part]}
    desk.request(json.dumps({"type": "conversation.item.create", "item": item}))
    desk.request('{"type": "response.create"}')
    done = await desk.until("response.output_audio_transcript.done")
    assert done["transcript"].startswith("My name is Kaiwa")


def write(desk: Desk, role: str, text: str, item_id: str) -> None:
    part = {"type": "output_text" if role == "assistant" else "input_text", "text": text}
    item = {"id": item_id, "type": "message", "role": role, "content": [part]}
    desk.request(json.dumps({"type": "conversation.item.create", "item": item}))


async def test_what_was_answered_in_another_call_is_not_answered_again(desk: Desk) -> None:
    write(desk, "user", "What is your name?", "before_1")
    write(desk, "assistant", "My name is Kaiwa.", "before_2")
    desk.request('{"type": "response.create"}')
    done = await desk.until("response.output_audio_transcript.done")
    assert not done["transcript"].startswith("My name")
    assert [(line.role, line.text) for line in desk.house.records.written] == [
        ("user", "What is your name?"),
        ("assistant", "My name is Kaiwa."),
    ]


async def test_silence_can_be_taken_as_a_turn_and_taken_back(desk: Desk) -> None:
    desk.pause(200)
    desk.request('{"type": "input_audio_buffer.commit"}')
    item = desk.of("input_audio_buffer.committed")[0]["item_id"]
    made_up = await desk.until("conversation.item.input_audio_transcription.completed")
    assert made_up["transcript"] == "Thank you for watching."
    desk.request(json.dumps({"type": "conversation.item.delete", "item_id": item}))
    assert desk.of("conversation.item.deleted")[0]["item_id"] == item
    assert desk.house.records.heard == []
    desk.request('{"type": "response.create"}')
    assert (await desk.until("response.output_audio_transcript.done"))["transcript"] == "Hello! I am listening."


async def test_an_item_has_an_id_of_its_own_and_not_a_long_one(desk: Desk) -> None:
    write(desk, "user", "What is your name?", "before_1")
    write(desk, "user", "What is your name?", "before_1")
    write(desk, "user", "What is your name?", "b" * 33)
    assert [(event["error"]["code"], event["error"]["param"]) for event in desk.of("error")] == [
        ("invalid_value", "item.id"),
        ("string_above_max_length", "item.id"),
    ]


async def test_without_a_question_it_greets(desk: Desk) -> None:
    desk.request('{"type": "response.create"}')
    done = await desk.until("response.output_audio_transcript.done")
    assert done["transcript"] == "Hello! I am listening."


async def test_a_second_response_at_a_time_is_refused(desk: Desk) -> None:
    desk.request('{"type": "response.create"}')
    desk.request('{"type": "response.create", "event_id": "mine"}')
    error = desk.of("error")[0]["error"]
    assert (error["code"], error["event_id"]) == ("conversation_already_has_active_response", "mine")


async def test_cancelling_stops_the_words_and_clearing_stops_the_sound(desk: Desk) -> None:
    await desk.ask("tell me a story")
    await desk.until("response.output_audio_transcript.delta", 3)
    desk.request('{"type": "response.cancel"}')
    done = desk.of("response.done")[0]["response"]
    assert (done["status"], done["status_details"]["reason"]) == ("cancelled", "client_cancelled")
    assert desk.playback.playing
    desk.request('{"type": "output_audio_buffer.clear"}')
    assert not desk.playback.playing
    assert desk.kinds[-2:] == ["output_audio_buffer.cleared", "conversation.item.truncated"]


@pytest.mark.parametrize(
    ("message", "code", "param"),
    [
        ('{"type": "response.cancel"}', "response_cancel_not_active", None),
        ('{"type": "response.hologram"}', "invalid_value", "type"),
        ('{"no": "type"}', "invalid_value", "type"),
        ("[]", "invalid_event", None),
        ("{", "invalid_event", None),
        ('{"type": "session.update", "session": {}}', "missing_required_parameter", "session.type"),
        ('{"type": "conversation.item.create", "item": 3}', "invalid_value", "item"),
        (
            '{"type": "conversation.item.create", "item": {"type": "message", "content": [1]}}',
            "invalid_value",
            "item.role",
        ),
        ('{"type": "conversation.item.delete", "item_id": "item_x"}', "item_not_found", "item_id"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_its_code(
    desk: Desk, message: str, code: str, param: str | None
) -> None:
    desk.request(message)
    [event] = desk.events
    assert (event["type"], event["error"]["code"], event["error"]["param"]) == ("error", code, param)


async def test_an_update_is_answered_with_the_whole_session(desk: Desk) -> None:
    desk.request('{"type": "session.update", "session": {"type": "realtime", "instructions": "Be brief."}}')
    [updated] = desk.of("session.updated")
    assert updated["session"]["instructions"] == "Be brief."
    assert updated["session"]["audio"]["output"]["voice"] == "marin"


async def test_the_voice_is_fixed_once_it_was_heard(desk: Desk) -> None:
    change = {"type": "realtime", "audio": {"output": {"voice": "cedar"}}}
    desk.request('{"type": "response.create"}')
    await desk.until("output_audio_buffer.started")
    desk.request(json.dumps({"type": "session.update", "session": change}))
    assert desk.of("error")[0]["error"]["code"] == "cannot_update_voice"


async def test_a_failing_response_says_its_code_and_costs_nothing(desk: Desk) -> None:
    desk.house.faults.responses = "insufficient_quota"
    await desk.ask("thank you")
    done = (await desk.until("response.done"))["response"]
    assert (done["status"], done["status_details"]["error"]["code"]) == ("failed", "insufficient_quota")
    assert done["usage"] is None
    assert "output_audio_buffer.started" not in desk.kinds


async def test_a_failing_transcription_does_not_stop_the_answer(desk: Desk) -> None:
    desk.house.faults.transcriptions = True
    await desk.ask("thank you")
    await desk.until("conversation.item.input_audio_transcription.failed")
    await desk.until("response.done")
    assert "conversation.item.input_audio_transcription.completed" not in desk.kinds


async def test_speech_it_does_not_know_is_still_speech(desk: Desk) -> None:
    await desk.ask("I like green apples very much")
    completed = await desk.until("conversation.item.input_audio_transcription.completed")
    assert completed["transcript"] == "(speech)"
    done = await desk.until("response.output_audio_transcript.done")
    assert "did not understand" in done["transcript"]


def function(name: str) -> dict[str, Any]:
    return {"type": "function", "name": name, "description": "Does it.", "parameters": {"type": "object"}}


def written(desk: Desk, text: str) -> None:
    part = {"type": "input_text", "text": text}
    item = {"type": "message", "role": "user", "content": [part]}
    desk.request(json.dumps({"type": "conversation.item.create", "item": item}))
    desk.request('{"type": "response.create"}')


def told(desk: Desk, call_id: object, output: object) -> None:
    item = {"type": "function_call_output", "call_id": call_id, "output": output}
    desk.request(json.dumps({"type": "conversation.item.create", "item": item}))


class TestTools:
    @pytest.fixture
    def config(self) -> dict[str, Any]:
        tools = [function(name) for name in ("current_time", "volume", "end_conversation")]
        return {"type": "realtime", "tools": tools}

    async def test_a_call_follows_the_order_of_the_reference(self, desk: Desk) -> None:
        written(desk, "Turn the volume down.")
        await desk.until("rate_limits.updated")
        kinds = without_transcription_and_repeats(desk.kinds)
        assert kinds[2:] == [
            "response.created",
            "response.output_item.added",
            "conversation.item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "response.output_item.done",
            "conversation.item.done",
            "response.done",
            "rate_limits.updated",
        ]
        done = desk.of("response.function_call_arguments.done")[0]
        deltas = "".join(event["delta"] for event in desk.of("response.function_call_arguments.delta"))
        assert (done["name"], done["arguments"], deltas) == ("volume", '{"action":"down"}', '{"action":"down"}')
        [item] = desk.of("response.done")[0]["response"]["output"]
        assert (item["type"], item["status"], item["call_id"]) == ("function_call", "completed", done["call_id"])
        assert desk.of("response.output_item.added")[0]["item"]["status"] == "in_progress"

    async def test_what_came_of_a_call_is_told_in_the_next_answer(self, desk: Desk) -> None:
        written(desk, "What time is it?")
        call_id = (await desk.until("response.function_call_arguments.done"))["call_id"]
        await desk.until("response.done")
        told(desk, call_id, '{"ok": true, "result": {"time": "09:30"}}')
        assert desk.kinds[-2:] == ["conversation.item.added", "conversation.item.done"]
        desk.request('{"type": "response.create"}')
        done = await desk.until("response.output_audio_transcript.done")
        assert done["transcript"] == "It is 9 30."
        [called] = desk.house.records.called
        assert (called.name, called.output) == ("current_time", '{"ok": true, "result": {"time": "09:30"}}')

    async def test_several_calls_and_words_are_items_of_one_answer(self, desk: Desk) -> None:
        written(desk, "Farewell my friend and what time is it?")
        done = await desk.until("response.done")
        assert [item["type"] for item in done["response"]["output"]] == ["message", "function_call", "function_call"]
        indices = [event["output_index"] for event in desk.of("response.output_item.done")]
        assert indices == [0, 1, 2]
        assert [event["output_index"] for event in desk.of("response.function_call_arguments.done")] == [1, 2]

    async def test_a_call_that_is_cancelled_is_incomplete_and_has_no_outcome(self, desk: Desk) -> None:
        written(desk, "Turn the volume down.")
        added = await desk.until("response.output_item.added")
        desk.request('{"type": "response.cancel"}')
        done = desk.of("response.done")[0]["response"]
        assert (done["status"], [item["status"] for item in done["output"]]) == ("cancelled", ["incomplete"])
        told(desk, added["item"]["call_id"], "{}")
        assert desk.of("error")[0]["error"]["code"] == "invalid_tool_call_id"

    async def test_without_such_a_tool_it_says_that_it_cannot(self, desk: Desk) -> None:
        written(desk, "Please turn on the lamp.")
        done = await desk.until("response.output_audio_transcript.done")
        assert done["transcript"] == "I cannot do that here."

    async def test_tools_can_be_switched_off(self, desk: Desk) -> None:
        off = {"type": "realtime", "tool_choice": "none"}
        desk.request(json.dumps({"type": "session.update", "session": off}))
        written(desk, "Turn the volume down.")
        assert "cannot" in (await desk.until("response.output_audio_transcript.done"))["transcript"]


@pytest.mark.parametrize(
    ("instructions", "said"),
    [
        ("Greet the visitor.", "Hello! I am listening."),
        ("Ask whether anybody is still there.", "Is anybody still there? I will hang up soon."),
        ("Say goodbye.", "Goodbye! It was nice talking to you."),
    ],
)
async def test_what_the_client_says_as_the_system_is_done(desk: Desk, instructions: str, said: str) -> None:
    part = {"type": "input_text", "text": instructions}
    item = {"type": "message", "role": "system", "content": [part]}
    desk.request(json.dumps({"type": "conversation.item.create", "item": item}))
    desk.request('{"type": "response.create"}')
    assert (await desk.until("response.output_audio_transcript.done"))["transcript"] == said


TEXT = {"type": "input_text", "text": "x"}


@pytest.mark.parametrize(
    ("item", "code", "param"),
    [
        ({"type": "hologram"}, "invalid_value", "item.type"),
        ({"type": "message", "role": "robot", "content": []}, "invalid_value", "item.role"),
        ({"type": "message", "role": "user"}, "invalid_value", "item.content"),
        ({"type": "message", "role": "assistant", "content": [TEXT]}, "invalid_value", "item.content[0].type"),
        (
            {"type": "message", "role": "user", "content": [TEXT, {"type": "input_text"}]},
            "missing_required_parameter",
            "item.content[1].text",
        ),
        ({"type": "message", "role": "user", "content": [], "tone": "kind"}, "unknown_parameter", "item.tone"),
        ({"type": "function_call_output", "output": "{}"}, "missing_required_parameter", "item.call_id"),
        ({"type": "function_call_output", "call_id": "call_1"}, "missing_required_parameter", "item.output"),
        ({"type": "function_call_output", "call_id": "call_1", "output": {"ok": 1}}, "invalid_type", "item.output"),
        ({"type": "function_call_output", "call_id": "call_1", "output": "{}"}, "invalid_tool_call_id", None),
    ],
)
async def test_items_are_read_strictly(desk: Desk, item: dict[str, Any], code: str, param: str | None) -> None:
    desk.request(json.dumps({"type": "conversation.item.create", "item": item}))
    [event] = desk.events
    assert (event["error"]["code"], event["error"]["param"]) == (code, param)
