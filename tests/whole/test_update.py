"""A robot that talks to its cloud becomes another version by a signed order, as systemd and root's unit have it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web

from device.__main__ import EXIT_UPDATE
from device.messages.commands import Verb
from device.update import guard
from provisioning.listening import listening
from provisioning.local.cloud import Choices
from provisioning.local.demo.perform import DEVICE, Stage, remote, staged
from provisioning.local.demo.robot import Robot
from tests.device.update.board import Board, release_of
from tests.eventually import eventually
from tests.whole.conftest import card, quiet

NEXT = """exec {python} -c "import sys, device
device.__version__ = '{version}'
from device.__main__ import main
sys.exit(main(sys.argv[1:]))" "$@" """


@asynccontextmanager
async def served(stage: Stage, folder: Path) -> AsyncIterator[str]:
    """Serve a folder over HTTPS, with a certificate of the fleet's own authority."""
    app = web.Application()
    app.add_routes([web.static("/", folder)])
    tls = stage.local.cloud.authority.server_context()
    async with listening(app, "127.0.0.1", 0, tls) as port:
        yield f"https://127.0.0.1:{port}"


def as_current(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have whoever starts the robot start the version that is current."""
    python = board.root / "python"
    python.write_text(f'#!/bin/sh\nshift 2\nexec "{board.places.current}/{guard.PROGRAM}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))


async def _there(path: Path) -> bool:
    return await asyncio.to_thread(path.exists)


async def test_an_operator_orders_another_version_and_hears_that_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = Board(tmp_path)
    board.keep_state_in(tmp_path / "robot")
    more = board.settings() + "well_seconds = 0.3\nlook_seconds = 0.1\n"
    package = board.package("0.2.0", NEXT.format(python=sys.executable, version="0.2.0"))
    said: list[str] = []
    async with staged(tmp_path, Choices(), "room", quiet, more) as stage, served(stage, tmp_path) as server:
        await stage.watch.phase("idle", seconds=60)
        args = {"release": release_of(package).read_text(), "url": f"{server}/{package.name}"}
        async with asyncio.TaskGroup() as tasks:
            ordered = tasks.create_task(remote(stage, Verb.UPDATE, said.append, args))
            config = tmp_path / "device.toml"
            await eventually(partial(_there, board.state / "update/request"))
            assert (await asyncio.to_thread(board.update, "--requested", config=config)).code == 0
            assert await stage.robot.ended() == EXIT_UPDATE
            board.guard("start")
            as_current(board, monkeypatch)
            watched = tasks.create_task(asyncio.to_thread(board.guard, "watch", 30))
            async with Robot(config, tmp_path / "next.log", stage.watch.on_observed, stage.watch.on_gone) as robot:
                await watched
                await ordered
                assert card(stage).version == "0.2.0"
                assert await robot.stop() == 0
    assert [line.split()[1] for line in (said[0], said[-1])] == ["ACCEPTED", "SUCCEEDED"]
    assert said[-1] == "update: SUCCEEDED 0.2.0 runs"
    assert {line.split()[1] for line in said[1:-1]} == {"IN_PROGRESS"}
    assert not (tmp_path / "robot/update/order").exists()
    assert board.current == "updates/0.2.0"
    assert card(stage).device == DEVICE
