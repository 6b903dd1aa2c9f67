"""A running cloud and robot: one for the tests of a module, or one for a test that ends it."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from device.messages.reports import DeviceState
from provisioning.local.cloud import Choices
from provisioning.local.demo.perform import Stage, staged
from provisioning.local.realtime import RealtimeStandIn

LAMP = """
[[tools.outputs]]
name = "lamp"
pin = 17
description = "The lamp on the shelf."
"""


PICTURE = """
[broadcast]
picture = "character"
"""


def example(folder: Path) -> str:
    """Write the tool that docs/tools.md shows to a folder, and return the settings that lead there."""
    page = Path("docs/tools.md").read_text(encoding="utf-8")
    [program] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (folder / "museum.py").write_text(program, encoding="utf-8")
    return f'[tools]\nfolder = "{folder}"\n'


def quiet(_text: str) -> None:
    """Say nothing."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    tools = example(tmp_path_factory.mktemp("tools")) + LAMP + PICTURE
    async with staged(tmp_path_factory.mktemp("stage"), Choices(), "room", quiet, tools) as stage:
        await stage.watch.phase("idle", seconds=60)
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def stage(shared_stage: Stage) -> AsyncIterator[Stage]:
    """The module's robot, at rest, with nothing remembered and no fault switched on."""
    shared_stage.watch.forget()
    yield shared_stage
    openai(shared_stage).faults.secrets = openai(shared_stage).faults.calls = None
    openai(shared_stage).faults.loss = 0.0
    assert shared_stage.local.imageflux is not None
    shared_stage.local.imageflux.faults.api_status = 0
    if card(shared_stage).phase not in {"idle", "fault"}:
        await press(shared_stage)
    await shared_stage.watch.phase("idle", "fault", seconds=30)


@pytest_asyncio.fixture(loop_scope="module")
async def mortal_stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A robot of its own for a test that ends it."""
    async with staged(tmp_path, Choices(), "room", quiet) as stage:
        await stage.watch.phase("idle", seconds=60)
        yield stage


def openai(stage: Stage) -> RealtimeStandIn:
    """Return the stand-in for OpenAI."""
    assert stage.local.openai is not None
    return stage.local.openai


def card(stage: Stage) -> DeviceState:
    """Return the robot's last card."""
    assert stage.watch.state is not None
    return stage.watch.state


async def press(stage: Stage) -> None:
    """Press and release, and wait until the contact has stopped bouncing."""
    before = time.monotonic()
    stage.robot.do("press")
    stage.robot.do("release")
    await stage.watch.observation("button-release", before)
