"""Where the bench measures: a broker, a store with a fleet in it, and a worker in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiomqtt

from device.messages.secret import Secret
from provisioning.app import open_authority
from provisioning.authority import Authority
from provisioning.link import BrokerEndpoint, connection
from provisioning.local.imageflux.settings import StandInSettings
from provisioning.mosquitto import MosquittoProcess
from provisioning.settings import (
    BrokerSettings,
    CloudSettings,
    EnrolSettings,
    ImageFluxSettings,
    LimitSettings,
    OpenAISettings,
    WebSettings,
)
from tests.bench.mint.fleet import Sizes, filled
from tests.provisioning.minting_bench import Robot
from tests.provisioning.realtime_service import KEY

GENERATOR = "bench"
"""Name of the one connection that asks for many robots."""


@dataclass(frozen=True)
class Upstream:
    """Where the two services are."""

    realtime: str
    imageflux: str
    pid: int = 0


@dataclass(frozen=True)
class Address:
    """Where boards find a cloud."""

    authority: Authority
    store: Path
    enrol: str
    broker: BrokerEndpoint


@dataclass(frozen=True)
class Place:
    """All that runs, and the robots that can ask."""

    broker: MosquittoProcess
    authority: Authority
    worker: Process
    robots: Sequence[Robot]
    store: Path
    enrol: str
    upstream: Upstream

    @property
    def address(self) -> Address:
        """Return where boards find it."""
        return Address(self.authority, self.store, self.enrol, self.broker.endpoint)

    @property
    def processes(self) -> dict[str, int]:
        """Return who takes part in a grant, besides the worker, by its process."""
        return {"broker": self.broker.pid, "services": self.upstream.pid, "generator": os.getpid()}

    def generator(self) -> aiomqtt.Client:
        """Return a connection that may speak for every robot."""
        return connection(self.broker.endpoint, GENERATOR, self.tls())

    def tls(self) -> ssl.SSLContext:
        """Return what the generator connects with."""
        return self.authority.client_context(self.authority.service(GENERATOR, time.time()))


class OpenBroker(MosquittoProcess):
    """The product's broker, with one client more that may speak and hear for every robot."""

    def write_files(self) -> Path:
        """Write them, and add that client to the access list."""
        config = super().write_files()
        with (self._folder / "acl").open("a", encoding="utf-8") as acl:
            acl.write(f"\nuser {GENERATOR}\ntopic readwrite kaiwa/v1/#\n")
        return config


@dataclass(frozen=True)
class Where:
    """Where a cloud keeps its state, and where it is reached; free ports for 0, and SQLite unless a store is named."""

    folder: Path
    broker: int = 0
    enrol: int = 0
    store: str = ""


def settings(where: Where, upstream: Upstream) -> CloudSettings:
    """Return the settings of a cloud that refuses nobody for asking often."""
    return CloudSettings(
        state_dir=str(where.folder / "cloud"),
        store=where.store,
        enrol=EnrolSettings(port=where.enrol),
        web=WebSettings(port=0),
        broker=BrokerSettings(host="127.0.0.1", port=where.broker or 1, spawn=False),
        openai=OpenAISettings(base_url=upstream.realtime, api_key=Secret(KEY)),
        imageflux=ImageFluxSettings(url=upstream.imageflux, token=StandInSettings().token),
        limits=LimitSettings(sessions_per_day=1_000_000, requests_per_minute=1_000_000),
    )


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[tuple[Process, dict[str, str]]]:
    """Run a worker; yields what it said when it was ready."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.mint.worker", *arguments, stdout=PIPE
    )
    try:
        assert child.stdout is not None
        async with asyncio.timeout(30):
            said = await child.stdout.readline()
        yield child, json.loads(said)
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


@asynccontextmanager
async def upstreams() -> AsyncIterator[Upstream]:
    """Run both services."""
    async with process("upstream") as (child, said):
        yield Upstream(said["realtime"], said["imageflux"], child.pid)


@asynccontextmanager
async def worker(kind: str, where: Where, upstream: Upstream) -> AsyncIterator[tuple[Process, dict[str, str]]]:
    """Run a worker of that kind."""
    words = (where.folder, where.broker, where.enrol, upstream.realtime, upstream.imageflux, where.store)
    async with process(kind, *map(str, words)) as both:
        yield both


def prepared(where: Where, upstream: Upstream) -> Authority:
    """Make a cloud's keys, and the generator's."""
    authority = open_authority(settings(where, upstream), time.time())
    authority.service(GENERATOR, time.time())
    return authority


@asynccontextmanager
async def place(where: Where, upstream: Upstream, sizes: Sizes, kind: str = "cloud") -> AsyncIterator[Place]:
    """Fill a store, and run broker and worker."""
    wanted, authority = settings(where, upstream), prepared(where, upstream)
    robots = await filled(wanted.store_url, authority, sizes)
    async with OpenBroker(authority, where.folder / "broker", port=where.broker) as broker:
        there = replace(where, broker=broker.endpoint.port)
        async with worker(kind, there, upstream) as (child, said):
            store = Path(wanted.store_url.partition("///")[2])
            yield Place(broker, authority, child, robots, store, said.get("enrol", ""), upstream)
