"""What a process tells of itself to those who watch over it."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from provisioning.alone import alone
from provisioning.app import open_authority, running, running_part, serve
from provisioning.listening import listening
from provisioning.metrics import BUCKETS, Metrics
from provisioning.monitor import Counted, Monitor, outcome
from provisioning.mosquitto import MosquittoProcess
from provisioning.roles import Place, Role
from provisioning.settings import BrokerSettings, CloudSettings, EnrolSettings, MonitorSettings, WebSettings
from provisioning.store import Store
from tests.eventually import eventually
from tests.provisioning.minting_bench import minting_bench

SAMPLE = re.compile(r'[a-z_]+(\{[a-z]+="[^"]*"\})? [0-9.e+-]+')


def values(text: str) -> dict[str, float]:
    """Read the text format: every line is a comment or a sample."""
    assert text.endswith("\n")
    lines = [line for line in text.splitlines() if not line.startswith("# ")]
    assert all(SAMPLE.fullmatch(line) for line in lines), text
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_latencies_are_counted_in_classes_that_include_the_smaller_ones() -> None:
    metrics = Metrics()
    for came, seconds in (("granted", 0.005), ("granted", 0.3), ("BUSY", 60.0)):
        metrics.answered(came, seconds)
    read = values(metrics.text({"kaiwa_x": ("What.", 2.0)}))
    assert read['kaiwa_mint_requests_total{outcome="granted"}'] == 2
    assert read['kaiwa_mint_requests_total{outcome="BUSY"}'] == 1
    classes = [read[f'kaiwa_mint_seconds_bucket{{le="{end:g}"}}'] for end in BUCKETS]
    assert classes == [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2]
    assert read['kaiwa_mint_seconds_bucket{le="+Inf"}'] == read["kaiwa_mint_seconds_count"] == 3
    assert read["kaiwa_mint_seconds_sum"] == pytest.approx(60.305)
    assert read["kaiwa_x"] == 2


async def test_answers_are_counted_by_what_they_say_in_the_clear_and_nothing_of_them_is_shown(tmp_path: Path) -> None:
    async with minting_bench(tmp_path) as bench:
        metrics = Metrics()
        counted = Counted(bench.minter, metrics)
        robot = await bench.robot(now=time.time())
        granted = await counted.answer(robot.request(time.time()), "robot-1", time.time())
        secret = robot.grant(granted).openai.secret.reveal()
        busy = await counted.answer(robot.request(time.time()), "robot-1", time.time())
        assert await counted.answer(b"nonsense", "robot-1", time.time()) is None
        assert (outcome(granted), outcome(busy), outcome(b"{}")) == ("granted", "BUSY", "unknown")
    text = metrics.text({})
    totals = {name: value for name, value in values(text).items() if "requests_total" in name}
    assert sorted(totals.values()) == [1, 1, 1]
    assert secret not in text
    assert "robot-1" not in text


async def test_a_process_is_well_while_it_has_broker_and_store(tmp_path: Path) -> None:
    connected = asyncio.Event()
    url = f"sqlite:///{tmp_path}/store.sqlite3"
    async with aiohttp.ClientSession() as http:
        async with Store(url) as store:
            app = Monitor(store, connected, Metrics(), {"kaiwa_pages_open": ("Pages.", lambda: 3.0)}).app()
            async with listening(app, "127.0.0.1", 0) as port:
                base = f"http://127.0.0.1:{port}"
                async with http.get(f"{base}/healthz") as answer:
                    assert (answer.status, await answer.text()) == (503, "the broker is not connected\n")
                connected.set()
                async with http.get(f"{base}/healthz") as answer:
                    assert (answer.status, await answer.text()) == (200, "well\n")
                async with http.get(f"{base}/metrics") as answer:
                    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
                    read = values(await answer.text())
        assert (read["kaiwa_sessions_live"], read["kaiwa_broker_connected"], read["kaiwa_pages_open"]) == (0, 1, 3)
        closed = Monitor(Store(url), connected, Metrics(), {}).app()
        async with listening(closed, "127.0.0.1", 0) as port:
            async with http.get(f"http://127.0.0.1:{port}/healthz") as answer:
                assert (answer.status, await answer.text()) == (503, "the store does not answer\n")
            async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
                assert "kaiwa_sessions_live" not in values(await answer.text())


def settings(folder: Path, broker: int = 1) -> CloudSettings:
    """Return settings with a monitor on a free port, and a broker of somebody else's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    return CloudSettings(
        state_dir=str(folder),
        enrol=EnrolSettings(port=0),
        web=WebSettings(port=0),
        broker=BrokerSettings(port=broker),
        monitor=MonitorSettings(port=port),
    )


@asynccontextmanager
async def part(where: CloudSettings, role: Role) -> AsyncIterator[asyncio.Event]:
    """Run one part of the cloud, or all of it."""
    if role is Role.ALL:
        async with running(where) as cloud:
            yield cloud.connected
    else:
        async with running_part(where, Place(role)) as connected:
            yield connected


async def got(where: CloudSettings, path: str) -> tuple[int, str]:
    address = f"http://{where.monitor.host}:{where.monitor.port}{path}"
    async with aiohttp.ClientSession() as http, http.get(address) as answer:
        return answer.status, await answer.text()


OF = {
    Role.MINT: {"kaiwa_mint_requests_dropped"},
    Role.WEB: {"kaiwa_pages_open"},
    Role.LEASH: set(),
    Role.ALL: {"kaiwa_mint_requests_dropped", "kaiwa_pages_open"},
}


@pytest.mark.parametrize("role", Role)
async def test_each_part_says_the_truth_about_its_broker_and_tells_what_is_its_own(tmp_path: Path, role: Role) -> None:
    authority = open_authority(settings(tmp_path), time.time())
    async with AsyncExitStack() as ours, AsyncExitStack() as theirs:
        broker = await theirs.enter_async_context(MosquittoProcess(authority, tmp_path / "broker"))
        where = settings(tmp_path, broker.endpoint.port)
        connected = await ours.enter_async_context(part(where, role))
        async with asyncio.timeout(10):
            await connected.wait()
        assert await got(where, "/healthz") == (200, "well\n")
        told = {name for name in values((await got(where, "/metrics"))[1]) if "mint_seconds" not in name}
        assert told == OF[role] | {"kaiwa_broker_connected", "kaiwa_sessions_live"}
        await theirs.aclose()

        async def without_it() -> bool:
            return await got(where, "/healthz") == (503, "the broker is not connected\n")

        await eventually(without_it)


async def test_a_leash_that_stands_by_lives_and_is_not_well(tmp_path: Path) -> None:
    where = settings(tmp_path)
    async with alone(where.store_url, tmp_path):
        waiting = asyncio.create_task(serve(where, Place(Role.LEASH), lambda _: None))

        async def told() -> bool:
            with suppress(aiohttp.ClientError):
                return (await got(where, "/healthz"))[0] == 503
            return False

        await eventually(told)
        assert values((await got(where, "/metrics"))[1])["kaiwa_standing_by"] == 1
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
