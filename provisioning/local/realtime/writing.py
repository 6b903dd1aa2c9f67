"""A conversation in writing, over a WebSocket: the same session, answered with text instead of sound."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any, Final

import msgspec

from provisioning.local.realtime import messages, replies
from provisioning.local.realtime.calling import Call, Outcome
from provisioning.local.realtime.dialogue import House
from provisioning.local.realtime.identifiers import identifier, tool_call_id
from provisioning.local.realtime.messages import Event
from provisioning.local.realtime.planning import Planner
from provisioning.local.realtime.records import Called
from provisioning.local.realtime.refusals import RefusedError
from provisioning.local.realtime.requests import checked_item
from provisioning.local.realtime.response import WrittenResponse
from provisioning.local.realtime.session import Session
from provisioning.local.realtime.usage import Ledger

Send = Callable[[Event], Awaitable[None]]

_TEXT: Final = ["text"]


class Correspondence:
    """One conversation; an answer is made before the next message is read."""

    def __init__(self, house: House, session: Session, send: Send) -> None:
        self._house, self._session, self._send = house, session, send
        self._id = identifier("conv")
        self._ledger = Ledger(session.view["instructions"] or "")
        self._planner = Planner(house.repertoire)
        self._question: str | None = None
        self._called: dict[str, Called] = {}
        self._last: str | None = None

    async def take(self, data: str) -> None:
        """Do what one message asks for, or send the error that says why not."""
        client_event: str | None = None
        try:
            event = _decoded(data)
            client_event = event.get("event_id")
            await self._dispatch(event)
        except RefusedError as refusal:
            await self._send(messages.error(refusal, client_event))

    async def _dispatch(self, event: dict[str, Any]) -> None:
        match event.get("type"):
            case "session.update":
                self._session.update(event.get("session"))
                await self._send(messages.session_updated(self._session.view))
            case "conversation.item.create":
                await self._add(checked_item(event.get("item")))
            case "response.create":
                await self._answer(event.get("response") or {})
            case "response.cancel":
                raise RefusedError(400, "response_cancel_not_active", "Cancellation failed: no active response found")
            case kind:
                raise RefusedError(400, "invalid_value", f"Invalid value: '{kind}'.", param="type")

    async def _add(self, item: dict[str, Any]) -> None:
        item = {"id": identifier("item"), "object": "realtime.item", "status": "completed", **item}
        written = " ".join(part["text"] for part in item.get("content", []) if part.get("type") == "input_text")
        self._ledger.read(written)
        if item["type"] == "function_call_output":
            self._take_outcome(item["call_id"], item["output"])
        elif item.get("role") == "user":
            self._question = written
            self._house.course.heard(written)
            self._planner.asked()
        elif item.get("role") == "system":
            self._planner.prompted(written)
        await self._send(messages.item_added(item, self._last))
        await self._send(messages.item_done(item, self._last))
        self._last = item["id"]

    def _take_outcome(self, call_id: str, output: str) -> None:
        called = self._called.get(call_id)
        if called is None:
            raise RefusedError(400, "invalid_tool_call_id", f"Tool call ID '{call_id}' not found in conversation.")
        called.output = output
        self._ledger.read(output)
        self._planner.outcome(Outcome(called.name, output))

    async def _answer(self, asked: dict[str, Any]) -> None:
        modalities = asked.get("output_modalities") or self._session.view["output_modalities"]
        if modalities != _TEXT:
            text = "The stand-in only writes over a WebSocket: ask for output_modalities ['text']."
            raise RefusedError(400, "unsupported_value", text, param="response.output_modalities")
        response = WrittenResponse(self._id, self._last)
        await self._send(response.create())
        if self._house.faults.responses:
            refusal = RefusedError(429, self._house.faults.responses, "Told to fail.", kind="invalid_request_error")
            await self._send(response.fail(refusal))
            return
        await asyncio.sleep(self._house.settings.thinking_seconds)
        session, now = self._session, datetime.now().astimezone()
        plan = self._planner.next(self._question, session.tools, session.language, now)
        if plan.words:
            await self._send_all(response.open())
            for piece in replies.pieces(plan.words):
                await self._send(response.say(piece))
        await self._send_all(response.close())
        for call in plan.calls:
            await self._call(response, call)
        self._last = response.item
        await self._send_all(response.complete(self._ledger.answered(response.text, 0.0)))

    async def _call(self, response: WrittenResponse, call: Call) -> None:
        call_id = tool_call_id()
        await self._send_all(response.call(call_id, call.name))
        await self._send(response.write(call.text))
        self._called[call_id] = Called(call.name, call.text)
        self._house.records.called.append(self._called[call_id])
        await self._send_all(response.end_call())

    async def _send_all(self, events: Iterable[Event]) -> None:
        for event in events:
            await self._send(event)


def _decoded(data: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise RefusedError(400, "invalid_event", "The message is not a JSON object.") from None
