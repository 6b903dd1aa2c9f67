"""PURE. What the Live model gives to the model behind it: calls of this robot's tools, their outcomes, and tokens.

The model behind answers in a stream of Responses events. Its calls come one by one and count when the answer is complete;
when each has its outcome, it is asked to go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from device.realtime.conversation import ResponseFailed
from device.realtime.floor import CUT_SHORT, Act, Send, ToolCalled
from device.realtime.live.events import (
    BackendEvent,
    Item,
    Response,
    TokenUsage,
    function_call_output,
    response_create,
)

ENDS: Final = frozenset({"response.completed", "response.failed", "response.incomplete"})


@dataclass(slots=True)
class _Answer:
    """One answer of the model behind, and what it waits for."""

    calls: dict[str, Item] = field(default_factory=dict)
    complete: bool = False


class Delegations:
    """The work of one session that is under way; `utterances` is how often somebody has begun to speak."""

    def __init__(self) -> None:
        self.usage: Mapping[str, int] = {"responses": 0}
        """Tokens of the model behind so far, and how many answers it gave."""
        self._answers: dict[str, _Answer] = {}

    @property
    def working(self) -> bool:
        """Whether anything has been given away that has not come back."""
        return bool(self._answers)

    def created(self, delegation: str) -> None:
        """The Live model has given work away."""
        self._answers.setdefault(delegation, _Answer())

    def handle(self, event: BackendEvent, utterances: int) -> list[Act | ResponseFailed]:
        """Take an event of the model behind."""
        name, streamed = event.delegation_id or "", event.event
        if streamed.type == "response.created":  # what waited for nothing but this goes on in it
            self._answers = {other: answer for other, answer in self._answers.items() if answer.calls} | {
                name: _Answer()
            }
        elif streamed.type == "response.output_item.done" and streamed.item is not None:
            self._put_out(name, streamed.item)
        elif streamed.type in ENDS:
            return self._ended(name, streamed.type, streamed.response or Response(), utterances)
        return []

    def outcome(self, call_id: str, output: str) -> list[Act]:
        """Take what came of a call; one that comes twice, or of no call, does nothing."""
        name = next(
            (name for name, answer in self._answers.items() if answer.complete and call_id in answer.calls), None
        )
        if name is None:
            return []
        del self._answers[name].calls[call_id]
        told: list[Act] = [Send(function_call_output(call_id, output))]
        if self._answers[name].calls:
            return told
        return [*told, Send(response_create())]  # it is still at work

    def _put_out(self, name: str, item: Item) -> None:
        if item.type == "function_call" and item.call_id:
            self._answers.setdefault(name, _Answer()).calls[item.call_id] = item

    def _ended(self, name: str, how: str, response: Response, utterances: int) -> list[Act | ResponseFailed]:
        self._bill(response.usage)
        answer = self._answers.pop(name, _Answer())
        if how != "response.completed":
            unheard: list[Act | ResponseFailed] = [Send(function_call_output(call, CUT_SHORT)) for call in answer.calls]
            return [*unheard, _failure(how, response)]
        if answer.calls:
            answer.complete, self._answers[name] = True, answer
        return [
            ToolCalled(call.call_id, call.name, call.arguments, False, utterances) for call in answer.calls.values()
        ]

    def _bill(self, usage: TokenUsage | None) -> None:
        if usage is None:
            return
        counts = {
            "responses": 1,
            "input_tokens": usage.input_tokens,
            "input_text_tokens": usage.input_tokens,
            "cached_text_tokens": usage.input_tokens_details.cached_tokens,
            "cached_audio_tokens": 0,
            "output_tokens": usage.output_tokens,
            "output_text_tokens": usage.output_tokens,
            "total_tokens": usage.input_tokens + usage.output_tokens,
        }
        self.usage = {name: self.usage.get(name, 0) + count for name, count in counts.items()}


def _failure(how: str, response: Response) -> ResponseFailed:
    code = (response.error and response.error.code) or (
        response.incomplete_details and response.incomplete_details.reason
    )
    return ResponseFailed(code or how.removeprefix("response."), (response.error and response.error.message) or "")
