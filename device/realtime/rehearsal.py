"""PURE. The proof that a second call hears, without a word in the room, and what it is told before it is used.

It is sent silence. `input_audio_buffer.commit` then makes an item of at least 100 ms of it, or is refused with
`input_audio_buffer_commit_empty`: either way the service says whether sound arrives there. A commit asks for no answer,
and the item is deleted again, so that nothing of it is left. Then what was said before is told, line by line, and each has
to be acknowledged.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from itertools import count

from device.realtime.events import (
    ErrorDetail,
    InputCommitted,
    ItemAdded,
    ItemDeleted,
    ResponseCreated,
    ServerEvent,
    ServiceError,
    conversation_item_delete,
    input_audio_buffer_commit,
    response_cancel,
    said_before,
)
from device.realtime.floor import NOTHING_SAID
from device.realtime.history import Line


class Step(StrEnum):
    """How far the proof is."""

    WAITING = "waiting"
    """Nothing is asked: the last try came too early, or none was made."""
    ASKED = "asked"
    """Whether it has heard anything is asked."""
    HEARD = "heard"
    """It has; the silence is still an item of the conversation."""
    TOLD = "told"
    """Silence gone, history told, not all of it acknowledged."""
    PROVEN = "proven"


class Rehearsal:
    """One call before it is used; every method returns the client events to be sent."""

    def __init__(self) -> None:
        self.step = Step.WAITING
        self.refused: str | None = None
        """Why it cannot be used, once that is known."""
        self.silence = ""
        """Id of the item that was made of silence; nothing that is ever said of it counts."""
        self._commit = ""
        self._numbers = count(1)
        self._added: set[str] = set()
        self._told: set[str] = set()
        self._unacknowledged: dict[str, str] = {}

    def ask(self) -> list[str]:
        """Ask whether it has heard anything, unless that is asked or known."""
        if self.step is not Step.WAITING:
            return []
        self.step, self._commit = Step.ASKED, f"hear_{next(self._numbers)}"
        return [input_audio_buffer_commit(self._commit)]

    def tell(self, lines: Iterable[Line]) -> list[str]:
        """Tell what was said before, as far as it was not told yet."""
        return [self._tell(line) for line in lines if line.id not in self._told]

    def handle(self, event: ServerEvent, lines: Iterable[Line]) -> list[str]:
        """Take one event of the service; `lines` are what was said before."""
        match event:
            case InputCommitted(item) if self.step is Step.ASKED:
                self.step, self.silence = Step.HEARD, item
                return self._forget_silence()
            case ItemAdded(item) if self.step in {Step.ASKED, Step.HEARD}:
                self._added.add(item.id or "")
                return self._forget_silence()
            case ItemDeleted(item) if item == self.silence and self.step is Step.HEARD:
                self.step = Step.TOLD
                told = self.tell(lines)
                self._conclude()
                return told
            case ItemAdded(item):
                self._unacknowledged.pop(item.id or "", None)
                self._conclude()
            case ResponseCreated(response):  # not asked for: nobody is to hear it
                return [response_cancel(response.id)]
            case ServiceError(error):
                self._complained(error)
            case _:
                pass
        return []

    def _forget_silence(self) -> list[str]:
        """Delete the silence once it is known by both of its events, whichever comes first."""
        return [conversation_item_delete(self.silence)] if self.silence in self._added else []

    def _tell(self, line: Line) -> str:
        item = f"before_{next(self._numbers)}"
        self._told.add(line.id)
        self._unacknowledged[item] = line.id
        return said_before(line.speaker, line.text, item)

    def _conclude(self) -> None:
        if self.step is Step.TOLD and not self._unacknowledged:
            self.step = Step.PROVEN

    def _complained(self, error: ErrorDetail) -> None:
        if error.code == NOTHING_SAID:
            self.step = Step.WAITING if self.step is Step.ASKED else self.step
        else:
            self.refused = f"{error.code or error.type or 'error'}: {error.message or ''}"
