"""The broker connection: one owner that keeps it up for ever, and a bounded outbox in front of it."""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from device.backoff import Waits
from device.errors import BrokerError
from device.messages.enrolment import BrokerAddress

_log = logging.getLogger(__name__)

OUTBOX: Final = 256
"""Messages kept while the broker is away; the oldest go first."""

KEEPALIVE_SECONDS: Final = 15
CONNECT_SECONDS: Final = 10.0
"""How long connecting may take, and the broker's word for a subscription or a message."""

DRAIN_SECONDS: Final = 1.0
"""How long a connection that is to be left may take to send what waits; the next one sends the rest."""

_UNTIMELY: Final = ("certificate is not yet valid", "certificate has expired")
"""What OpenSSL says of the cloud's certificate on a board whose clock is wrong: without power, a Pi's stands still."""

_GRANTED: Final = 2
"""The largest code of a SUBACK by which something was granted: QoS 2."""


@dataclass(frozen=True, slots=True, eq=False)
class Outgoing:
    """A message on its way to the broker."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    expires_at: float | None
    """Monotonic time after which it must not be sent any more."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message from the broker."""

    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True)
class Presence:
    """How the broker knows this client, and what it says of it when it is gone."""

    address: BrokerAddress
    identity: str
    tls: ssl.SSLContext
    will_topic: str
    will: bytes
    subscriptions: Sequence[str] = field(default=())
    expires_at: float = float("inf")
    """Unix seconds at which the certificate in `tls` runs out."""


@dataclass(frozen=True, slots=True)
class _Trial:
    """A change of connection that is under way."""

    before: Presence
    came_up: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class _Client(aiomqtt.Client):
    """A client that notices at once when the broker hangs up instead of greeting it.

    With TLS 1.3 a refused certificate shows only after the handshake; aiomqtt 2.5 then waits for its time-out.
    """

    def _on_disconnect(self, *args: Any) -> None:
        if not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttError("hung up without a word; does it know this certificate?"))
        super()._on_disconnect(*args)


class Broker:
    """Keeps one MQTT 5 connection with mutual TLS; `publish` never waits and never fails."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._outbox: deque[Outgoing] = deque()
        self._filled = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._retained: dict[str, Outgoing] = {}
        self._up = asyncio.Event()
        self._trial: _Trial | None = None
        self._leave = asyncio.Event()
        """Set when the present connection is to be left for the one on trial."""
        self.trouble = ""
        """Why there is no connection, in words; empty while there is one, or before the first try."""
        self.dropped = 0

    @property
    def fault(self) -> str:
        """The code of what is wrong while there is no connection: `clock` where the date alone speaks against it."""
        return "clock" if _untimely(self.trouble) else "broker"

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, within: float | None = None
    ) -> None:
        """Queue a message; retained ones are said again after every reconnect.

        `within` seconds from now it is worthless and will not be sent. QoS 0 is dropped while the broker is away.
        """
        expires_at = None if within is None else time.monotonic() + within
        message = Outgoing(topic, payload, qos, retain, expires_at)
        if retain:
            self._retained[topic] = message
            if not self.online:
                return
        if qos == 0 and not self.online:
            self.dropped += 1
            return
        self._queue(message)

    def _queue(self, message: Outgoing) -> None:
        if len(self._outbox) >= OUTBOX:
            self._outbox.popleft()
            self.dropped += 1
        self._outbox.append(message)
        self._drained.clear()
        self._filled.set()

    @property
    def online(self) -> bool:
        """True while the broker is connected."""
        return self._up.is_set()

    async def connected(self, seconds: float) -> bool:
        """Wait until the broker is connected, `seconds` at most; return whether it is."""
        try:
            async with asyncio.timeout(seconds):
                await self._up.wait()
        except TimeoutError:
            return False
        return True

    async def drain(self, seconds: float) -> None:
        """Wait until the outbox is empty, `seconds` at most."""
        try:
            async with asyncio.timeout(seconds):
                await self._drained.wait()
        except TimeoutError:
            _log.warning("gave up on %d unsent messages", len(self._outbox))

    async def change(self, presence: Presence) -> bool:
        """Leave the present connection for one as `presence` says; return whether that came up.

        One attempt is made; if it fails, what was before is in force again. `run` must be running.
        """
        await self.drain(DRAIN_SECONDS)
        trial = _Trial(before=self._presence)
        self._presence, self._trial = presence, trial
        self._leave.set()
        return await trial.came_up

    def _tried(self, *, came_up: bool) -> None:
        """End the trial, if there is one, and go back to what was before it if it failed."""
        trial, self._trial = self._trial, None
        if trial is not None and not came_up:
            self._presence = trial.before
            self._leave.set()  # and go back at once
        if trial is not None and not trial.came_up.done():
            trial.came_up.set_result(came_up)

    async def run(self, on_message: Callable[[Incoming], None], on_online: Callable[[bool], None]) -> NoReturn:
        """Connect, and connect again after every loss, for ever; a failed attempt is logged once per reason."""
        waits = Waits(random.uniform)
        while True:
            self._leave.clear()
            attempt = self._presence
            try:
                async with self._client() as client:
                    waits.came_up(time.monotonic())
                    self.trouble = ""
                    await self._serve(client, on_message, on_online)
            except (aiomqtt.MqttError, BrokerError, OSError) as error:
                if (reason := self._reason(error, time.time())) != self.trouble:
                    _log.warning("broker %s:%d: %s", self._presence.address.host, self._presence.address.port, reason)
                    self.trouble = reason
                if attempt is self._presence:
                    self._tried(came_up=False)
            self._outbox = deque(message for message in self._outbox if not message.retain)  # said anew on return
            self._set_online(on_online, up=False)
            _heed_cancellation()
            with suppress(TimeoutError):
                async with asyncio.timeout(waits.over(time.monotonic())):
                    await self._leave.wait()

    def _reason(self, error: Exception, now: float) -> str:
        if now < self._presence.expires_at or _untimely(str(error)):
            return str(error)  # where the cloud's certificate seems to be over as well, it is the clock
        day = datetime.fromtimestamp(self._presence.expires_at, UTC).date().isoformat()
        return f"the certificate of this robot ran out on {day}; enrol it with a new claim (kaiwa-device enrol CLAIM)"

    def _client(self) -> aiomqtt.Client:
        presence = self._presence
        return _Client(
            presence.address.host,
            presence.address.port,
            identifier=presence.identity,
            protocol=aiomqtt.ProtocolVersion.V5,
            tls_context=presence.tls,
            will=aiomqtt.Will(presence.will_topic, presence.will, qos=1, retain=True),
            keepalive=KEEPALIVE_SECONDS,
            timeout=CONNECT_SECONDS,
            clean_start=True,
        )

    async def _serve(
        self, client: aiomqtt.Client, on_message: Callable[[Incoming], None], on_online: Callable[[bool], None]
    ) -> None:
        _heed_cancellation()
        for topic in self._presence.subscriptions:
            await _subscribe(client, topic)
        await self._send_retained(client)
        self._set_online(on_online, up=True)
        if not self._leave.is_set():
            self._tried(came_up=True)
        # No TaskGroup: that of Python 3.11 leaves its parent marked as cancelled when a child fails.
        works = [
            asyncio.create_task(self._send_all(client), name="mqtt sender"),
            asyncio.create_task(_receive_all(client, on_message), name="mqtt receiver"),
            asyncio.create_task(self._left(), name="mqtt leave"),
        ]
        try:
            done, _ = await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
            for work in done:
                work.result()
        finally:
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)

    async def _left(self) -> None:
        await self._leave.wait()

    async def _send_retained(self, client: aiomqtt.Client) -> None:
        """Say everything retained as it is by now, also what changes while it is said."""
        said: dict[str, Outgoing] = {}
        while pending := [message for topic, message in self._retained.items() if said.get(topic) is not message]:
            for message in pending:
                await _send(client, message)
                said[message.topic] = message

    async def _send_all(self, client: aiomqtt.Client) -> None:
        while True:
            while self._outbox:
                message = self._outbox[0]
                if message.expires_at is None or message.expires_at > time.monotonic():
                    await _send(client, message)
                with suppress(ValueError):  # the oldest may have been dropped meanwhile
                    self._outbox.remove(message)
            self._drained.set()
            self._filled.clear()
            await self._filled.wait()

    def _set_online(self, on_online: Callable[[bool], None], *, up: bool) -> None:
        if up != self.online:
            (self._up.set if up else self._up.clear)()
            _log.info("broker %s", "connected" if up else "lost")
            on_online(up)


def _heed_cancellation() -> None:
    """Be cancelled now if somebody wanted that: `asyncio.wait_for` of Python 3.11, in aiomqtt, can swallow it."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _subscribe(client: aiomqtt.Client, topic: str) -> None:
    codes = await client.subscribe(topic, qos=1)
    if refused := refusals(codes):
        raise BrokerError(f"may not hear {topic}: {refused[0]}")
    _heed_cancellation()


def refusals(codes: Sequence[Any]) -> list[str]:
    """Return the reasons among the codes of a SUBACK by which nothing was granted (MQTT 5, section 3.9.3)."""
    return [str(code) for code in codes if getattr(code, "value", code) > _GRANTED]


async def _receive_all(client: aiomqtt.Client, on_message: Callable[[Incoming], None]) -> None:
    async for message in client.messages:
        on_message(Incoming(message.topic.value, message.payload, bool(message.retain)))


async def _send(client: aiomqtt.Client, message: Outgoing) -> None:
    properties = None
    if message.expires_at is not None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho leaves it untyped
        properties.MessageExpiryInterval = max(1, int(message.expires_at - time.monotonic()))
    await client.publish(message.topic, message.payload, qos=message.qos, retain=message.retain, properties=properties)
    _heed_cancellation()


def _untimely(words: str) -> bool:
    return any(untimely in words for untimely in _UNTIMELY)
