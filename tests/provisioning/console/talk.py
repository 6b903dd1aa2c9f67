"""A robot of the console's tests and pictures: it obeys at the broker, and shows what was said."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import aiomqtt

from device.messages import topics
from device.messages.commands import Command, CommandStatus, Step, Verb
from device.messages.console import LevelsNow, WireEvent
from device.messages.envelope import Envelope
from device.messages.reports import DeviceState, Levels, Lifecycle, SessionStarted, Trace
from device.messages.wire import decode, encode

DEVICE = "hana"

SESSION = {
    "model": "gpt-realtime-2.1",
    "instructions": "You are Hana, and look after a small museum. Answer in one or two short sentences.",
    "audio": {
        "input": {
            "transcription": {"model": "gpt-transcribe", "language": "en"},
            "turn_detection": {"type": "semantic_vad", "eagerness": "auto"},
        },
        "output": {"voice": "marin"},
    },
    "tools": [{"type": "function", "name": name} for name in ("volume", "find_exhibit", "end_conversation")],
}
CALL = {"type": "function_call", "call_id": "call_1", "name": "find_exhibit", "arguments": '{"name":"elephant"}'}
OUTCOME = {"type": "function_call_output", "call_id": "call_1", "output": '{"ok":true,"result":"room three"}'}

TALK: Sequence[tuple[float, bool, dict[str, Any]]] = (
    (0.0, False, {"type": "session.created", "session": SESSION}),
    (2.0, False, {"type": "input_audio_buffer.speech_started", "item_id": "i1", "audio_start_ms": 1400}),
    (3.6, False, {"type": "input_audio_buffer.speech_stopped", "item_id": "i1", "audio_end_ms": 3100}),
    (3.7, False, {"type": "input_audio_buffer.committed", "item_id": "i1"}),
    (3.72, False, {"type": "response.created", "response": {"id": "r1", "status": "in_progress"}}),
    (
        3.9,
        False,
        {
            "type": "conversation.item.input_audio_transcription.completed",
            "item_id": "i1",
            "transcript": "Can you find the elephant?",
        },
    ),
    (4.0, False, {"type": "response.output_item.done", "item": CALL}),
    (4.05, False, {"type": "response.done", "response": {"id": "r1", "status": "completed"}}),
    (4.1, True, {"type": "conversation.item.create", "item": OUTCOME}),
    (4.11, True, {"type": "response.create"}),
    (4.2, False, {"type": "response.created", "response": {"id": "r2", "status": "in_progress"}}),
    *(
        (
            4.4 + index / 50,
            False,
            {"type": "response.output_audio_transcript.delta", "response_id": "r2", "delta": word},
        )
        for index, word in enumerate(["The", " elephant", " is", " in", " room", " three,", " on", " the", " left."])
    ),
    (4.52, False, {"type": "output_audio_buffer.started", "response_id": "r2"}),
    (4.7, False, {"type": "response.done", "response": {"id": "r2", "status": "completed"}}),
    (
        6.9,
        False,
        {"type": "error", "error": {"code": "response_cancel_not_active", "message": "Cancellation failed"}},
    ),
)


def card(phase: str = "listening", **facts: Any) -> DeviceState:
    return DeviceState(device=DEVICE, lifecycle=Lifecycle.READY, phase=phase, session="s1", on_air=True, **facts)


async def publish(client: aiomqtt.Client, state: DeviceState) -> None:
    await client.publish(topics.state(DEVICE), encode(state), qos=1, retain=True)


async def ordered(client: aiomqtt.Client, reason: str = "") -> Command:
    """Wait for the next order, obey it, and return it."""
    message = await anext(client.messages)
    order = json.loads(message.payload)
    envelope = order.get("order") or message.payload
    command = decode(decode(envelope, Envelope).payload, Command)
    for step, words in ((Step.ACCEPTED, ""), (Step.SUCCEEDED, reason)):
        status = CommandStatus(id=command.id, device=DEVICE, step=step, at=time.time(), reason=words)
        await client.publish(topics.command_status(DEVICE, command.id), encode(status), qos=1)
    return command


def tool(command: Command) -> tuple[str, dict[str, Any]]:
    """Return the tool that an order is to use, and its arguments."""
    assert command.verb is Verb.USE
    return command.args["tool"], command.args["arguments"]


async def show(client: aiomqtt.Client, began: float) -> None:
    """Show the talk, with how it began and how loud it was."""
    marks = {"asked": 1.0, "granted": 1.081, "listening": 1.402, "on_air": 1.655}
    for event in (SessionStarted(session="s1", at=began, reason="button"), Trace(session="s1", marks=marks)):
        await client.publish(topics.event(DEVICE), encode(event), qos=1)
    for at, sent, body in TALK:
        wire = WireEvent(at=began + at, sent=sent, name=body["type"], body=json.dumps(body))
        await client.publish(topics.console(DEVICE), encode(wire))
    for index in range(120):
        speaking = index % 60 > 28
        wave = 9.0 * abs((index * 7 % 13) / 13 - 0.5)
        loud = Levels(user=-64.0 if speaking else -26.0 - wave, assistant=-19.0 - wave if speaking else -66.0)
        await client.publish(topics.console(DEVICE), encode(LevelsNow(at=began, levels=loud)))
