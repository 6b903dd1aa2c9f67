"""Boards that become devices: many one after the other, and a whole fleet that comes at once after a power cut."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import aiomqtt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from device.backoff import delays
from device.identity import certificate_request
from device.messages import topics
from device.messages.enrolment import Enrolment, EnrolRequest
from device.messages.wire import decode, encode
from device.mint import WAIT_SECONDS
from provisioning.link import connection
from tests.bench.mint.fleet import add_claims
from tests.bench.mint.place import Place
from tests.bench.rows import Row, at_least, at_most
from tests.provisioning.minting_bench import Robot

AT_ONCE = 16
"""Boards that enrol at the same time, each over a connection of its own."""


@dataclass(frozen=True)
class Newcomer:
    """A board with a claim."""

    key: ec.EllipticCurvePrivateKey
    request: bytes


def newcomers(store: Path, count: int) -> list[Newcomer]:
    """Return boards that have made their keys."""
    return [_newcomer(code) for code in add_claims(store, count)]


def _newcomer(code: str) -> Newcomer:
    key = ec.generate_private_key(ec.SECP256R1())
    return Newcomer(key, encode(EnrolRequest(code=code, csr=certificate_request(key))))


async def enrol(there: Place, board: Newcomer, trust: ssl.SSLContext) -> Enrolment:
    """Exchange the claim for an identity, as a board does: over a new connection."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"https://{there.enrol}/v1/enrol", data=board.request, ssl=trust) as answer,
    ):
        assert answer.status == 200, await answer.text()
        return decode(await answer.read(), Enrolment)


async def enrolments(there: Place, count: int) -> list[Row]:
    """Return how many there are a second."""
    boards, slots = newcomers(there.store, count), asyncio.Semaphore(AT_ONCE)
    trust = ssl.create_default_context(cafile=str(there.authority.root_path))

    async def one(board: Newcomer) -> str:
        async with slots:
            return (await enrol(there, board, trust)).device

    start = time.perf_counter()
    names = await asyncio.gather(*(one(board) for board in boards))
    rate = count / (time.perf_counter() - start)
    assert len(set(names)) == count
    return [at_least("enrolments", rate, "1/s", 50)]


@dataclass
class Return:
    """What became of one board of a fleet that came at once."""

    session: str = ""
    secret: str = ""
    served: float = 0.0
    """Seconds from the start to its grant."""
    pauses: Sequence[float] = ()
    """Seconds that it waited before it tried again, each drawn anew."""


async def herd(there: Place, count: int) -> list[Row]:
    """Have `count` boards enrol, connect and ask at the same moment, and look whom the cloud served."""
    boards, start = newcomers(there.store, count), time.perf_counter()
    trust = ssl.create_default_context(cafile=str(there.authority.root_path))
    async with asyncio.timeout(180):
        found = await asyncio.gather(*(_arrive(there, board, trust, start) for board in boards))
    pauses = [pause for one in found for pause in one.pauses]
    served = len({one.session for one in found} - {""})
    secrets = len({one.secret for one in found} - {""})
    moments = sorted(one.served for one in found)
    return [
        at_least(f"of {count} boards that come at once, served", served, "boards", count),
        at_most("of them, served with what another got", served - secrets, "boards", 0),
        Row("until the last of them was served", moments[-1], "s", peers={"median": moments[count // 2]}),
        Row("pauses before a new try", len(pauses), "", peers=_spread(pauses)),
    ]


def _spread(pauses: Sequence[float]) -> dict[str, float]:
    return {"shortest s": min(pauses), "longest s": max(pauses)} if pauses else {}


async def _arrive(there: Place, board: Newcomer, trust: ssl.SSLContext, start: float) -> Return:
    pauses: list[float] = []
    waits = delays(random.uniform)
    enrolment: Enrolment | None = None
    while True:
        try:
            enrolment = enrolment or await enrol(there, board, trust)
            answer, robot = await _ask(there, board, enrolment)
        except (aiomqtt.MqttError, aiohttp.ClientConnectionError, TimeoutError):
            pauses.append(next(waits))
            await asyncio.sleep(pauses[-1])
            continue
        grant = robot.grant(answer)
        return Return(grant.session, grant.openai.secret.reveal(), time.perf_counter() - start, pauses)


async def _ask(there: Place, board: Newcomer, enrolment: Enrolment) -> tuple[bytes, Robot]:
    """Connect as the new device and ask once, with the time that a robot waits."""
    robot = Robot(enrolment.device, board.key, enrolment.mint_kid, enrolment.mint_key)
    async with connection(there.broker.endpoint, robot.name, _identity(there, board, enrolment)) as client:
        await client.subscribe(topics.mint_answer(robot.name), qos=1)
        await client.publish(topics.mint_request(robot.name), robot.request(time.time()), qos=1)
        async with asyncio.timeout(WAIT_SECONDS):
            message = await anext(client.messages)
        assert isinstance(message.payload, bytes)
        return message.payload, robot


def _identity(there: Place, board: Newcomer, enrolment: Enrolment) -> ssl.SSLContext:
    path = there.store.with_name(f"{enrolment.device}.both.pem")
    key = board.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(key + enrolment.certificate.encode())
    context = ssl.create_default_context(cafile=str(there.authority.root_path))
    context.load_cert_chain(path)
    return context
