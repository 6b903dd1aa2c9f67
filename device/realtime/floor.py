"""PURE. Who may speak next: every `response.create` of this device, and the calls of its tools.

The service makes an answer by itself at the end of each turn of a visitor, and allows one answer at a time. What this
device wants answered besides, the outcome of a call or a prompt of its own, waits until nothing is being generated and
nobody talks. By push-to-talk it is this device that ends such a turn and asks, and nobody else. An answer that begins once the outcomes have joined the conversation knows of them, so nothing more is asked
for then.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Final

import msgspec

from device.realtime.events import (
    ErrorDetail,
    InputCommitted,
    Item,
    ItemAdded,
    Response,
    ResponseCreated,
    ResponseDone,
    ServerEvent,
    ServiceError,
    SpeechStarted,
    function_call_output,
    input_audio_buffer_clear,
    input_audio_buffer_commit,
    output_audio_buffer_clear,
    response_cancel,
    response_create,
    system_message,
    user_message,
)

ACTIVE: Final = "conversation_already_has_active_response"
"""The service's own answer was first; ours is asked for again when it is done."""

NOTHING_SAID: Final = "input_audio_buffer_commit_empty"
"""There were less than 100 ms to commit."""

_SAID: Final = "said while the button was held"

STOPPED: Final = "somebody spoke, or stopped the robot, before it had answered"
"""Why nothing came of an operator's wish."""

_NOT_ANSWERED: Final = {
    "cancelled": STOPPED,
    "failed": "the model gave no answer",
    "incomplete": "the model's answer was cut short",
}
"""Why a wish was not answered, by how the response ended (openai-python, `RealtimeResponse.status`)."""

CUT_SHORT: Final = msgspec.json.encode(
    {"ok": False, "error": "not done: the answer that asked for it was cut short"}
).decode()


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The model calls a tool; it waits for `Floor.outcome`, whatever comes of it."""

    call_id: str
    name: str
    arguments: str
    """JSON, as the model wrote it."""
    spoke: bool
    """Whether the same answer has words, too."""
    turn: int
    """Compared with `Floor.turn`: whether somebody has spoken since."""


@dataclass(frozen=True, slots=True)
class Send:
    """A client event to be sent now."""

    event: str


@dataclass(frozen=True, slots=True)
class Heeded:
    """The model has answered what was put to it for an operator's wish; or not, and `why_not` says why."""

    wish: int
    why_not: str = ""


Act = ToolCalled | Send | Heeded


@dataclass(slots=True)
class _Calls:
    """The calls of one response that have no outcome yet, and whether an answer is wanted for any of them."""

    open: set[str]
    follow: bool = False


class Floor:
    """The state of one call; every method returns what is to be done, in order."""

    def __init__(self) -> None:
        self.active: str | None = None
        """Id of the response that is being generated."""
        self.turn = 0
        """How often somebody in the room began to speak."""
        self._theirs = False
        """Somebody talks, or has, and the service has not begun its answer to them."""
        self._held = False
        """Somebody holds the button, and no answer may begin until they let go."""
        self._asked = ""
        self._last = ""
        self._owed = False
        self._calls: list[_Calls] = []
        self._unknown: set[str] = set()
        """Calls whose outcomes, and items of ours, are on their way to the service."""
        self._wishes: dict[str, int] = {}
        """Operators' wishes that no answer has been begun for, by the item that puts each."""
        self._heard: list[int] = []
        """Those that the answer which is being generated knows of."""
        self._numbers = count(1)

    def handle(self, event: ServerEvent) -> list[Act]:
        """Take one event of the service."""
        match event:
            case SpeechStarted():
                self._theirs, self.turn = True, self.turn + 1
            case InputCommitted():
                self._unknown.discard(_SAID)
            case ItemAdded(item):
                self._unknown -= {item.id or "", item.call_id or ""}
            case ResponseCreated(response):
                return self._begun(response)
            case ResponseDone(response):
                self.active = None
                return [*self._heeded(response), *self._called(response), *self._ask()]
            case ServiceError(error):
                return self._refused(error)
            case _:
                pass
        return []

    def outcome(self, call_id: str, output: str, *, follow: bool) -> list[Act]:
        """Take what came of a call; with `follow`, an answer is wanted once all calls of its response have one.

        An outcome that comes twice, or of no call, does nothing.
        """
        calls = next((calls for calls in self._calls if call_id in calls.open), None)
        if calls is None:
            return []
        calls.open.discard(call_id)
        calls.follow = calls.follow or follow
        self._unknown.add(call_id)
        acts: list[Act] = [Send(function_call_output(call_id, output))]
        if calls.open:
            return acts
        self._calls.remove(calls)
        self._owed = self._owed or calls.follow
        return [*acts, *self._ask()]

    def prompt(self, text: str, wish: int = 0) -> list[Act]:
        """Have the model say something as soon as the floor is free; `Heeded` follows for a `wish` with a number."""
        item = f"prompt_{next(self._numbers)}"
        return self._put(item, system_message(text, item), wish)

    def write(self, text: str, wish: int = 0) -> list[Act]:
        """Put a visitor's question in writing; it is answered as soon as the floor is free, and `Heeded` as above."""
        item = f"written_{next(self._numbers)}"
        return self._put(item, user_message(text, item), wish)

    def _put(self, item: str, event: str, wish: int) -> list[Act]:
        self._owed = True
        self._unknown.add(item)
        if wish:
            self._wishes[item] = wish
        return [Send(event), *self._ask()]

    def take(self, *, fresh: bool) -> list[Act]:
        """Somebody takes the floor by push-to-talk; with `fresh`, what was heard before is not part of what they say."""
        self._held = self._theirs = True
        self.turn += 1
        return [Send(input_audio_buffer_clear())] if fresh else []

    def give(self, *, answer: bool) -> list[Act]:
        """They give it back: what they said is answered, or forgotten."""
        self._held = self._theirs = False
        self._owed = self._owed or answer
        if answer:
            self._unknown.add(_SAID)
        return [Send(input_audio_buffer_commit() if answer else input_audio_buffer_clear()), *self._ask()]

    def _begun(self, response: Response) -> list[Act]:
        self.active, self._theirs, self._asked = response.id or "", self._held, ""
        self._owed = self._owed and bool(self._unknown)
        known = [item for item in self._wishes if item not in self._unknown]
        self._heard += [self._wishes.pop(item) for item in known]
        if self._held:  # it was on its way when they pressed
            return [Send(response_cancel()), Send(output_audio_buffer_clear())]
        return []

    def _heeded(self, response: Response) -> list[Act]:
        """Tell what came of the wishes that an answer knew of."""
        heard, self._heard = self._heard, []
        return [Heeded(wish, _NOT_ANSWERED.get(response.status or "", "")) for wish in heard]

    def _called(self, response: Response) -> list[Act]:
        found = [item for item in response.output or () if item.type == "function_call" and item.call_id]
        if response.status != "completed":
            return [Send(function_call_output(call.call_id or "", CUT_SHORT)) for call in found if _whole(call)]
        spoke = any(item.type == "message" for item in response.output or ())
        if found:
            self._calls.append(_Calls({call.call_id or "" for call in found}))
        return [
            ToolCalled(call.call_id or "", call.name or "", call.arguments or "", spoke, self.turn) for call in found
        ]

    def _ask(self) -> list[Act]:
        """Ask for an answer if one is owed and the floor is free."""
        if not self._owed or self._asked or self._theirs or self.active is not None:
            return []
        self._owed, self._asked = False, f"kaiwa_{next(self._numbers)}"
        self._last = self._asked
        return [Send(response_create(self._asked))]

    def _refused(self, error: ErrorDetail) -> list[Act]:
        if error.code == NOTHING_SAID:
            self._unknown.discard(_SAID)
        if error.code == ACTIVE and error.event_id in {None, self._last}:
            self._asked, self._owed = "", True  # until that answer is done: to ask at once would be to ask for ever
            return []
        if self._asked and error.event_id == self._asked:
            self._asked = ""
            return self._ask()
        return []


def _whole(call: Item) -> bool:
    return call.status == "completed"
