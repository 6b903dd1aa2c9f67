"""An ICE-lite agent (RFC 8445) with the habits of the real service's: it answers checks, sends none, and is strict."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Final, cast

from aioice import Candidate, Connection, stun
from aioice.ice import CandidatePair, StunProtocol

from provisioning.local.realtime.identifiers import ice_fragment

if TYPE_CHECKING:
    from aiortc import RTCPeerConnection

    from provisioning.local.realtime.faults import Faults

EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - compared, not bound

CONSENT_SECONDS: Final = 30.0
"""Without a check for so long the client is gone (RFC 7675)."""


class LiteConnection(Connection):
    """A connection of aioice that was made lite; `adopt` is the only way to one.

    aiortc makes its ICE connections itself and hands them on, so a made one changes its class.
    """

    faults: Faults
    strict: bool
    hosts: list[str] | None
    ignored: int
    """Checks without USE-CANDIDATE that were not answered."""
    answered: int
    """All other checks that came."""
    _heard_at: float

    @classmethod
    def adopt(cls, peer: RTCPeerConnection, faults: Faults, *, strict: bool, host: str) -> LiteConnection:
        """Make the one connection of `peer` lite; call it between the offer and the answer."""
        transport = peer.getTransceivers()[0].receiver.transport.transport
        connection = cast("LiteConnection", transport._connection)  # noqa: SLF001 - aiortc has no way to give it one
        connection.__class__ = cls
        connection.become(faults, strict=strict, hosts=None if host == EVERYWHERE else [host])
        return connection

    def become(self, faults: Faults, *, strict: bool, hosts: list[str] | None) -> None:
        """Take on what an ICE connection of aiortc's does not have; `hosts` None gathers on every address."""
        self.faults, self.strict, self.hosts = faults, strict, hosts
        self.ignored = self.answered = 0
        self._local_username = ice_fragment()
        self._heard_at = time.monotonic()

    async def get_component_candidates(
        self,
        component: int,
        addresses: list[str],
        timeout: int = 5,  # noqa: ASYNC109 - aioice's signature
    ) -> list[Candidate]:
        """Gather on the addresses that the stand-in was told to listen on."""
        return await super().get_component_candidates(component, self.hosts or addresses, timeout)

    async def check_start(self, pair: CandidatePair) -> None:
        """Believe a valid check at once; a full agent would send one of its own first."""
        self.check_state(pair, CandidatePair.State.SUCCEEDED)
        pair.nominated = pair.remote_nominated
        self.check_complete(pair)

    async def query_consent(self) -> None:
        """Wait until the client has not been heard for too long, then close; a lite agent asks for no consent."""
        while (left := self._heard_at + CONSENT_SECONDS - time.monotonic()) > 0:  # noqa: ASYNC110 - nothing is waited for
            await asyncio.sleep(left)
        self._query_consent_task = None
        await self.close()

    def request_received(self, message: stun.Message, addr: tuple[str, int], protocol: StunProtocol) -> None:
        """Answer a check, unless it is lost, or is one that the real service ignores."""
        if self._lost():
            return
        if self.strict and self._nominated and "USE-CANDIDATE" not in message.attributes:
            self.ignored += 1
            return
        self._heard_at = time.monotonic()
        self.answered += 1
        super().request_received(message, addr, protocol)

    def data_received(self, data: bytes, component: int) -> None:
        """Take a datagram, unless it is lost."""
        if not self._lost():
            super().data_received(data, component)

    async def sendto(self, data: bytes, component: int) -> None:
        """Send a datagram, unless it is lost."""
        if not self._lost():
            await super().sendto(data, component)

    def _lost(self) -> bool:
        return random.random() < self.faults.loss  # noqa: S311 - a network, not a secret
