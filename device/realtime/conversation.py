"""PURE. One conversation: whose turn it is, what to show, what it cost, and when it is over.

The sound is what counts, not the generation: the assistant speaks from `output_audio_buffer.started` until
`stopped` or `cleared`, while `response.done` comes seconds earlier. Events may come in any order and twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from device.realtime.captions import AssistantCaptions, Captioned, UserCaptions
from device.realtime.events import (
    CachedDetails,
    ErrorDetail,
    InputCommitted,
    ItemAdded,
    ItemDeleted,
    PlaybackCleared,
    PlaybackStarted,
    PlaybackStopped,
    Response,
    ResponseCreated,
    ResponseDone,
    ServerEvent,
    ServiceError,
    SessionCreated,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    TranscriptDelta,
    TranscriptDone,
    Usage,
    UserTranscriptDelta,
    UserTranscriptDone,
    UserTranscriptFailed,
)
from device.realtime.floor import ACTIVE, Heeded, ToolCalled


class Turn(StrEnum):
    """Whose turn it is."""

    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"


@dataclass(frozen=True, slots=True)
class Answered:
    """The service took the call; it goes on there until somebody hangs up, even if nothing ever comes through."""

    call_id: str


@dataclass(frozen=True, slots=True)
class TurnChanged:
    """The turn went over."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class Speech:
    """Somebody in the room began to speak, or has stopped."""

    began: bool


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the assistant said was sent to its end, not cut."""


@dataclass(frozen=True, slots=True)
class Flush:
    """Drop at once what has not been played yet."""


@dataclass(frozen=True, slots=True)
class ResponseFailed:
    """The model gave no answer, or not all of it; without a sign the robot would seem mute."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Complained:
    """The service refused something of ours; the session goes on."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class SessionOver:
    """The service ended the session."""

    reason: str


CallEvent = (
    Answered
    | TurnChanged
    | Speech
    | Spoken
    | Flush
    | Captioned
    | ResponseFailed
    | Complained
    | SessionOver
    | ToolCalled
    | Heeded
)

CLOSED_BY_SERVICE: Final = "closed by the service"
"""Why a call is over that the service has closed, by itself or because the cloud has hung up."""

EXPIRED: Final = "session_expired"
"""The error code that ends a session, after 60 minutes (developers.openai.com/api/docs/guides/realtime)."""

HARMLESS: Final = frozenset({"response_cancel_not_active", ACTIVE})
"""Error codes that two sides talking at the same time give each other; nothing is wrong."""


class Conversation:
    """The state of one call, and what each event means for the rest of the device."""

    def __init__(self) -> None:
        self.turn = Turn.LISTENING
        self.usage: dict[str, int] = {}
        """Token totals of the session so far, and the number of responses billed."""
        self.over: str | None = None
        self._now = float("-inf")
        self._voice_played = 0.0
        self._held_since: float | None = None
        self._assistant = AssistantCaptions()
        self._user = UserCaptions()

    def handle(self, event: ServerEvent, now: float, played: float | None = None) -> list[CallEvent]:
        """Return what follows from `event`, which arrived at `now` seconds on any clock that does not go back.

        `played` is how many seconds of the assistant's voice the speaker had taken by then; `now` where nobody counts.
        """
        now = self._come(now, played)
        follows: list[CallEvent] = []
        match event:
            case SpeechStarted() | SpeechStopped() | InputCommitted():
                follows += self._heard(event, now)
            case PlaybackStarted() | PlaybackStopped() | PlaybackCleared():
                follows += self._played(event, now)
            case ResponseCreated() | ResponseDone():
                follows += self._generated(event)
            case TranscriptDelta() | TranscriptDone():
                follows += self._spoken(event, now)
            case UserTranscriptDelta() | UserTranscriptDone() | UserTranscriptFailed():
                follows += self._transcribed(event, now)
            case ServiceError(error):
                follows += self._refused(error)
            case SessionCreated() | SessionUpdated() | ItemAdded() | ItemDeleted():
                pass
        return follows

    def interrupt(self) -> list[CallEvent]:
        """Somebody wants silence now: what the device does before the service has heard of it."""
        if self.turn is not Turn.SPEAKING:
            return []
        return [Flush(), *self._turn(Turn.LISTENING)]

    def forget(self, item: str) -> None:
        """Show no words of an item that nobody has said."""
        self._user.forget(item)

    def take(self, now: float, played: float | None = None) -> list[CallEvent]:
        """Somebody holds the button from now on and is heard (push-to-talk)."""
        self._held_since = self._come(now, played)
        return [*(self.interrupt() or self._turn(Turn.LISTENING)), Speech(began=True)]

    def give(self, *, answer: bool) -> list[CallEvent]:
        """They have let go; what they said becomes an item only if it is to be answered."""
        if not answer:
            self._held_since = None
        return [Speech(began=False)]

    def end(self, now: float, played: float | None = None) -> list[CallEvent]:
        """Close what is open; nothing more will come."""
        now = self._come(now, played)
        return [
            *self._assistant.cut_all(now, self._voice_played),
            *self._user.fail_all(now),
            *self._turn(Turn.LISTENING),
        ]

    def _come(self, now: float, played: float | None) -> float:
        """Return `now`, which does not go back, and note how much of the voice the speaker has played by then."""
        self._now = max(self._now, now)
        self._voice_played = self._now if played is None else played
        return self._now

    def _turn(self, turn: Turn) -> list[CallEvent]:
        if turn is self.turn:
            return []
        self.turn = turn
        return [TurnChanged(turn)]

    def _heard(self, event: SpeechStarted | SpeechStopped | InputCommitted, now: float) -> list[CallEvent]:
        if isinstance(event, SpeechStarted):
            self._user.begin(event.item_id, now)
            return [*(self.interrupt() or self._turn(Turn.LISTENING)), Speech(began=True)]
        stopped: list[CallEvent] = []
        if isinstance(event, InputCommitted) and self._held_since is not None:
            self._user.begin(event.item_id, self._held_since)
            self._user.finish(event.item_id, now)
            self._held_since = None
        if isinstance(event, SpeechStopped):
            self._user.finish(event.item_id, now)
            stopped = [Speech(began=False)]
        return stopped if self.turn is Turn.SPEAKING else [*stopped, *self._turn(Turn.THINKING)]

    def _played(self, event: PlaybackStarted | PlaybackStopped | PlaybackCleared, now: float) -> list[CallEvent]:
        match event:
            case PlaybackStarted(response):
                return [*self._turn(Turn.SPEAKING), *self._assistant.begin(response, now, self._voice_played)]
            case PlaybackStopped(response):
                return [*self._assistant.finish(response, now, self._voice_played), *self._silent(), Spoken()]
            case PlaybackCleared(response):
                return [Flush(), *self._assistant.cut(response, now, self._voice_played), *self._silent()]

    def _silent(self) -> list[CallEvent]:
        return self._turn(Turn.LISTENING) if self.turn is Turn.SPEAKING else []

    def _generated(self, event: ResponseCreated | ResponseDone) -> list[CallEvent]:
        if isinstance(event, ResponseCreated):
            return [] if self.turn is Turn.SPEAKING else self._turn(Turn.THINKING)
        self._bill(event.response.usage)
        over = self.turn is Turn.THINKING and not _calls_tools(event.response)
        return [*_failure(event.response), *(self._turn(Turn.LISTENING) if over else [])]

    def _spoken(self, event: TranscriptDelta | TranscriptDone, now: float) -> list[Captioned]:
        if isinstance(event, TranscriptDelta):
            return self._assistant.add(event.response_id, event.item_id, event.delta, now)
        return self._assistant.settle(event.response_id, event.item_id, event.transcript, now)

    def _transcribed(
        self, event: UserTranscriptDelta | UserTranscriptDone | UserTranscriptFailed, now: float
    ) -> list[Captioned]:
        match event:
            case UserTranscriptDelta(item, delta):
                return self._user.add(item, delta or "", now)
            case UserTranscriptDone(item, transcript):
                return self._user.settle(item, transcript, now)
            case UserTranscriptFailed(item):
                return self._user.fail(item, now)

    def _refused(self, error: ErrorDetail) -> list[CallEvent]:
        code, text = error.code or error.type or "error", error.message or ""
        if code == EXPIRED:
            self.over = code
            return [SessionOver(code)]
        return [] if code in HARMLESS else [Complained(code, text)]

    def _bill(self, usage: Usage | None) -> None:
        if usage is None:
            return
        counts = {"responses": 1, **_counts(usage)}
        self.usage = {name: self.usage.get(name, 0) + count for name, count in counts.items()}


def _counts(usage: Usage) -> dict[str, int]:
    given, made = usage.input_token_details, usage.output_token_details
    cached = None if given is None else given.cached_tokens_details
    return {
        "total_tokens": usage.total_tokens or 0,
        "input_tokens": usage.input_tokens or 0,
        "output_tokens": usage.output_tokens or 0,
        "input_text_tokens": (given and given.text_tokens) or 0,
        "input_audio_tokens": (given and given.audio_tokens) or 0,
        "cached_tokens": (given and given.cached_tokens) or 0,
        "output_text_tokens": (made and made.text_tokens) or 0,
        "output_audio_tokens": (made and made.audio_tokens) or 0,
        **({} if cached is None else _of_each_kind(cached)),
    }


def _of_each_kind(cached: CachedDetails) -> dict[str, int]:
    return {"cached_text_tokens": cached.text_tokens or 0, "cached_audio_tokens": cached.audio_tokens or 0}


def _calls_tools(response: Response) -> bool:
    """Tell whether the answer goes on once its tools have done their work."""
    return response.status == "completed" and any(item.type == "function_call" for item in response.output or ())


def _failure(response: Response) -> list[CallEvent]:
    if response.status not in {"failed", "incomplete"}:
        return []
    details = response.status_details
    error = (details and details.error) or ErrorDetail()
    code = error.code or (details and details.reason) or error.type or response.status
    return [ResponseFailed(code, error.message or "")]
