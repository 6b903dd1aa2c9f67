"""Boards that become devices: many one after the other, and a whole fleet that comes at once after a power cut."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import accumulate
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
from device.mint import AGAIN_SECONDS, VALID_SECONDS
from provisioning.link import BrokerEndpoint, connection
from tests.bench.mint.fleet import Sizes, add_claims, filled
from tests.bench.mint.place import Address, Upstream, Where, free_port, place, prepared, settings
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


async def enrol(there: Address, board: Newcomer, trust: ssl.SSLContext) -> Enrolment:
    """Exchange the claim for an identity, as a board does: over a new connection."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"https://{there.enrol}/v1/enrol", data=board.request, ssl=trust) as answer,
    ):
        assert answer.status == 200, await answer.text()
        return decode(await answer.read(), Enrolment)


async def enrolments(there: Address, count: int) -> list[Row]:
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

    session: str
    secret: str
    arrived: float
    """Seconds from the return of the cloud to the try that reached it."""
    served: float
    """Seconds from there to its grant."""
    again: int
    """How often it had to connect again: the broker had thrown it out, or not let it in."""


async def herd(folder: Path, upstream: Upstream, count: int, outage: float) -> list[Row]:
    """Have `count` boards try to enrol, connect and ask from the same moment on, and the cloud return after `outage` s.

    As after a power cut that took both: boards start faster than servers.
    """
    where = Where(folder, broker=free_port(), enrol=free_port())
    wanted, authority = settings(where, upstream), prepared(where, upstream)
    await filled(wanted.store_url, authority, Sizes(0, 0, 0))
    broker = BrokerEndpoint("127.0.0.1", where.broker)
    there = Address(authority, Path(wanted.store_url.partition("///")[2]), f"127.0.0.1:{where.enrol}", broker)
    back = Back()
    boards, trust = newcomers(there.store, count), ssl.create_default_context(cafile=str(authority.root_path))
    async with asyncio.timeout(240):
        arriving = asyncio.gather(*(_arrive(there, board, trust, back) for board in boards))
        await asyncio.sleep(outage)
        async with place(where, upstream, Sizes(0, 0, 0)):
            back.at = time.perf_counter()
            return _told(await arriving, served_twice(there.store), outage)


@dataclass
class Back:
    """When the cloud was there again."""

    at: float = 0.0


def served_twice(store: Path) -> int:
    """Return how often the store has more of a board than one session, one grant, and one identity."""
    with closing(sqlite3.connect(store)) as database:
        of_each = [number for statement in _OF_EACH for (number,) in database.execute(statement)]
    return sum(number - 1 for number in of_each)


_OF_EACH = (
    "SELECT count(*) FROM sessions GROUP BY device",
    "SELECT count(*) FROM audit WHERE action IN ('mint', 'take_over') GROUP BY actor",
    "SELECT count(*) FROM audit WHERE action = 'enrolled' GROUP BY subject",
    "SELECT count(*) FROM certificates GROUP BY device",
)


def drawn(count: int, outage: float, uniform: Callable[[float, float], float]) -> float:
    """Return the share (percent) that comes in the busiest second, by the pauses alone, on a computer without limits."""
    seconds: Counter[int] = Counter()
    for _ in range(count):
        tries = accumulate(delays(uniform))
        seconds[int(next(at for at in tries if at >= outage) - outage)] += 1
    return 100 * max(seconds.values()) / count


def _told(found: Sequence[Return], twice: int, outage: float) -> list[Row]:
    count = len(found)
    served, secrets = len({one.session for one in found} - {""}), len({one.secret for one in found} - {""})
    arrived, ended = sorted(one.arrived for one in found), sorted(one.served for one in found)
    busiest = max(Counter(int(moment) for moment in arrived).values())
    by_pauses = drawn(count, outage, random.uniform)
    jitter = at_most("came in the busiest second after the cloud was back", 100 * busiest / count, "%", 1.5 * by_pauses)
    spread = {"first s": arrived[0], "median s": arrived[count // 2], "last s": arrived[-1]}
    spread |= {"% by the pauses alone": by_pauses, "% without jitter": drawn(count, outage, lambda _low, high: high)}
    times = {"median": ended[count // 2], "99 of 100": ended[-1 - count // 100]}
    return [
        at_least(f"of {count} boards that come at once, served", served, "boards", count),
        at_most("of them, served with what another got", served - secrets, "boards", 0),
        at_most("of them, enrolled or served twice by what the store says", twice, "boards", 0),
        at_most("connections that the broker refused or ended", sum(one.again for one in found), "", 0),
        Row(jitter.name, jitter.value, jitter.unit, jitter.must, "", spread, jitter.ok),
        Row("from a board's coming to its grant, the longest", ended[-1], "s", peers=times),
        Row("until the last of them was served", max(one.arrived + one.served for one in found), "s"),
    ]


async def _arrive(there: Address, board: Newcomer, trust: ssl.SSLContext, back: Back) -> Return:
    """Enrol, and then ask with the same bytes until there is an answer, or they are too old."""
    waits = delays(random.uniform)
    enrolment, arrived = await _enrolled(there, board, trust, waits)
    robot = Robot(enrolment.device, board.key, enrolment.mint_kid, enrolment.mint_key)
    request, until, again = robot.request(time.time()), time.perf_counter() + VALID_SECONDS, 0
    while time.perf_counter() < until:
        try:
            grant = robot.grant(await _ask(there, robot, request, _identity(there, board, enrolment), until))
        except (aiomqtt.MqttError, TimeoutError):
            again += 1
            await asyncio.sleep(next(waits))
            continue
        served = time.perf_counter() - arrived
        return Return(grant.session, grant.openai.secret.reveal(), arrived - back.at, served, again)
    return Return("", "", arrived - back.at, time.perf_counter() - arrived, again)


async def _enrolled(
    there: Address, board: Newcomer, trust: ssl.SSLContext, waits: Iterator[float]
) -> tuple[Enrolment, float]:
    """Try until the cloud is there; return the new identity, and when the try began that reached it."""
    while True:
        came = time.perf_counter()
        try:
            return await enrol(there, board, trust), came
        except aiohttp.ClientConnectionError:
            await asyncio.sleep(next(waits))


async def _ask(there: Address, robot: Robot, request: bytes, identity: ssl.SSLContext, until: float) -> bytes:
    """Connect as the new device and ask, again and again with the same bytes."""
    async with connection(there.broker, robot.name, identity) as client:
        await client.subscribe(topics.mint_answer(robot.name), qos=1)
        answer = asyncio.ensure_future(anext(client.messages))
        while not answer.done() and time.perf_counter() < until:
            await client.publish(topics.mint_request(robot.name), request, qos=1)
            await asyncio.wait([answer], timeout=AGAIN_SECONDS)
        if not answer.done():
            answer.cancel()
            raise TimeoutError
        payload = answer.result().payload
        assert isinstance(payload, bytes)
        return payload


def _identity(there: Address, board: Newcomer, enrolment: Enrolment) -> ssl.SSLContext:
    path = there.store.with_name(f"{enrolment.device}.both.pem")
    key = board.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(key + enrolment.certificate.encode())
    context = ssl.create_default_context(cafile=str(there.authority.root_path))
    context.load_cert_chain(path)
    return context
