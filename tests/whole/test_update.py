"""The robot's program becomes another version by a signed order, as systemd and root's unit have it."""

from __future__ import annotations

import asyncio
import select
import socket
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import aiomqtt
import pytest
from aiohttp import web

from device import updater
from device.__main__ import EXIT_UPDATE
from device.messages import topics
from device.messages.commands import CommandStatus, Step, Verb
from device.messages.reports import DeviceState
from device.messages.wire import decode
from device.update import guard
from provisioning.app import DEFAULT_OPERATOR
from provisioning.commands import new_command, order
from provisioning.link import connection
from provisioning.listening import listening
from provisioning.local.demo.robot import Robot
from provisioning.local.demo.watch import Watch
from tests.device.update.board import Board, release_of
from tests.eventually import eventually
from tests.provisioning.site import Site, site

NEXT = """exec {python} -c "import sys, device
device.__version__ = '{version}'
from device.__main__ import main
sys.exit(main(sys.argv[1:]))" "$@" """


def as_current(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have whoever starts the robot start the version that is current."""
    python = board.root / "python"
    python.write_text(f'#!/bin/sh\nshift 2\nexec "{board.places.current}/{guard.PROGRAM}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))


async def _there(path: Path) -> bool:
    return await asyncio.to_thread(path.exists)


async def ordered(client: aiomqtt.Client, here: Site, url: str, release: str) -> list[CommandStatus]:
    """Order the update, and return every step of the answer."""
    _, signer = here.cloud.authority.operator(DEFAULT_OPERATOR, time.time())
    command = new_command("robot-1", Verb.UPDATE, signer.kid, time.time(), {"release": release, "url": url})
    return [status async for status in order(client, signer, command)]


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    """What systemd would be told."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        yield listening


def told_systemd(systemd: socket.socket) -> Iterator[str]:
    while select.select([systemd], [], [], 0.0)[0]:
        yield from systemd.recv(4096).decode().splitlines()


async def test_an_operator_orders_another_version_and_hears_that_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, systemd: socket.socket
) -> None:
    board, watch = Board(tmp_path), Watch()
    board.config.write_text(
        f'state_dir = "{board.state}"\n{board.settings()}well_seconds = 0.3\nlook_seconds = 0.05\n[sound]\ncard = "room"\n'
    )
    package = board.package("0.2.0", NEXT.format(python=sys.executable, version="0.2.0"))
    app = web.Application()
    app.add_routes([web.static("/", tmp_path)])
    async with site(tmp_path) as here, asyncio.TaskGroup() as tasks:
        monkeypatch.setenv("NOTIFY_SOCKET", systemd.getsockname())  # only now: Mosquitto would tell, too
        authority = here.cloud.authority
        board.keep_state_in((await here.enrolled("robot-1")).files.key.parent)
        files, signer = authority.operator(DEFAULT_OPERATOR, time.time())
        async with (
            listening(app, "127.0.0.1", 0, authority.server_context()) as port,
            connection(here.cloud.broker, signer.kid, authority.client_context(files)) as client,
        ):
            async with Robot(board.config, tmp_path / "log", watch.on_observed, watch.on_gone) as before:
                await client.subscribe(topics.state("robot-1"))
                assert await state(client, "idle") == "0.1.0"
                await client.unsubscribe(topics.state("robot-1"))
                url = f"https://127.0.0.1:{port}/{package.name}"
                steps = tasks.create_task(ordered(client, here, url, release_of(package).read_text()))
                await eventually(partial(there, board.state / "update/request"))
                assert await asyncio.to_thread(updater.main, board.config) == 0
                assert await before.ended() == EXIT_UPDATE
            before_it = [text for text in told_systemd(systemd) if not text.startswith(("WATCHDOG=", "STATUS="))]
            board.guard("start")
            as_current(board, monkeypatch)
            watched = tasks.create_task(asyncio.to_thread(board.guard, "watch", 30))
            async with Robot(board.config, tmp_path / "log", watch.on_observed, watch.on_gone) as after:
                told = await steps
                await watched
                await client.subscribe(topics.state("robot-1"))
                assert await state(client, "idle") == "0.2.0"
                assert await after.stop() == 0
    assert before_it == ["READY=1", "STOPPING=1"]
    assert set(told_systemd(systemd)) == {"READY=1", "WATCHDOG=1", "STATUS=everything goes on", "STOPPING=1"}
    assert [status.step for status in (told[0], told[-1])] == [Step.ACCEPTED, Step.SUCCEEDED]
    assert {status.step for status in told[1:-1]} <= {Step.IN_PROGRESS}
    assert told[-1].reason == "0.2.0 runs"
    assert (board.current, guard.target(board.places.previous)) == ("updates/0.2.0", "versions/0.1.0")
    assert not (board.state / "update/order").exists()


async def there(path: Path) -> bool:
    return await asyncio.to_thread(path.exists)


async def state(client: aiomqtt.Client, phase: str) -> str:
    """Wait until the robot's card shows this phase; return its version."""
    async with asyncio.timeout(20):
        async for message in client.messages:
            card = decode(message.payload, DeviceState)
            if card.phase == phase:
                return card.version
    raise AssertionError("the broker is gone")
