"""PURE. One response of the model: what is sent at each step, and what closes it when it is cut short."""

from __future__ import annotations

from typing import Any

from provisioning.local.realtime import messages
from provisioning.local.realtime.identifiers import identifier
from provisioning.local.realtime.messages import Event
from provisioning.local.realtime.refusals import RefusedError


class Response:
    """The steps of one response, in the order of a call over WebRTC: create, open, say, close, call, finish."""

    def __init__(self, conversation: str, previous_item: str | None) -> None:
        self.id = identifier("resp")
        self.item = identifier("item")
        """The id of what is said."""
        self.text = ""
        """What has been said so far."""
        self._conversation, self._previous = conversation, previous_item
        self._output: list[dict[str, Any]] = []
        self._speaking = False
        self._calling: dict[str, Any] | None = None

    def create(self) -> Event:
        """The model begins to think."""
        return messages.response_event("created", self._view("in_progress"))

    def open(self) -> list[Event]:
        """It is going to say something: an item without content, then its empty part."""
        self._speaking = True
        item = self._whole("in_progress", None)
        return [
            messages.output_item("added", self.id, item),
            messages.item_added(item, self._previous),
            messages.content("content_part.added", self.id, self.item, part=self._part("")),
        ]

    def say(self, words: str) -> Event:
        """A few more words."""
        self.text += words
        return messages.content("output_audio_transcript.delta", self.id, self.item, delta=words)

    def close(self, status: str = "completed") -> list[Event]:
        """Nothing more is said."""
        if not self._speaking:
            return []
        self._speaking = False
        return [
            *self._done(),
            messages.content("content_part.done", self.id, self.item, part=self._part(self.text)),
            *self._add(self._whole(status, self.text)),
        ]

    def _done(self) -> list[Event]:
        return [
            messages.content("output_audio.done", self.id, self.item),
            messages.content("output_audio_transcript.done", self.id, self.item, transcript=self.text),
        ]

    def _whole(self, status: str, text: str | None) -> dict[str, Any]:
        return messages.assistant_item(self.item, status, text)

    def _part(self, text: str) -> dict[str, Any]:
        return {"type": "audio", "transcript": text}

    def call(self, call_id: str, name: str) -> list[Event]:
        """A tool is going to be called."""
        self._calling = item = messages.call_item(identifier("item"), call_id, name, "in_progress", "")
        return [
            messages.output_item("added", self.id, dict(item), len(self._output)),
            messages.item_added(dict(item), self._previous),
        ]

    def write(self, piece: str) -> Event:
        """A few more letters of its arguments.

        Raises:
            LookupError: no tool is being called.
        """
        if self._calling is None:
            raise LookupError("no tool is being called")
        self._calling["arguments"] += piece
        return messages.call_arguments("delta", self.id, self._calling, len(self._output), delta=piece)

    def end_call(self, status: str = "completed") -> list[Event]:
        """The arguments are complete, or cut short."""
        item, self._calling = self._calling, None
        if item is None:
            return []
        whole = {"name": item["name"], "arguments": item["arguments"]}
        return [
            messages.call_arguments("done", self.id, item, len(self._output), **whole),
            *self._add(item | {"status": status}),
        ]

    def complete(self, usage: dict[str, Any]) -> list[Event]:
        """All has been said and called; the sound may still play."""
        closing = [*self.close(), *self.end_call()]
        done = self._view("completed", output=self._output, usage=usage)
        return [*closing, messages.response_event("done", done)]

    def cancel(self, reason: str, usage: dict[str, Any]) -> list[Event]:
        """It is cut short: `turn_detected` or `client_cancelled`."""
        closing = [*self.close("incomplete"), *self.end_call("incomplete")]
        details = {"type": "cancelled", "reason": reason}
        done = self._view("cancelled", output=self._output, status_details=details, usage=usage)
        return [*closing, messages.response_event("done", done)]

    def fail(self, refusal: RefusedError) -> Event:
        """It fails before a word was said; nothing is billed."""
        error = {"type": refusal.kind, "code": refusal.code, "message": refusal.message}
        details = {"type": "failed", "error": error}
        return messages.response_event("done", self._view("failed", status_details=details))

    def _add(self, item: dict[str, Any]) -> list[Event]:
        """Add an item that is done to the output."""
        before, self._previous = self._previous, item["id"]
        self._output.append(item)
        return [
            messages.output_item("done", self.id, item, len(self._output) - 1),
            messages.item_done(item, before),
        ]

    def _view(self, status: str, **fields: Any) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "realtime.response",
            "status": status,
            "status_details": None,
            "output": [],
            "conversation_id": self._conversation,
            "output_modalities": ["audio"],
            "max_output_tokens": "inf",
            "metadata": None,
            "usage": None,
            **fields,
        }


class WrittenResponse(Response):
    """The same for an answer in writing."""

    def say(self, words: str) -> Event:
        """A few more words."""
        self.text += words
        return messages.content("output_text.delta", self.id, self.item, delta=words)

    def _done(self) -> list[Event]:
        return [messages.content("output_text.done", self.id, self.item, text=self.text)]

    def _whole(self, status: str, text: str | None) -> dict[str, Any]:
        return messages.written_item(self.item, status, text)

    def _part(self, text: str) -> dict[str, Any]:
        return {"type": "text", "text": text}

    def _view(self, status: str, **fields: Any) -> dict[str, Any]:
        return super()._view(status, output_modalities=["text"], **fields)
