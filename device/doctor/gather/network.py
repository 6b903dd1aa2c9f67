"""Reaches out: a STUN binding request over UDP (RFC 8489, section 5), a TLS handshake over TCP."""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
import time
from contextlib import closing
from typing import Final

from device.doctor.checks.network import NetworkFacts, Probe

PATIENCE: Final = 3.0
"""Seconds after which nobody is there."""
TRIES: Final = 3
"""Datagrams sent before UDP is taken for closed; one may get lost."""

_BINDING_REQUEST: Final = b"\x00\x01\x00\x00\x21\x12\xa4\x42"
_BINDING_SUCCESS: Final = b"\x01\x01"


async def gather(stun: tuple[str, int], service: tuple[str, int]) -> NetworkFacts:
    """Return whether UDP comes back from the STUN server and TLS from the voice service."""
    async with asyncio.TaskGroup() as tasks:
        udp = tasks.create_task(probe_udp(*stun), name="udp")
        tls = tasks.create_task(probe_tls(*service, ssl.create_default_context()), name="tls")
    return NetworkFacts(udp.result(), tls.result())


class _Answer(asyncio.DatagramProtocol):
    """Waits for the answer that bears our transaction id."""

    def __init__(self, transaction: bytes) -> None:
        self._transaction = transaction
        self.come: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _address: object) -> None:
        """Take one datagram; what is not our answer is dropped."""
        if data[:2] == _BINDING_SUCCESS and data[8:20] == self._transaction and not self.come.done():
            self.come.set_result(time.monotonic())

    def error_received(self, exc: Exception) -> None:
        """Take what ICMP had to say."""
        if not self.come.done():
            self.come.set_exception(exc)


async def probe_udp(host: str, port: int) -> Probe:
    """Return how long a STUN server took to answer."""
    loop, transaction = asyncio.get_running_loop(), secrets.token_bytes(12)
    try:
        async with asyncio.timeout(PATIENCE):
            transport, answer = await loop.create_datagram_endpoint(
                lambda: _Answer(transaction), remote_addr=(host, port)
            )
            with closing(transport):
                return await _asked(host, port, transport, answer, _BINDING_REQUEST + transaction)
    except socket.gaierror as error:
        return Probe(host, port, 0.0, error.strerror or str(error), "name")
    except TimeoutError:
        return Probe(host, port, PATIENCE, f"nothing within {PATIENCE:.0f} s")
    except OSError as error:
        return Probe(host, port, 0.0, error.strerror or str(error))


async def _asked(host: str, port: int, transport: asyncio.DatagramTransport, answer: _Answer, request: bytes) -> Probe:
    for _ in range(TRIES):
        sent = time.monotonic()
        transport.sendto(request)
        done, _rest = await asyncio.wait([answer.come], timeout=PATIENCE / (TRIES + 1))
        if done:
            return Probe(host, port, answer.come.result() - sent)
    return Probe(host, port, PATIENCE, f"{TRIES} datagrams, no answer")


async def probe_tls(host: str, port: int, context: ssl.SSLContext) -> Probe:
    """Return how long TCP and TLS took to come up."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE):
            _reader, writer = await asyncio.open_connection(host, port, ssl=context)
    except (TimeoutError, OSError) as error:
        return Probe(host, port, time.monotonic() - began, reason(error), stage(error))
    writer.close()
    return Probe(host, port, time.monotonic() - began)


async def probe_mutual_tls(host: str, port: int, context: ssl.SSLContext) -> Probe:
    """Return how long TLS took with our certificate, and whether the other side then stayed.

    In TLS 1.3 it judges our certificate after our handshake is over (RFC 8446, section 2), so a refusal comes late.
    """
    began = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(host, port, ssl=context)
        seconds = time.monotonic() - began
        with closing(writer):
            refused = await _hung_up(reader, seconds)
    except (TimeoutError, OSError) as error:
        return Probe(host, port, time.monotonic() - began, reason(error), stage(error))
    return Probe(host, port, seconds, "it hung up", "refused") if refused else Probe(host, port, seconds)


async def _hung_up(reader: asyncio.StreamReader, handshake: float) -> bool:
    """Wait a little longer than a round trip; a server that has nothing against us waits for our first words."""
    try:
        async with asyncio.timeout(handshake + 0.2):
            return not await reader.read(1)
    except TimeoutError:
        return False


def reason(error: BaseException) -> str:
    """Return the words of an error of the network."""
    if isinstance(error, TimeoutError):
        return f"nothing within {PATIENCE:.0f} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message or str(error)
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def stage(error: BaseException) -> str:
    """Return where an error of the network belongs: `name`, `trust`, `refused` (by the other side's TLS), `reach`."""
    match error:
        case socket.gaierror():
            return "name"
        case ssl.SSLCertVerificationError():
            return "trust"
        case ssl.SSLError():
            return "refused"
        case _:
            return "reach"
