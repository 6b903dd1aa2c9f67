"""One call: owns the peer connection and the data channel, from the offer to the hang-up.

The session was bound to the secret, or to the call, when the cloud made that, and nothing that would change it is sent
from here. So the service's first event is enough to know that the right session is in force, and the call counts as up;
a client that sends a `session.update` would have to wait for `session.updated`, or its first words would meet the default
session. What the events mean is for a `Talk` to say.
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
from device.realtime.conversation import CLOSED_BY_SERVICE, Answered, CallEvent, Flush, SessionOver, Turn
from device.realtime.endpoint import Endpoint
from device.realtime.floor import Send
from device.realtime.history import Line
from device.realtime.liveness import overdue
from device.realtime.offer import Answer
from device.realtime.opening import CallOpening
from device.realtime.settings import RealtimeSettings
from device.realtime.talk import Deed, Talk
from device.realtime.turn_talk import TurnTalk
from device.rtc.flow import Flow

WATCH_SECONDS: Final = 0.5
"""How often the liveness of a call is looked at."""

ASK_SECONDS: Final = 0.1
"""Between two questions whether a second call hears."""

GOODBYE_SECONDS: Final = 1.0
"""How long the service may take to close a session that it was asked to close; it answers within a round trip."""

HUNG_UP: Final = "hung up"

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
        talk: what reads the events of its service; those of the Realtime API unless another is given.

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
        talk: Talk | None = None,
    ) -> None:
        self.settings = settings or RealtimeSettings()
        self._endpoint = endpoint or Endpoint(self.settings)
        self.uplink = self._endpoint.uplink
        """Takes what the microphone hears."""
        self.downlink = self._endpoint.downlink
        """Gives what the assistant says."""
        self.talk: Talk = talk or TurnTalk()
        """What is said in it, whose turn it is, and what it cost so far."""
        self.call_id = ""
        """By which the cloud can hang up; empty until the offer was answered."""
        self.broke_off = False
        """Whether it ended in the middle of an answer."""
        self._opening, self._on_event, self._played, self._passed = opening, on_event, played, passed
        self._event_at = time.monotonic()
        self._changed = asyncio.Event()
        self._over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._watching: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

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
        await self._part()
        await self._close()

    async def ended(self) -> str:
        """Wait until the call is over for any reason, and return the reason."""
        return await asyncio.shield(self._over)

    async def rehearse(self, before: Callable[[], Sequence[Line]]) -> None:
        """Prove, with silence pushed to `uplink` meanwhile, that this call works, and tell it what was said before.

        Until then, what the service says means nothing for the conversation.

        Raises:
            MediaError: it does not hear, or does not take what it is told, within the time-out.
        """
        self.talk.rehearse(before)
        try:
            async with asyncio.timeout(self.settings.rehearsal_seconds):
                await self._proven()
        except TimeoutError:
            text = f"media: a second call came up, but at '{self.talk.step}' for too long; it may not hear"
            raise MediaError(text) from None
        finally:
            self.talk.use()

    async def _proven(self) -> None:
        while not self.talk.proven:
            if self._over.done():
                raise MediaError(f"media: {self._over.result()} while a second call was tried")
            if self.talk.refused is not None:
                raise MediaError(f"media: a second call refused what was said before: {self.talk.refused}")
            self._do(self.talk.ask())
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(ASK_SECONDS):
                    await self._changed.wait()

    def tell(self, before: Iterable[Line]) -> None:
        """Tell what was said before in other calls, as far as `rehearse` has not."""
        self._do(self.talk.tell(before))

    def hang_up(self) -> None:
        """End the call; `ended` returns, and leaving it gives everything back."""
        self._end(HUNG_UP)

    def interrupt(self) -> None:
        """Stop the assistant now: here at once, and at the service."""
        self._do(self.talk.interrupt(time.monotonic(), self._played()))

    def prompt(self, text: str, wish: int = 0) -> None:
        """Have the model say something, as soon as nobody else does; `Heeded` follows for a `wish` with a number."""
        self._do(self.talk.prompt(text, wish))

    def write(self, text: str, wish: int = 0) -> None:
        """Put a question in writing, as if a visitor had asked it; `Heeded` as above."""
        self._do(self.talk.write(text, wish))

    def take_floor(self, *, fresh: bool) -> None:
        """By push-to-talk: somebody is heard from now on, and whatever the assistant is saying stops at once.

        With `fresh`, what was heard before is forgotten. The call's session must detect no turns itself.
        """
        self._do(self.talk.take_floor(time.monotonic(), self._played(), fresh=fresh))

    def give_floor(self, *, answer: bool) -> None:
        """By push-to-talk: they have been heard to their end; have it answered, or forgotten."""
        self._do(self.talk.give_floor(answer=answer))

    def outcome(self, call_id: str, output: str, *, follow: bool) -> None:
        """Tell the model what came of a `ToolCalled`; with `follow`, it answers once it knows of all of them."""
        self._do(self.talk.outcome(call_id, output, follow=follow))

    def send(self, client_event: str) -> None:
        """Send one client event; dropped while the channel is not open."""
        channel = self._endpoint.channel
        if channel is not None and self._open_channel:
            channel.send(client_event)
            self._passed(client_event, sent=True)

    def counters(self) -> dict[str, float]:
        """Return how many events were malformed or unknown; `uplink` and `downlink` count for themselves."""
        return self.talk.counters

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
            endpoint.channel.on("close", self._channel_closed)

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
            lambda: self._open_channel,
            settings.media_seconds,
            f"media: the call was accepted, but nothing came through for {settings.media_seconds:g} s; "
            "is outbound UDP (port 3478) blocked?",
        )
        await self._until(
            lambda: bool(self.talk.session),
            settings.greeting_seconds,
            f"media: connected, but the service began no session within {settings.greeting_seconds:g} s",
        )
        _log.info("session %s", self.talk.session)

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
        self._do(self.talk.receive(data, now, self._played()))
        self._changed.set()

    def _tick(self) -> None:
        self._timer = None
        self._do(self.talk.tick(time.monotonic(), self._played()))

    def _do(self, deeds: Iterable[Deed]) -> None:
        for deed in deeds:
            if isinstance(deed, Send):
                self.send(deed.event)
                continue
            if isinstance(deed, Flush):
                self.downlink.flush()
            self._on_event(deed)
            if isinstance(deed, SessionOver):
                self._end(deed.reason)
        self._set_timer()

    def _set_timer(self) -> None:
        due = None if self._over.done() else self.talk.due
        if self._timer is not None and self._timer.when() != due:
            self._timer.cancel()
            self._timer = None
        if self._timer is None and due is not None:
            self._timer = asyncio.get_running_loop().call_at(due, self._tick)  # it goes by the monotonic clock, too

    def _channel_closed(self) -> None:
        self._changed.set()
        self._end(CLOSED_BY_SERVICE)

    def _connection_changed(self) -> None:
        peer = self._endpoint.peer
        if peer is not None and peer.connectionState in {"failed", "closed"}:
            self._end(f"connection {peer.connectionState}")

    def _end(self, reason: str) -> None:
        if self._over.done():
            return
        self._over.set_result(reason)
        self.broke_off = self.talk.turn is not Turn.LISTENING
        self._changed.set()
        _log.info("call %s is over: %s", self.call_id, reason)
        self._do(self.talk.end(time.monotonic(), self._played()))

    async def _watch(self) -> None:
        flow = Flow(time.monotonic())
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            now = time.monotonic()
            reason = flow.stopped(self.uplink.counters(), now) or overdue(
                self.talk.turn,
                now=now,
                event_at=self._event_at,
                packet_at=self.downlink.last_packet_at,
                settings=self.settings,
            )
            if reason is not None:
                self._end(reason)
                return

    async def _part(self) -> None:
        """Ask the service to close the session, where it can be asked, and wait a moment until it has."""
        self._do(asking := self.talk.goodbye())
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                while asking and not self.talk.closed and self._open_channel:
                    self._changed.clear()
                    await self._changed.wait()

    @property
    def _open_channel(self) -> bool:
        channel = self._endpoint.channel
        return channel is not None and channel.readyState == "open"

    async def _close(self) -> None:
        """Release everything."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        self.uplink.track.stop()
        await self._endpoint.close()
