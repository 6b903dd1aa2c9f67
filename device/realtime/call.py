"""One Realtime call: owns the peer connection and the data channel, from the offer to the hang-up.

The session was bound to the secret, or to the call, when the cloud made that, and nothing that would change it is sent
from here. So `session.created` is enough to know that the right session is in force, and the call counts as up; a client
that sends a `session.update` would have to wait for `session.updated`, or its first words would meet the default session.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, Protocol, Self

from device.errors import MediaError
from device.realtime.conversation import EXPIRED, Answered, CallEvent, Conversation, Flush, SessionOver, Turn
from device.realtime.endpoint import Endpoint
from device.realtime.events import (
    EventReader,
    ServerEvent,
    ServiceError,
    SessionCreated,
    output_audio_buffer_clear,
    response_cancel,
)
from device.realtime.floor import Act, Floor, Send
from device.realtime.history import Line
from device.realtime.liveness import overdue
from device.realtime.offer import Answer
from device.realtime.opening import CallOpening
from device.realtime.rehearsal import Rehearsal
from device.realtime.rehearsal import Step as Proof
from device.realtime.settings import RealtimeSettings
from device.rtc.flow import Flow

WATCH_SECONDS: Final = 0.5
"""How often the liveness of a call is looked at."""

ASK_SECONDS: Final = 0.1
"""Between two questions whether a second call hears."""

HUNG_UP: Final = "hung up"
CLOSED_BY_SERVICE: Final = "closed by the service"

_log = logging.getLogger(__name__)


class Passed(Protocol):
    """Sees an event of the data channel pass; must return at once."""

    def __call__(self, data: str | bytes, *, sent: bool) -> None:
        """Take one event, which we have `sent` or received."""


def _unseen(data: str | bytes, *, sent: bool) -> None:
    """Nobody looks."""


class RealtimeCall:
    """A call that is up while it is entered.

    Args:
        opening: how its offer comes by an answer.
        on_event: called in the event loop with all that happens, from before `__aenter__` returns until the end.
        settings: time-outs, and how the microphone is encoded.
        played: seconds of the assistant's voice that the speaker has taken, by which captions are cut.
        passed: called with every event of the data channel as it passes, and whether we have sent it.
        endpoint: our end of it, if it has been made already; it is closed with the call.

    Raises (on entering, within the time-outs):
        UpstreamError: the service refused the offer or answered nonsense.
        MediaError: it accepted the offer, but no media or no session came up.
    """

    def __init__(
        self,
        opening: CallOpening,
        *,
        on_event: Callable[[CallEvent], None],
        settings: RealtimeSettings | None = None,
        played: Callable[[], float] = time.monotonic,
        passed: Passed = _unseen,
        endpoint: Endpoint | None = None,
    ) -> None:
        self.settings = settings or RealtimeSettings()
        self._endpoint = endpoint or Endpoint(self.settings)
        self.uplink = self._endpoint.uplink
        """Takes what the microphone hears."""
        self.downlink = self._endpoint.downlink
        """Gives what the assistant says."""
        self.conversation = Conversation()
        """Whose turn it is, and what it cost so far."""
        self.floor = Floor()
        """Who may speak next, and the calls of tools."""
        self.call_id = ""
        """By which the cloud can hang up; empty until the offer was answered."""
        self.broke_off = False
        """Whether it ended in the middle of an answer."""
        self._opening, self._on_event, self._played, self._passed = opening, on_event, played, passed
        self._events = EventReader()
        self._greeted = False
        self._rehearsal = Rehearsal()
        self._before: Callable[[], Sequence[Line]] | None = None
        """What was said in calls before this one, while it is rehearsed."""
        self._event_at = time.monotonic()
        self._changed = asyncio.Event()
        self._over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._close()
            raise
        self._watching = asyncio.create_task(self._watch(), name="watch the call")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(HUNG_UP)
        await self._close()

    async def ended(self) -> str:
        """Wait until the call is over for any reason, and return the reason."""
        return await asyncio.shield(self._over)

    async def rehearse(self, before: Callable[[], Sequence[Line]]) -> None:
        """Prove, with silence pushed to `uplink` meanwhile, that the service hears this call, and tell it what was said before.

        Until then, what the service says means nothing for the conversation.

        Raises:
            MediaError: it does not hear, or does not take what it is told, within the time-out.
        """
        self._before = before
        try:
            async with asyncio.timeout(self.settings.rehearsal_seconds):
                await self._proven()
        except TimeoutError:
            text = f"media: a second call came up, but at '{self._rehearsal.step}' for too long; it may not hear"
            raise MediaError(text) from None
        finally:
            self._before = None
        self.conversation.forget(self._rehearsal.silence)

    async def _proven(self) -> None:
        while self._rehearsal.step is not Proof.PROVEN:
            if self._over.done():
                raise MediaError(f"media: {self._over.result()} while a second call was tried")
            if self._rehearsal.refused is not None:
                raise MediaError(f"media: a second call refused what was said before: {self._rehearsal.refused}")
            self._send_all(self._rehearsal.ask())
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(ASK_SECONDS):
                    await self._changed.wait()

    def tell(self, before: Iterable[Line]) -> None:
        """Tell what was said before in other calls, as far as `rehearse` has not."""
        self._send_all(self._rehearsal.tell(before))

    def hang_up(self) -> None:
        """End the call; `ended` returns, and leaving it gives everything back."""
        self._end(HUNG_UP)

    def interrupt(self) -> None:
        """Stop the assistant now: here at once, and at the service."""
        if self.floor.active is not None:
            self.send(response_cancel())
        self.send(output_audio_buffer_clear())
        self._emit(self.conversation.interrupt())

    def prompt(self, text: str, wish: int = 0) -> None:
        """Have the model say something, as soon as nobody else does; `Heeded` follows for a `wish` with a number."""
        self._act(self.floor.prompt(text, wish))

    def write(self, text: str, wish: int = 0) -> None:
        """Put a question in writing, as if a visitor had asked it; `Heeded` as above."""
        self._act(self.floor.write(text, wish))

    def take_floor(self, *, fresh: bool) -> None:
        """By push-to-talk: somebody is heard from now on, and whatever the assistant is saying stops at once.

        With `fresh`, what was heard before is forgotten. The call's session must detect no turns itself.
        """
        if self.floor.active is not None or self.conversation.turn is Turn.SPEAKING:
            self.interrupt()
        self._emit(self.conversation.take(time.monotonic(), self._played()))
        self._act(self.floor.take(fresh=fresh))

    def give_floor(self, *, answer: bool) -> None:
        """By push-to-talk: they have been heard to their end; have it answered, or forgotten."""
        self._emit(self.conversation.give(answer=answer))
        self._act(self.floor.give(answer=answer))

    def outcome(self, call_id: str, output: str, *, follow: bool) -> None:
        """Tell the model what came of a `ToolCalled`; with `follow`, it answers once it knows of all of them."""
        self._act(self.floor.outcome(call_id, output, follow=follow))

    def send(self, client_event: str) -> None:
        """Send one client event (see `events.py`); dropped while the channel is not open."""
        channel = self._endpoint.channel
        if channel is not None and channel.readyState == "open":
            channel.send(client_event)
            self._passed(client_event, sent=True)

    def counters(self) -> dict[str, float]:
        """Return how many events were malformed or unknown; `uplink` and `downlink` count for themselves."""
        return {"events_malformed": float(self._events.malformed), "events_unknown": float(self._events.unknown)}

    async def _open(self) -> None:
        offer = await self._endpoint.offer()
        self._follow(self._endpoint)
        await self._endpoint.accept(await self._exchange(offer))
        await self._media_up()

    def _follow(self, endpoint: Endpoint) -> None:
        """Be told of what happens to the connection; nothing can before there is an answer."""
        if endpoint.peer is not None and endpoint.channel is not None:
            endpoint.peer.on("connectionstatechange", self._connection_changed)
            endpoint.channel.on("open", self._changed.set)
            endpoint.channel.on("message", self._received)
            endpoint.channel.on("close", lambda: self._end(CLOSED_BY_SERVICE))

    async def _exchange(self, offer: str) -> Answer:
        """Offer the call; if nobody wants it any more meanwhile, still learn its id, for it may have begun there."""
        asking = asyncio.create_task(self._opening.answer(offer), name="offer the call")
        try:
            await asyncio.wait({asking})
        except asyncio.CancelledError:
            await asyncio.wait({asking}, timeout=self.settings.close_seconds)
            raise
        finally:
            asking.cancel()
            if asking.done() and not asking.exception():
                self._answered(asking.result().call_id)
        return asking.result()

    def _answered(self, call_id: str) -> None:
        self.call_id = call_id
        _log.info("call %s answered", call_id)
        if call_id:
            self._on_event(Answered(call_id))

    async def _media_up(self) -> None:
        settings = self.settings
        await self._until(
            lambda: self._endpoint.channel is not None and self._endpoint.channel.readyState == "open",
            settings.media_seconds,
            f"media: the call was accepted, but nothing came through for {settings.media_seconds:g} s; "
            "is outbound UDP (port 3478) blocked?",
        )
        await self._until(
            lambda: self._greeted,
            settings.greeting_seconds,
            f"media: connected, but the service began no session within {settings.greeting_seconds:g} s",
        )

    async def _until(self, reached: Callable[[], bool], seconds: float, otherwise: str) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not reached():
                    if self._over.done():
                        raise MediaError(f"media: {self._over.result()} while connecting")
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise MediaError(otherwise) from None

    def _received(self, data: str | bytes) -> None:
        self._event_at = now = time.monotonic()
        self._passed(data, sent=False)
        event = self._events.read(data)
        if event is None:
            return
        if isinstance(event, SessionCreated):
            _log.info("session %s of %s", event.session.id, event.session.model)
            self._greeted = True
            self._changed.set()
        if self._before is not None and not _expired(event):
            self._send_all(self._rehearsal.handle(event, self._before()))
            if self._rehearsal.step is Proof.PROVEN or self._rehearsal.refused is not None:
                self._changed.set()
            return
        self._emit(self.conversation.handle(event, now, self._played()))
        self._act(self.floor.handle(event))

    def _send_all(self, client_events: Iterable[str]) -> None:
        for client_event in client_events:
            self.send(client_event)

    def _act(self, acts: list[Act]) -> None:
        for act in acts:
            if isinstance(act, Send):
                self.send(act.event)
            else:
                self._on_event(act)

    def _emit(self, events: list[CallEvent]) -> None:
        for event in events:
            if isinstance(event, Flush):
                self.downlink.flush()
            self._on_event(event)
            if isinstance(event, SessionOver):
                self._end(event.reason)

    def _connection_changed(self) -> None:
        peer = self._endpoint.peer
        if peer is not None and peer.connectionState in {"failed", "closed"}:
            self._end(f"connection {peer.connectionState}")

    def _end(self, reason: str) -> None:
        if self._over.done():
            return
        self._over.set_result(reason)
        self.broke_off = self.conversation.turn is not Turn.LISTENING
        self._changed.set()
        _log.info("call %s is over: %s", self.call_id, reason)
        self._emit(self.conversation.end(time.monotonic(), self._played()))

    async def _watch(self) -> None:
        flow = Flow(time.monotonic())
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            now = time.monotonic()
            reason = flow.stopped(self.uplink.counters(), now) or overdue(
                self.conversation.turn,
                now=now,
                event_at=self._event_at,
                packet_at=self.downlink.last_packet_at,
                settings=self.settings,
            )
            if reason is not None:
                self._end(reason)
                return

    async def _close(self) -> None:
        """Release everything."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        self.uplink.track.stop()
        await self._endpoint.close()


def _expired(event: ServerEvent) -> bool:
    return isinstance(event, ServiceError) and event.error.code == EXPIRED
