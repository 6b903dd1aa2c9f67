"""One lasting connection to the broker: MQTT 5, mutual TLS, made again for ever with growing, jittered pauses."""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import ssl
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from device.errors import BrokerError
from device.messages.secret import Secret

_log = logging.getLogger(__name__)

FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 30.0
"""Seconds between attempts to connect; each is drawn between half and all of it, and it doubles."""

_NO_DELAY: Final = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
"""Without it single messages were seen to wait 40 ms for a delayed acknowledgement."""


@dataclass(frozen=True, slots=True)
class BrokerEndpoint:
    """Where the broker listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Login:
    """Name and password, for a broker that knows its clients by these and not by certificates."""

    user: str
    password: Secret


class _Client(aiomqtt.Client):
    """An aiomqtt client that notices at once when the broker hangs up instead of greeting it.

    With TLS 1.3 a refused certificate shows only after the handshake; aiomqtt 2.5 then waits for its time-out.
    """

    def _on_disconnect(self, *args: Any) -> None:
        if not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttError("hung up without a word; it refuses this certificate"))
        super()._on_disconnect(*args)


def connection(
    broker: BrokerEndpoint,
    identity: str,
    tls: ssl.SSLContext | None,
    *,
    will: aiomqtt.Will | None = None,
    login: Login | None = None,
) -> aiomqtt.Client:
    """Return a single connection to the broker, to be entered; a clean start, keep-alive 30 s, plain without `tls`.

    Entering it raises `aiomqtt.MqttError` when the broker cannot be reached or refuses this identity.
    """
    client = _Client(
        broker.host,
        broker.port,
        identifier=identity,
        username=login.user if login else None,
        password=login.password.reveal() if login else None,
        protocol=aiomqtt.ProtocolVersion.V5,
        tls_context=tls,
        keepalive=30,
        will=will,
        socket_options=[_NO_DELAY],
    )
    client.pending_calls_threshold = 1000
    return client


Handler = Callable[[str, bytes], None]
"""Takes topic and payload of one message; must return at once."""


class Link:
    """A connection that comes back; `run()` it in a task, and `publish` from any.

    `handlers` says who takes what comes of each subscription; the first that fits gets it, but of those in `fresh_only`
    nothing that the broker has kept. `greet` is called whenever the connection is there.
    """

    def __init__(
        self,
        broker: BrokerEndpoint,
        identity: str,
        tls: ssl.SSLContext | None,
        handlers: Mapping[str, Handler],
        *,
        fresh_only: Collection[str] = (),
        will: aiomqtt.Will | None = None,
        login: Login | None = None,
        greet: Callable[[], None] | None = None,
    ) -> None:
        self._broker, self._identity, self._tls, self._handlers = broker, identity, tls, handlers
        self._fresh_only, self._will, self._login, self._greet = fresh_only, will, login, greet
        self._client: aiomqtt.Client | None = None
        self.connected = asyncio.Event()

    async def run(self) -> None:
        """Stay connected and deliver what arrives, until cancelled."""
        pause = FIRST_PAUSE
        while True:
            _heed_cancellation()
            try:
                await self._session()
            except aiomqtt.MqttError as error:
                if self.connected.is_set():
                    pause = FIRST_PAUSE
                _log.warning("no broker at %s:%d: %s", self._broker.host, self._broker.port, error)
            finally:
                self._client = None
                self.connected.clear()
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _session(self) -> None:
        async with connection(self._broker, self._identity, self._tls, will=self._will, login=self._login) as client:
            codes = await client.subscribe([(topic, 1) for topic in self._handlers])
            if any(code.is_failure for code in codes if isinstance(code, ReasonCode)):
                raise aiomqtt.MqttError("it refuses our subscriptions")
            _heed_cancellation()
            _log.info("connected to the broker as %s", self._identity)
            self._client = client
            self.connected.set()
            if self._greet is not None:
                self._greet()
            async for message in client.messages:
                self._deliver(message)

    def _deliver(self, message: aiomqtt.Message) -> None:
        for topics, handler in self._handlers.items():
            if message.topic.matches(topics):
                if message.retain and topics in self._fresh_only:
                    _log.warning("ignored what the broker had kept of %s", message.topic)
                else:
                    handler(str(message.topic), message.payload)
                return

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False, within: float = 10.0) -> None:
        """Publish with QoS 1, once connected, and wait for the broker's acknowledgement.

        Raises:
            BrokerError: not connected, or not acknowledged, `within` so many seconds.
        """
        try:
            async with asyncio.timeout(within):
                while (client := self._client) is None:
                    await self.connected.wait()
                await client.publish(topic, payload, qos=1, retain=retain)
                _heed_cancellation()
        except aiomqtt.MqttError as error:
            raise BrokerError(f"not published to {topic}: {error}") from None
        except TimeoutError:
            raise BrokerError(f"not published to {topic}: no answer from the broker in {within:.0f} s") from None


def _heed_cancellation() -> None:
    """Raise a cancellation of this task that was swallowed on the way.

    `asyncio.wait_for` of Python 3.11, which aiomqtt waits with, forgets one that comes in the same turn of the loop as
    what it waits for (python/cpython#81839); a task that goes on would keep its group from ever ending.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
