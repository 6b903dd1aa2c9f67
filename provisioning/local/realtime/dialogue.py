"""The conversation on one data channel: turns, answers and barge-in.

The order of events is that of the reference's WebRTC flow. Generation runs ahead of the sound: `response.done` comes
while the answer is still being played, and what was not played when the user talks over it is cut away here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from provisioning.local.realtime import messages, replies, sound
from provisioning.local.realtime.calling import Call, Outcome
from provisioning.local.realtime.course import Course
from provisioning.local.realtime.ears import Ears
from provisioning.local.realtime.faults import Faults
from provisioning.local.realtime.hearing import FAINTEST_DBFS, InputBuffer
from provisioning.local.realtime.identifiers import identifier, tool_call_id
from provisioning.local.realtime.messages import Event
from provisioning.local.realtime.mouth import Mouth, Utterance
from provisioning.local.realtime.planning import Planner
from provisioning.local.realtime.playback import Playback
from provisioning.local.realtime.records import Called, Heard, Records, Spoken, Written
from provisioning.local.realtime.refusals import RefusedError
from provisioning.local.realtime.repertoire import Plan, Repertoire
from provisioning.local.realtime.response import Response
from provisioning.local.realtime.session import Session, TurnDetection
from provisioning.local.realtime.settings import StandInSettings
from provisioning.local.realtime.sound import RATE, Samples
from provisioning.local.realtime.turn_detection import Began
from provisioning.local.realtime.usage import Ledger

SHORTEST_COMMIT_MS: Final = 100


@dataclass(frozen=True, slots=True)
class House:
    """What all calls share."""

    settings: StandInSettings
    faults: Faults
    ears: Ears
    mouth: Mouth
    records: Records
    repertoire: Repertoire
    course: Course


class Dialogue:
    """One conversation; its answers are tasks of the group it is given."""

    def __init__(
        self,
        house: House,
        session: Session,
        playback: Playback,
        send: Callable[[Event], None],
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.session = session
        self._house, self._playback, self._send, self._tasks = house, playback, send, tasks
        self._id = identifier("conv")
        self._input = InputBuffer()
        self._ledger = Ledger(session.view["instructions"] or "")
        self._items: list[str] = []
        self._turn: tuple[str, int] | None = None
        self._question: asyncio.Future[str] | None = None
        self._asked_in = ""
        """Id of the item that asks it."""
        self._called: dict[str, Called] = {}
        self._planner = Planner(house.repertoire)
        self._idle_from: int | None = None
        """Where in the sound that came in the last answer ended, until somebody talks or another begins."""
        self._generating: tuple[Response, asyncio.Task[None]] | None = None
        self._sounding: tuple[Response, Spoken, asyncio.Future[bool]] | None = None

    def hear(self, frame: Samples) -> None:
        """Take 20 ms of the user."""
        detection = self.session.turn_detection
        match self._input.feed(frame, detection):
            case Began(audio_start_ms):
                self._idle_from = None
                self._turn = identifier("item"), audio_start_ms
                self._send(messages.speech_started(self._turn[0], audio_start_ms))
                if detection is not None and detection.interrupt_response:
                    self._interrupted()
            case None:
                self._wait_for_speech(detection)
            case ended:
                item, start = self._turn or (identifier("item"), 0)
                self._turn = None
                self._send(messages.speech_stopped(item, ended.audio_end_ms))
                self._commit(item, start)
                if detection is not None and detection.create_response and self._generating is None:
                    self._respond()

    def _wait_for_speech(self, detection: TurnDetection | None) -> None:
        """Take silence as a turn once it has lasted for `idle_timeout_ms` since the last answer."""
        limit = None if detection is None else detection.idle_timeout_ms
        start, now = self._idle_from, self._input.position_ms
        if limit is None or start is None or now - start < limit:
            return
        item = identifier("item")
        self._send(messages.timeout_triggered(item, start, now))
        self._commit(item, start)
        self._respond()

    def commit(self) -> None:
        """The client ends the turn.

        Raises:
            RefusedError: there is less than 100 ms to commit.
        """
        if self._input.waiting_ms < SHORTEST_COMMIT_MS:
            text = f"Error committing input audio buffer: buffer too small, {self._input.waiting_ms} ms of audio."
            raise RefusedError(400, "input_audio_buffer_commit_empty", text)
        item, start = self._turn or (identifier("item"), None)
        self._turn = None
        self._commit(item, start)

    def clear_input(self) -> None:
        """The client throws the turn away."""
        self._input.clear()
        self._turn = None
        self._send(messages.input_cleared())

    def add_item(self, item: dict[str, Any]) -> None:
        """The client adds an item; the next answer answers what it writes as the user, and tells of outcomes.

        What it writes as the assistant has answered what it wrote as the user before.

        Raises:
            RefusedError: it is the outcome of a call that never was, or has the id of another item.
        """
        if item.get("id") in self._items:
            raise RefusedError(400, "invalid_value", "The conversation has an item of this id.", param="item.id")
        item = {"id": identifier("item"), "object": "realtime.item", "status": "completed", **item}
        if item["type"] == "function_call_output":
            self._take_outcome(item["call_id"], item["output"])
        written = " ".join(part["text"] for part in item.get("content", []) if part.get("type", "").endswith("_text"))
        self._ledger.read(written)
        if item["type"] == "message":
            self._house.records.written.append(Written(item["role"], written))
        if item.get("role") == "user" and written:
            question: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            question.set_result(written)
            self._question, self._asked_in = question, item["id"]
            self._house.course.heard(written)
            self._planner.asked()
        elif item.get("role") == "assistant":
            self._answered()
        elif item.get("role") == "system":
            self._planner.prompted(written)
        self._append(item)

    def _take_outcome(self, call_id: str, output: str) -> None:
        called = self._called.get(call_id)
        if called is None:
            text = f"Tool call ID '{call_id}' not found in conversation."
            raise RefusedError(400, "invalid_tool_call_id", text)
        called.output = output
        self._planner.outcome(Outcome(called.name, output))

    def _answered(self) -> None:
        self._question, self._asked_in = None, ""
        self._planner.answered()

    def delete_item(self, item: str) -> None:
        """The client removes an item.

        Raises:
            RefusedError: there is no such item.
        """
        if item not in self._items:
            raise RefusedError(400, "item_not_found", f"Item with id '{item}' not found.", param="item_id")
        self._items.remove(item)
        if item == self._asked_in:
            self._answered()
        self._send(messages.item_deleted(item))

    def create_response(self) -> None:
        """The client asks for an answer.

        Raises:
            RefusedError: one is being made.
        """
        if self._generating is not None:
            text = f"Conversation already has an active response in progress: {self._generating[0].id}."
            raise RefusedError(400, "conversation_already_has_active_response", text)
        self._respond()

    def cancel_response(self) -> None:
        """The client stops the answer being made, not its sound.

        Raises:
            RefusedError: none is being made.
        """
        if self._generating is None:
            text = "Cancellation failed: no active response found"
            raise RefusedError(400, "response_cancel_not_active", text)
        self._cancel("client_cancelled")

    def clear_output(self) -> None:
        """The client stops the sound."""
        self._cut()

    def _interrupted(self) -> None:
        self._cut()
        self._cancel("turn_detected")

    def _cut(self) -> None:
        if self._sounding is None:
            return
        response, spoken, _ = self._sounding
        self._sounding = None
        spoken.played_ms = self._playback.cut()
        self._send(messages.playback("cleared", response.id))
        self._send(messages.item_truncated(response.item, spoken.played_ms))

    def _cancel(self, reason: str) -> None:
        if self._generating is None:
            return
        response, task = self._generating
        self._generating = None
        task.cancel()
        self._send_all(response.cancel(reason, self._ledger.answered(response.text, 0.0)))

    def _commit(self, item: str, start_ms: int | None) -> None:
        samples = self._input.take(start_ms)
        self._ledger.heard(len(samples) / RATE)
        self._send(messages.input_committed(item, self._items[-1] if self._items else None))
        self._append(messages.user_item(item))
        recognising = self._recognise(item, samples, time.monotonic())
        self._question, self._asked_in = self._tasks.create_task(recognising, name="recognise"), item
        self._planner.asked()

    def _append(self, item: dict[str, Any]) -> None:
        previous = self._items[-1] if self._items else None
        self._items.append(item["id"])
        self._send(messages.item_added(item, previous))
        self._send(messages.item_done(item, previous))

    async def _recognise(self, item: str, samples: Samples, end: float) -> str:
        level, seconds = sound.level(samples), len(samples) / RATE
        if level > FAINTEST_DBFS:
            phrase = await self._house.ears.recognise(samples)
            text = replies.sentence(phrase) if phrase else replies.SPEECH
            self._house.records.heard.append(Heard(text, end - seconds, end, level, end - sound.quiet_after(samples)))
            self._house.course.heard(text)
        else:
            text = replies.NOTHING_HEARD
        if self.session.transcribes and self._house.faults.transcriptions:
            self._send(messages.transcription_failed(item))
        elif self.session.transcribes:
            self._send(messages.transcription_delta(item, text))
            self._send(messages.transcription_completed(item, text, seconds))
        return text

    def _respond(self) -> None:
        self._idle_from = None
        response = Response(self._id, self._items[-1] if self._items else None)
        self._send(response.create())
        task = self._tasks.create_task(self._answer(response, self._question), name="answer")
        self._generating = response, task

    async def _answer(self, response: Response, question: asyncio.Future[str] | None) -> None:
        await asyncio.sleep(self._house.settings.thinking_seconds)
        text = None if question is None else await asyncio.shield(question)
        if self._house.faults.responses:
            self._generating = None
            refusal = RefusedError(429, self._house.faults.responses, "Told to fail.", kind="invalid_request_error")
            self._send(response.fail(refusal))
            return
        session, now = self.session, datetime.now().astimezone()
        plan = self._planner.next(text, session.tools, session.language, now)
        await asyncio.sleep(plan.wait)
        utterance = await self._house.mouth.say(plan.words) if plan.words else None
        if self._sounding is not None and utterance is not None:
            await asyncio.shield(self._sounding[2])
        ended = None if utterance is None else self._speak(response, utterance)
        await self._generate(response, plan)
        self._complete(response, utterance)
        if ended is not None and await ended:
            self._played(response)

    def _speak(self, response: Response, utterance: Utterance) -> asyncio.Future[bool]:
        self._send_all(response.open())
        self._items.append(response.item)
        self.session.spoke = True
        self._send(messages.playback("started", response.id))
        ended = self._playback.play(utterance)
        spoken = Spoken(utterance.text, utterance.samples, self._playback.due)
        self._house.records.spoken.append(spoken)
        self._sounding = response, spoken, ended
        return ended

    async def _generate(self, response: Response, plan: Plan) -> None:
        pause = self._house.settings.word_seconds
        for piece in replies.pieces(plan.words) if plan.words else ():
            self._send(response.say(piece))
            await asyncio.sleep(pause)
        self._send_all(response.close())
        for call in plan.calls:
            await self._call(response, call, pause)

    async def _call(self, response: Response, call: Call, pause: float) -> None:
        call_id = tool_call_id()
        self._send_all(response.call(call_id, call.name))
        for piece in replies.pieces(call.text):
            self._send(response.write(piece))
            await asyncio.sleep(pause)
        self._called[call_id] = Called(call.name, call.text)
        self._house.records.called.append(self._called[call_id])
        events = response.end_call()
        self._items.append(events[-1]["item"]["id"])
        self._send_all(events)

    def _complete(self, response: Response, utterance: Utterance | None) -> None:
        self._generating = None
        usage = self._ledger.answered(response.text, 0.0 if utterance is None else utterance.seconds)
        self._send_all(response.complete(usage))
        self._send(messages.rate_limits_updated(40_000 - usage["total_tokens"]))

    def _send_all(self, events: Iterable[Event]) -> None:
        for event in events:
            self._send(event)

    def _played(self, response: Response) -> None:
        if self._sounding is None or self._sounding[0] is not response:
            return
        spoken = self._sounding[1]
        spoken.played_ms = round(len(spoken.samples) / RATE * 1000)
        self._sounding = None
        self._idle_from = self._input.position_ms
        self._send(messages.playback("stopped", response.id))
