"""Renewing this device's certificate, all by itself: a new key, its certificate, a new connection, the old one retired.

`RenewalClient` asks, `Renewal` decides when and carries it through; what is on disk meanwhile is `device.succession`'s.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, Protocol

from device.asking import Asking, Kind, Publish
from device.backoff import delays
from device.clock import WallClock
from device.errors import EnrolmentError, KaiwaError, RenewalError
from device.identity import Identity, certificate_request
from device.messages import topics
from device.messages.envelope import RENEWAL_ANSWER, RENEWAL_REQUEST, PublicKey, Signer, seal_envelope
from device.messages.minting import Refusal
from device.messages.renewal import VALID_SECONDS, RenewalAnswer, RenewalRequest, UseNotice
from device.succession import ReplaceableSigner, Succession
from device.validity import renew_at

_log = logging.getLogger(__name__)

WAIT_SECONDS: Final = 20.0
"""How long an answer is waited for; nobody stands in front of the robot for this one."""

LOOK_SECONDS: Final = 3600.0
"""How often the clock is looked at: it may be set meanwhile, and be far off before."""

FIRST_PAUSE: Final = 60.0
LONGEST_PAUSE: Final = 6 * 3600.0
"""Seconds between tries after one that failed: drawn between none and the present ceiling, which doubles."""


class RenewalClient:
    """One device's side of the exchange; answers come in through `take`."""

    def __init__(self, device: str, find_mint_key: Callable[[str], PublicKey | None], clock: WallClock) -> None:
        self._device, self._clock = device, clock
        self._asking = Asking(device, Kind(RENEWAL_ANSWER, RenewalAnswer), find_mint_key, clock)

    async def renew(self, csr: str, signer: Signer, publish: Publish) -> str:
        """Return the certificate, in PEM, for the key in the certificate request `csr`; signed for with the present key.

        Raises:
            RenewalError: refused, with the cloud's code; `broker` when no answer came in time.
        """
        return (await self._ask(csr, signer, publish)).certificate

    async def tell_used(self, signer: Signer, publish: Publish) -> None:
        """Tell the cloud that the certificate of `signer`'s key is in use, and wait until it has taken note.

        Raises:
            RenewalError: as `renew` does.
        """
        await self._ask(None, signer, publish)

    async def _ask(self, csr: str | None, signer: Signer, publish: Publish) -> RenewalAnswer:
        """Ask; a clock that is off is set by the cloud's, and what was asked is asked once more."""
        answer = await self._exchange(csr, signer, publish)
        if answer.refusal is Refusal.CLOCK_SKEW:
            answer = await self._exchange(csr, signer, publish)
        if answer.refusal is not None:
            raise RenewalError(answer.refusal, answer.text, answer.retry_after)
        return answer

    async def _exchange(self, csr: str | None, signer: Signer, publish: Publish) -> RenewalAnswer:
        message = self._message(csr)
        sealed, topic = seal_envelope(RENEWAL_REQUEST, message, signer), topics.renewal_request(self._device)
        try:
            return await self._asking.answer(message.nonce, topic, sealed, publish, WAIT_SECONDS)
        except TimeoutError:
            raise RenewalError("broker", f"no answer from the cloud within {WAIT_SECONDS:.0f} s") from None

    def _message(self, csr: str | None) -> RenewalRequest | UseNotice:
        now, nonce = self._clock.now(), secrets.token_hex(16)
        until = now + VALID_SECONDS
        if csr is None:
            return UseNotice(device=self._device, nonce=nonce, issued_at=now, expires_at=until)
        return RenewalRequest(device=self._device, nonce=nonce, issued_at=now, expires_at=until, csr=csr)

    def take(self, payload: bytes) -> None:
        """Take an answer that arrived on this device's topic.

        Raises:
            MessageError: as `Asking.take`.
        """
        self._asking.take(payload)


class Connection(Protocol):
    """The parts of the broker connection that are needed here."""

    @property
    def publish(self) -> Publish:
        """Queue a message."""

    async def connected(self, seconds: float) -> bool:
        """Wait until the broker is connected, `seconds` at most; return whether it is."""


class Renewal:
    """Keeps the certificate of one device from ending. `run()` it in a task.

    `change` leaves the connection for one with another identity and tells whether that came up; it is called while
    `at_rest` is set only, when no conversation goes on.
    """

    def __init__(
        self,
        present: Identity,
        signer: ReplaceableSigner,
        succession: Succession,
        client: RenewalClient,
        connection: Connection,
        change: Callable[[Identity], Awaitable[bool]],
        at_rest: asyncio.Event,
        clock: WallClock,
    ) -> None:
        self.present = present
        self._signer, self._succession, self._client = signer, succession, client
        self._connection, self._change, self._at_rest, self._clock = connection, change, at_rest, clock

    async def run(self) -> None:
        """Renew whenever it is time, for ever; what fails is logged and tried again, ever more rarely."""
        pauses = _pauses()
        while True:
            if (left := await self._left()) > 0:
                pause = min(left, LOOK_SECONDS)
            elif (error := await self._try()) is None:
                pause, pauses = 0.0, _pauses()
            else:
                pause = min(max(next(pauses), _asked(error)), LONGEST_PAUSE)
                _log.warning("the certificate was not renewed, next try in %.0f s: %s", pause, error)
            await asyncio.sleep(pause)

    async def _left(self) -> float:
        """Return how many seconds are left until there is something to do; none when a renewal was begun before."""
        begun = await asyncio.to_thread(self._succession.successor, self.present)
        return 0.0 if begun else self.due_at - self._clock.now()

    @property
    def due_at(self) -> float:
        """Unix seconds at which the present certificate is renewed."""
        certificate = self.present.certificate
        begins_at = certificate.not_valid_before_utc.timestamp()
        return renew_at(begins_at, self.present.expires_at, certificate.serial_number)

    async def _try(self) -> KaiwaError | OSError | None:
        """Renew; return what has gone wrong, if anything."""
        try:
            await self.renew()
        except (RenewalError, EnrolmentError, OSError) as error:
            return error
        return None

    async def renew(self) -> None:
        """Carry a renewal through from wherever it stands.

        Raises:
            RenewalError: refused, unanswered, or the new certificate was not let in.
            EnrolmentError: a file of the identity cannot be used.
            OSError: the disk does not take it.
        """
        successor = await asyncio.to_thread(self._succession.successor, self.present)
        if successor is None:
            successor = await self._certified()
        if successor.certificate != self.present.certificate:
            await self._take_over(successor)
        await self._connected()
        await self._client.tell_used(self._signer, self._connection.publish)
        await asyncio.to_thread(self._succession.finish, self.present)
        _log.info("the certificate was renewed; it is good until %s", self.present.certificate.not_valid_after_utc)

    async def _certified(self) -> Identity:
        await self._connected()
        key = await asyncio.to_thread(self._succession.key)
        certificate = await self._client.renew(certificate_request(key), self._signer, self._connection.publish)
        return await asyncio.to_thread(self._succession.certified, self.present, certificate)

    async def _take_over(self, successor: Identity) -> None:
        """Connect as the successor, and only if it is let in become it: from here on the cloud may be told."""
        await self._connected()
        await self._at_rest.wait()
        if not await self._change(successor):
            raise RenewalError("broker", "the new certificate was not let in; the present one stays in use")
        self.present = await asyncio.to_thread(self._succession.commit, self.present, successor)
        self._signer.replace(self.present.signer)

    async def _connected(self) -> None:
        while not await self._connection.connected(LOOK_SECONDS):
            _log.debug("waiting for the broker to renew the certificate")


def _pauses() -> Iterator[float]:
    return delays(random.uniform, first=FIRST_PAUSE, longest=LONGEST_PAUSE)


def _asked(error: KaiwaError | OSError) -> float:
    """Return how many seconds the cloud wants to be left alone."""
    return (error.retry_after or 0.0) if isinstance(error, RenewalError) else 0.0
