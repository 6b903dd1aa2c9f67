"""Without its cloud, and without its rights."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from device.messages.enrolment import BrokerAddress, Enrolment
from device.messages.reports import Lifecycle
from device.messages.wire import decode, encode
from provisioning.app import DEFAULT_OPERATOR
from provisioning.local.demo.perform import DEVICE, Stage
from provisioning.local.demo.robot import Robot
from provisioning.local.demo.watch import Watch
from provisioning.revocation import revoke
from tests.whole.conftest import card, openai

pytestmark = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def lonely_robot(stage: Stage) -> AsyncIterator[tuple[Robot, Watch]]:
    """The stage's robot once more, with a broker that nobody answers for."""
    assert await stage.robot.stop() == 0
    path = stage.folder / "robot" / "enrolment.json"
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = BrokerAddress(host="127.0.0.1", port=nobody.getsockname()[1])
        enrolment = msgspec.structs.replace(decode(path.read_bytes(), Enrolment), broker=address)
        path.write_bytes(encode(enrolment))
        watch = Watch()
        async with Robot(
            stage.folder / "device.toml", stage.folder / "lonely.log", watch.on_observed, watch.on_gone
        ) as it:
            yield it, watch


def words(log: Path) -> str:
    return log.read_text(encoding="utf-8")


async def test_without_a_broker_a_press_is_still_felt_and_answered(mortal_stage: Stage) -> None:
    async with lonely_robot(mortal_stage) as (robot, watch):
        await watch.observation("body", seconds=30)
        robot.do("press")
        robot.do("release")
        pressed = await watch.observation("pressed")
        lit = await watch.observation("light", pressed.at)
        assert lit.detail["brightness"] > 0
        await watch.observation("speaker-audible", number=1)
        await watch.observation("speaker-audible", number=2)
        assert await robot.stop() == 0
    assert "broker: no connection to the cloud: [Errno 111] Connection refused" in words(
        mortal_stage.folder / "lonely.log"
    )


async def test_a_revoked_robot_gets_nothing_any_more(mortal_stage: Stage) -> None:
    stage = mortal_stage
    cloud = stage.local.cloud
    assert await revoke(cloud.store, cloud.authority, DEVICE, time.time(), DEFAULT_OPERATOR)
    await stage.watch.until("the last will", lambda: card(stage).lifecycle is Lifecycle.LOST or None)
    async with asyncio.timeout(20):
        while "CERTIFICATE_REVOKED" not in words(stage.folder / "robot.log"):
            await asyncio.sleep(0.05)  # a log tells nobody
    stage.robot.do("press")
    await stage.watch.observation("speaker-audible", number=2)
    assert await stage.robot.stop() == 0
    assert not openai(stage).calls
    assert "listening" not in stage.watch.phases
    log = words(stage.folder / "robot.log")
    assert "broker lost" in log
    assert "broker: no connection to the cloud: " in log
