"""Robots that ask for sessions: at a rate, or as fast as they are answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiomqtt

from device.messages import topics
from device.mint import AGAIN_SECONDS, WAIT_SECONDS
from tests.bench.mint.fleet import end_sessions
from tests.bench.mint.place import Place
from tests.bench.processes import cost, starved
from tests.provisioning.minting_bench import Robot

AT_ONCE = 64
"""Requests on their way when as many are asked as are answered."""


@dataclass
class Taken:
    """What one run took."""

    seconds: float
    latencies: list[float]
    """Seconds from the moment a request was due to its answer."""
    used: dict[str, float]
    """Seconds of the processor that the worker, and each of the others, has used meanwhile; and, as `starved`, those in
    which the worker was ready and had none."""

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    @property
    def starved(self) -> float:
        """The share of the time, in percent, in which the worker was ready and others had the processors."""
        return 100 * self.used["starved"] / self.seconds

    def cpu(self, who: str = "worker") -> float:
        """Return the milliseconds of the processor that one of them has used for one answer."""
        return 1000 * self.used[who] / len(self.latencies)


@dataclass
class Load:
    """One connection that asks for all of a place's robots."""

    place: Place
    client: aiomqtt.Client
    answers: dict[str, asyncio.Future[bytes]] = field(default_factory=dict)
    strays: int = 0
    """Answers that nobody waited for, such as a second one to the same request."""

    async def listen(self) -> None:
        """Hand answers to who waits for them, for ever."""
        async for message in self.client.messages:
            waiting = self.answers.pop(topics.device_of(str(message.topic)), None)
            if waiting is None:
                self.strays += 1
            else:
                waiting.set_result(message.payload)

    async def at_rate(self, robots: Sequence[Robot], rate: float) -> Taken:
        """Ask for each once, `rate` a second, whether those before have been answered or not."""
        used, start = self._used(), time.perf_counter()

        async def one(number: int, robot: Robot) -> tuple[float, bytes]:
            due = start + number / rate
            await asyncio.sleep(due - time.perf_counter())
            return await self._ask(robot, due)

        found = await asyncio.gather(*(one(number, robot) for number, robot in enumerate(robots)))
        return self._taken(robots, found, start, used)

    async def saturating(self, robots: Sequence[Robot]) -> Taken:
        """Ask for each once, `AT_ONCE` at a time."""
        slots, used, start = asyncio.Semaphore(AT_ONCE), self._used(), time.perf_counter()

        async def one(robot: Robot) -> tuple[float, bytes]:
            async with slots:
                return await self._ask(robot, time.perf_counter())

        found = await asyncio.gather(*(one(robot) for robot in robots))
        return self._taken(robots, found, start, used)

    async def _ask(self, robot: Robot, due: float) -> tuple[float, bytes]:
        waiting = self.answers[robot.name] = asyncio.get_running_loop().create_future()
        await self.client.publish(topics.mint_request(robot.name), robot.request(time.time()), qos=1)
        async with asyncio.timeout(30):
            answer = await waiting
        return time.perf_counter() - due, answer

    async def insisting(self, robot: Robot) -> bytes | None:
        """Ask with the same bytes again and again, as a robot does, for as long as it waits; None without an answer."""
        waiting = self.answers[robot.name] = asyncio.get_running_loop().create_future()
        request, due = robot.request(time.time()), time.perf_counter() + WAIT_SECONDS
        while not waiting.done() and time.perf_counter() < due:
            await self.client.publish(topics.mint_request(robot.name), request, qos=1)
            await asyncio.wait([waiting], timeout=AGAIN_SECONDS)
        return waiting.result() if waiting.done() else None

    def _used(self) -> dict[str, float]:
        processes = {"worker": self.place.worker.pid} | self.place.processes
        used = {name: cost([pid]).cpu for name, pid in processes.items()}
        return used | {"starved": starved(self.place.worker.pid)}

    def _taken(
        self, robots: Sequence[Robot], found: Sequence[tuple[float, bytes]], start: float, before: dict[str, float]
    ) -> Taken:
        seconds, after = time.perf_counter() - start, self._used()
        if self.place.enrol:  # the worker is a cloud
            secrets = {
                robot.grant(answer).openai.secret.reveal() for robot, (_, answer) in zip(robots, found, strict=True)
            }
            assert len(secrets) == len(robots), "a secret was granted twice"
            end_sessions(self.place.store)
        assert not self.strays, f"{self.strays} answers too many"
        used = {name: after[name] - before[name] for name in after}
        return Taken(seconds, [latency for latency, _ in found], used)


@asynccontextmanager
async def loaded(there: Place) -> AsyncIterator[Load]:
    """Connect to a place as all of its robots."""
    async with there.generator() as client:
        await client.subscribe(topics.mint_answer("+"), qos=1)
        load = Load(there, client)
        listening = asyncio.create_task(load.listen())
        try:
            yield load
        finally:
            listening.cancel()
