"""PURE. One response of the model: what is sent at each step, and what closes it when it is cut short."""

from __future__ import annotations

from typing import Any

from provisioning.local.realtime import messages
from provisioning.local.realtime.identifiers import identifier
from provisioning.local.realtime.messages import Event
from provisioning.local.realtime.refusals import RefusedError


class Response:
    """The steps of one response, in the order of a call over WebRTC: create, open, say, finish."""

    def __init__(self, conversation: str, previous_item: str | None) -> None:
        self.id = identifier("resp")
        self.item = identifier("item")
        self.text = ""
        """What has been said so far."""
        self._conversation, self._previous = conversation, previous_item
        self._opened = False

    def create(self) -> Event:
        """The model begins to think."""
        return messages.response_event("created", self._view("in_progress"))

    def open(self) -> list[Event]:
        """It is going to say something: an item without content, then its empty audio part."""
        self._opened = True
        item = messages.assistant_item(self.item, "in_progress", None)
        part = {"type": "audio", "transcript": ""}
        return [
            messages.output_item("added", self.id, item),
            messages.item_added(item, self._previous),
            messages.content("content_part.added", self.id, self.item, part=part),
        ]

    def say(self, words: str) -> Event:
        """A few more words."""
        self.text += words
        return messages.content("output_audio_transcript.delta", self.id, self.item, delta=words)

    def complete(self, usage: dict[str, Any]) -> list[Event]:
        """All has been said; the sound may still play."""
        done = self._view("completed", output=[self._item("completed")], usage=usage)
        return [*self._closing("completed"), messages.response_event("done", done)]

    def cancel(self, reason: str, usage: dict[str, Any]) -> list[Event]:
        """It is cut short: `turn_detected` or `client_cancelled`."""
        details = {"type": "cancelled", "reason": reason}
        output = [self._item("incomplete")] if self._opened else []
        done = self._view("cancelled", output=output, status_details=details, usage=usage)
        return [*self._closing("incomplete"), messages.response_event("done", done)]

    def fail(self, refusal: RefusedError) -> Event:
        """It fails before a word was said; nothing is billed."""
        error = {"type": refusal.kind, "code": refusal.code, "message": refusal.message}
        details = {"type": "failed", "error": error}
        return messages.response_event("done", self._view("failed", status_details=details))

    def _closing(self, status: str) -> list[Event]:
        if not self._opened:
            return []
        part = {"type": "audio", "transcript": self.text}
        item = self._item(status)
        return [
            messages.content("output_audio.done", self.id, self.item),
            messages.content("output_audio_transcript.done", self.id, self.item, transcript=self.text),
            messages.content("content_part.done", self.id, self.item, part=part),
            messages.output_item("done", self.id, item),
            messages.item_done(item, self._previous),
        ]

    def _item(self, status: str) -> dict[str, Any]:
        return messages.assistant_item(self.item, status, self.text)

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
