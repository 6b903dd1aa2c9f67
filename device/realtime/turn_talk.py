"""PURE. A call of the Realtime API: turns, answers and rehearsal, from the events of its data channel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from device.realtime.conversation import EXPIRED, Conversation, Turn
from device.realtime.events import (
    EventReader,
    ServerEvent,
    ServiceError,
    SessionCreated,
    output_audio_buffer_clear,
    response_cancel,
)
from device.realtime.floor import Floor, Send
from device.realtime.history import Line
from device.realtime.rehearsal import Rehearsal, Step
from device.realtime.talk import Deed


class TurnTalk:
    """Conversation, floor and rehearsal of one call; an implementation of `Talk`."""

    due: float | None = None
    closed = False

    def __init__(self) -> None:
        self.session = ""
        self.conversation = Conversation()
        """Whose turn it is, and what it cost so far."""
        self.floor = Floor()
        """Who may speak next, and the calls of tools."""
        self._events = EventReader()
        self._rehearsal = Rehearsal()
        self._before: Callable[[], Sequence[Line]] | None = None
        """What was said in calls before this one, while it is rehearsed."""

    @property
    def turn(self) -> Turn:
        """Whose turn it is."""
        return self.conversation.turn

    @property
    def utterances(self) -> int:
        """How often somebody in the room began to speak."""
        return self.floor.turn

    @property
    def usage(self) -> dict[str, int]:
        """Tokens so far, and the number of responses billed."""
        return self.conversation.usage

    @property
    def counters(self) -> dict[str, float]:
        """How many events were malformed or unknown."""
        return {"events_malformed": float(self._events.malformed), "events_unknown": float(self._events.unknown)}

    def receive(self, data: str | bytes, now: float, played: float) -> list[Deed]:
        """Take one message of the data channel."""
        event = self._events.read(data)
        if event is None:
            return []
        if isinstance(event, SessionCreated):
            self.session = f"{event.session.id} of {event.session.model}"
        if self._before is not None and not _expired(event):
            return [Send(client_event) for client_event in self._rehearsal.handle(event, self._before())]
        return [*self.conversation.handle(event, now, played), *self.floor.handle(event)]

    def tick(self, now: float, played: float) -> list[Deed]:
        """Do nothing: each turn ends with an event."""
        del now, played
        return []

    def prompt(self, text: str, wish: int = 0) -> list[Deed]:
        """Have the model say something, as soon as nobody else does."""
        return [*self.floor.prompt(text, wish)]

    def write(self, text: str, wish: int = 0) -> list[Deed]:
        """Put a question in writing."""
        return [*self.floor.write(text, wish)]

    def interrupt(self, now: float, played: float) -> list[Deed]:
        """Cancel what is being made, and stop its sound, here at once and at the service."""
        del now, played
        cancel = [] if self.floor.active is None else [Send(response_cancel())]
        return [*cancel, Send(output_audio_buffer_clear()), *self.conversation.interrupt()]

    def take_floor(self, now: float, played: float, *, fresh: bool) -> list[Deed]:
        """Stop whatever the assistant is saying; with `fresh`, forget what was heard before."""
        speaking = self.floor.active is not None or self.turn is Turn.SPEAKING
        stopping = self.interrupt(now, played) if speaking else []
        return [*stopping, *self.conversation.take(now, played), *self.floor.take(fresh=fresh)]

    def give_floor(self, *, answer: bool) -> list[Deed]:
        """Have what they said answered, or forgotten."""
        return [*self.conversation.give(answer=answer), *self.floor.give(answer=answer)]

    def outcome(self, call_id: str, output: str, *, follow: bool) -> list[Deed]:
        """Tell the model what came of a call; with `follow`, it answers once it knows of all of them."""
        return [*self.floor.outcome(call_id, output, follow=follow)]

    def end(self, now: float, played: float) -> list[Deed]:
        """Close what is open."""
        return [*self.conversation.end(now, played)]

    def goodbye(self) -> list[Send]:
        """Say nothing: a call is over when its connection is."""
        return []

    @property
    def step(self) -> str:
        """How far the rehearsal is."""
        return self._rehearsal.step

    @property
    def proven(self) -> bool:
        """Whether the service hears this call and knows what was said before."""
        return self._rehearsal.step is Step.PROVEN

    @property
    def refused(self) -> str | None:
        """Why the call cannot be used, once that is known."""
        return self._rehearsal.refused

    def rehearse(self, before: Callable[[], Sequence[Line]]) -> None:
        """Listen for the proof alone from now on."""
        self._before = before

    def ask(self) -> list[Deed]:
        """Ask whether it has heard anything, unless that is asked or known."""
        return [Send(client_event) for client_event in self._rehearsal.ask()]

    def use(self) -> None:
        """The rehearsal is over; of the silence in it no words are shown."""
        self._before = None
        self.conversation.forget(self._rehearsal.silence)

    def tell(self, lines: Iterable[Line]) -> list[Deed]:
        """Tell what was said before in other calls, as far as the rehearsal has not."""
        return [Send(client_event) for client_event in self._rehearsal.tell(lines)]


def _expired(event: ServerEvent) -> bool:
    return isinstance(event, ServiceError) and event.error.code == EXPIRED
