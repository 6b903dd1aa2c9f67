"""PURE. One answer of the model behind a Live model, as the Responses API streams it.

Shapes after `openai.types.responses`; snapshots have neither instructions nor tools nor output, as the documentation of
`response.event` says.
"""

from __future__ import annotations

from typing import Any, Final

from provisioning.local.realtime.calling import Call
from provisioning.local.realtime.identifiers import identifier, tool_call_id

LETTERS_PER_TOKEN: Final = 4


class BackendAnswer:
    """The events of one answer, in order: begin, any number of calls or words, then complete.

    `given` are the tokens that it reads, and `now` the Unix time.
    """

    def __init__(self, model: str, given: int, now: float) -> None:
        self.id = identifier("resp")
        self._model, self._given, self._made = model, given, 0
        self._created_at = now
        self._events = self._items = 0

    def begin(self) -> dict[str, Any]:
        """It begins to think."""
        return self._event("response.created", response=self._view("in_progress"))

    def call(self, call: Call) -> tuple[str, dict[str, Any]]:
        """It calls a tool; return the id of the call, too."""
        call_id = tool_call_id()
        item = {"type": "function_call", "id": identifier("fc"), "call_id": call_id, "name": call.name}
        return call_id, self._put_out(item | {"arguments": call.text, "status": "completed"}, call.text)

    def say(self, text: str) -> dict[str, Any]:
        """It writes what the Live model is to tell."""
        part = {"type": "output_text", "text": text, "annotations": []}
        item = {"type": "message", "id": identifier("msg"), "role": "assistant", "content": [part]}
        return self._put_out(item | {"status": "completed"}, text)

    def complete(self) -> dict[str, Any]:
        """It is done."""
        usage = {
            "input_tokens": self._given,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": self._made,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": self._given + self._made,
        }
        return self._event("response.completed", response=self._view("completed", usage=usage))

    def fail(self, code: str) -> dict[str, Any]:
        """It fails; nothing is billed."""
        return self._event(
            "response.failed", response=self._view("failed", error={"code": code, "message": "Told to fail."})
        )

    def _put_out(self, item: dict[str, Any], text: str) -> dict[str, Any]:
        self._made += 1 + len(text) // LETTERS_PER_TOKEN
        self._items += 1
        return self._event("response.output_item.done", item=item, output_index=self._items - 1)

    def _event(self, kind: str, **fields: Any) -> dict[str, Any]:
        self._events += 1
        return {"type": kind, "sequence_number": self._events - 1, **fields}

    def _view(self, status: str, **fields: Any) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "response",
            "created_at": self._created_at,
            "status": status,
            "model": self._model,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "output": [],
            "parallel_tool_calls": True,
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            **fields,
        }
