"""PURE. A Live session: phases, captions, tools and cost, from the events of its data channel.

It is full duplex and knows no turns, so the phases are made from what there is. The robot *speaks* from the first words
of its transcript until a moment after the last of them; the model *thinks* while work that it gave away has not come
back; else the robot *listens*. Somebody in the room speaks from the first words of theirs until a moment after the last.
Whoever does so while the robot speaks makes it listen, until it goes on speaking. What the robot says cannot be taken
back: the service cuts nothing that we would hear of, so what is heard is what comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import ceil
from typing import Final

from device.messages.prices import LIVE_SHORTEST
from device.messages.reports import Speaker
from device.realtime.conversation import (
    CLOSED_BY_SERVICE,
    EXPIRED,
    Complained,
    Flush,
    ResponseFailed,
    SessionOver,
    Speech,
    Spoken,
    Turn,
    TurnChanged,
)
from device.realtime.floor import STOPPED, Heeded, Send
from device.realtime.history import Line
from device.realtime.live.captions import Lines
from device.realtime.live.delegations import Delegations
from device.realtime.live.events import (
    BackendEvent,
    ContextAppended,
    DelegationCreated,
    EventReader,
    LiveError,
    RobotWords,
    ServerEvent,
    SessionClosed,
    SessionFacts,
    SessionStarted,
    UsageUpdated,
    VisitorWords,
    instructions_append,
    pieces,
    session_close,
)
from device.realtime.live.rehearsal import LiveRehearsal
from device.realtime.talk import Deed

QUIET: Final = 1.2
"""Seconds without further words after which somebody has stopped speaking: more than between two words or sentences."""

ANSWERED: Final = 0.4
"""Seconds after somebody's last words after which a robot that begins to speak is taken to answer, not to talk over them."""

FURTHEST: Final = 10.0
"""Seconds after their arrival beyond which no words are believed to lie."""

STOP: Final = "Somebody at the robot wants silence. Stop speaking at once, and wait until you are spoken to."

WRITTEN: Final = 'A visitor asks in writing: "{text}" Answer them aloud now.'


class LiveTalk:
    """The state of one Live session; an implementation of `device.realtime.talk.Talk`."""

    def __init__(self) -> None:
        self.session = ""
        self.turn = Turn.LISTENING
        self.utterances = 0
        self.closed = False
        self._events, self._delegations, self._rehearsal = EventReader(), Delegations(), LiveRehearsal()
        self._robot, self._visitor = Lines("", Speaker.ASSISTANT), Lines("", Speaker.USER)
        self._speaking_until: float | None = None
        self._talking_until: float | None = None
        self._heard_until = 0.0
        """Where the last words of a visitor end."""
        self._began: float | None = None
        self._seconds = 0.0
        self._over = False
        self._wishes: list[int] = []
        """Operators' wishes since which the robot has said nothing."""
        self._spoken_of: list[int] = []
        """Those since which it speaks."""

    @property
    def usage(self) -> dict[str, int]:
        """Seconds of the session, as reported or as far as we know, and tokens of the model behind."""
        return {**self._delegations.usage, "live_seconds": max(LIVE_SHORTEST, ceil(self._seconds))}

    @property
    def counters(self) -> dict[str, float]:
        """How many events were malformed or unknown."""
        return {"events_malformed": float(self._events.malformed), "events_unknown": float(self._events.unknown)}

    @property
    def due(self) -> float | None:
        """When somebody has stopped speaking, if they do not go on."""
        return min((at for at in (self._speaking_until, self._talking_until) if at is not None), default=None)

    def receive(self, data: str | bytes, now: float, played: float) -> list[Deed]:
        """Take one message of the data channel."""
        del played
        self._count(now)
        event = self._events.read(data)
        if event is None:
            return []
        match event:
            case SessionStarted(session):
                self._start(session, now)
            case SessionClosed():
                return self._closed(event)
            case _ if self._began is None:
                pass  # nothing is said in a session that has not begun
            case UsageUpdated(usage):
                self._seconds = max(self._seconds, usage.seconds)
            case _ if self._rehearsal.going_on:
                self._rehearse(event)
            case _ if not self._over:
                return self._happened(event, now)
        return []

    def tick(self, now: float, played: float) -> list[Deed]:
        """Notice who has stopped speaking."""
        del played
        self._count(now)
        stopped: list[Deed] = []
        if self._talking_until is not None and now >= self._talking_until:
            stopped += self._heard_out()
        if self._speaking_until is not None and now >= self._speaking_until:
            stopped += [*self._quiet(), Spoken(), *self._heeded()]
        return stopped

    def prompt(self, text: str, wish: int = 0) -> list[Deed]:
        """Have the model say something: it is told so, and itself chooses the moment.

        A `wish` with a number counts as heeded when the robot has spoken next; the service does not say what of.
        """
        if wish:
            self._wishes.append(wish)
        return [Send(instructions_append(piece)) for piece in pieces(text)]

    def write(self, text: str, wish: int = 0) -> list[Deed]:
        """Put a question in writing; what a visitor would write has no event of its own, so the model is told of it."""
        return self.prompt(WRITTEN.format(text=text.replace('"', "'")), wish)

    def interrupt(self, now: float, played: float) -> list[Deed]:
        """Ask for silence, and drop what has not been played; nothing makes a Live model stop."""
        del now, played
        if self.turn is not Turn.SPEAKING:
            return []
        return [Flush(), *self._quiet(), *self._heeded(STOPPED), Send(instructions_append(STOP))]

    def take_floor(self, now: float, played: float, *, fresh: bool) -> list[Deed]:
        """Do nothing: a Live session hears always, and no profile of one has push-to-talk."""
        del now, played, fresh
        return []

    def give_floor(self, *, answer: bool) -> list[Deed]:
        """Do nothing, as with `take_floor`."""
        del answer
        return []

    def outcome(self, call_id: str, output: str, *, follow: bool) -> list[Deed]:
        """Tell the model behind what came of a call; whether anything is said of it is for the Live model to decide."""
        del follow
        return [*self._delegations.outcome(call_id, output)]

    def end(self, now: float, played: float) -> list[Deed]:
        """Close what is open."""
        del played
        if not self._over:
            self._count(now)
        self._over, self._talking_until = True, None
        return [*self._visitor.close(), *self._quiet(Turn.LISTENING)]

    def goodbye(self) -> list[Send]:
        """Ask the service to close the session, so that it is billed no longer."""
        return [Send(session_close())] if self.session and not self.closed else []

    @property
    def step(self) -> str:
        """How far the rehearsal is."""
        return self._rehearsal.step

    @property
    def proven(self) -> bool:
        """Whether the session has taken what was said before."""
        return self._rehearsal.proven

    @property
    def refused(self) -> str | None:
        """Why it cannot be used, once that is known."""
        return self._rehearsal.refused

    def rehearse(self, before: Callable[[], Sequence[Line]]) -> None:
        """Look only at whether the session takes what it is told."""
        self._rehearsal.begin(before)

    def ask(self) -> list[Deed]:
        """Tell it what was said before, once."""
        return [Send(event) for event in self._rehearsal.ask()]

    def use(self) -> None:
        """The rehearsal is over."""
        self._rehearsal.use()

    def tell(self, lines: Iterable[Line]) -> list[Deed]:
        """Tell what was said meanwhile."""
        return [Send(event) for event in self._rehearsal.tell(lines)]

    # What comes ------------------------------------------------------------------------------------------------------

    def _count(self, now: float) -> None:
        """Reckon with the time that has passed, for the service reports less often than a call can end."""
        if self._began is not None and not self._over:
            self._seconds = max(self._seconds, now - self._began)

    def _start(self, session: SessionFacts, now: float) -> None:
        if self._began is not None:
            return
        self.session, self._began = f"{session.id} of {session.model}", now
        prefix = session.id[-64:]
        self._robot, self._visitor = Lines(prefix, Speaker.ASSISTANT), Lines(prefix, Speaker.USER)

    def _closed(self, event: SessionClosed) -> list[Deed]:
        self.closed, self._seconds = True, max(self._seconds, event.usage.seconds)
        if self._over:
            return []
        match event.reason:
            case "expired":
                return [SessionOver(EXPIRED)]
            case "connection_lost":
                return [SessionOver("media: the service has lost the connection")]
            case "content":
                text = "the service has ended the session for what was said in it"
                return [ResponseFailed("content_filter", text), SessionOver(CLOSED_BY_SERVICE)]
            case _:
                return [SessionOver(CLOSED_BY_SERVICE)]

    def _rehearse(self, event: ServerEvent) -> None:
        match event:
            case ContextAppended():
                self._rehearsal.appended(event)
            case LiveError(error):
                self._rehearsal.complained(error)
            case _:
                pass

    def _happened(self, event: ServerEvent, now: float) -> list[Deed]:
        match event:
            case VisitorWords():
                return self._heard(event, now)
            case RobotWords():
                return self._said(event, now)
            case DelegationCreated(delegation):
                self._delegations.created(delegation.id)
                return self._thinking()
            case BackendEvent():
                return [*self._delegations.handle(event, self.utterances), *self._thinking()]
            case LiveError(error):
                return [Complained(error.code or error.type or "error", error.message)]
            case _:
                return []

    def _heard(self, event: VisitorWords, now: float) -> list[Deed]:
        begun: list[Deed] = []
        if self._talking_until is None:
            self.utterances += 1
            begun = [*self._become(Turn.LISTENING), Speech(began=True)]
        start, end = self._placed(event, now)
        self._heard_until, self._talking_until = end, max(end, now) + QUIET
        return [*begun, *self._visitor.add(event.delta, start, end)]

    def _said(self, event: RobotWords, now: float) -> list[Deed]:
        answering = self._talking_until is not None and now - self._heard_until >= ANSWERED
        heard_out = self._heard_out() if answering else []
        start, end = self._placed(event, now)
        self._speaking_until = max(end, now) + QUIET
        self._spoken_of, self._wishes = [*self._spoken_of, *self._wishes], []
        return [*heard_out, *self._become(Turn.SPEAKING), *self._robot.add(event.delta, start, end)]

    def _heeded(self, why_not: str = "") -> list[Deed]:
        """The robot has spoken since these were wished for, or was stopped."""
        spoken_of, self._spoken_of = self._spoken_of, []
        return [Heeded(wish, why_not) for wish in spoken_of]

    def _heard_out(self) -> list[Deed]:
        """Whoever was speaking in the room has stopped."""
        self._talking_until = None
        return [*self._visitor.close(), Speech(began=False)]

    def _placed(self, event: VisitorWords | RobotWords, now: float) -> tuple[float, float]:
        """Return from when to when these words are spoken."""
        began = now if self._began is None else self._began
        start = min(began + event.start_ms / 1000, now)
        return start, max(start, min(began + event.end_ms / 1000, now + FURTHEST))

    def _thinking(self) -> list[Deed]:
        if self.turn is Turn.SPEAKING:
            return []
        return self._become(self._rest())

    def _rest(self) -> Turn:
        return Turn.THINKING if self._delegations.working else Turn.LISTENING

    def _quiet(self, turn: Turn | None = None) -> list[Deed]:
        """The robot says nothing any more."""
        self._speaking_until = None
        return [*self._robot.close(), *self._become(turn or self._rest())]

    def _become(self, turn: Turn) -> list[Deed]:
        if turn is self.turn:
            return []
        self.turn = turn
        return [TurnChanged(turn)]
