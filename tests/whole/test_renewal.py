"""The device program itself, left alone with a certificate that is due."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from device.identity import Identity
from provisioning.local.demo.robot import Robot
from provisioning.local.demo.watch import Watch
from tests.eventually import eventually
from tests.provisioning.site import site

pytestmark = pytest.mark.asyncio


async def test_it_renews_and_nobody_has_to_do_anything(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        folder = await here.enrolled_long_ago("robot-1")
        (tmp_path / "device.toml").write_text(f'state_dir = "{folder}"\n[sound]\ncard = "room"\n', encoding="utf-8")
        before, watch = await here.certificates("robot-1"), Watch()

        async def renewed() -> bool:
            return not set(before) & set(await here.certificates("robot-1"))

        async def told() -> bool:
            log = await asyncio.to_thread((tmp_path / "log").read_text, encoding="utf-8")
            return "the certificate was renewed; it is good until" in log

        async with Robot(tmp_path / "device.toml", tmp_path / "log", watch.on_observed, watch.on_gone) as robot:
            await eventually(renewed, within=30)
            async with asyncio.timeout(10):
                while len(list(folder.glob("*.key"))) > 1:
                    await asyncio.sleep(0.01)  # a disk tells nobody
            await eventually(told)
            assert await robot.stop() == 0
        certificate = Identity.load(folder, time.time()).certificate
        assert await here.certificates("robot-1") == [certificate.serial_number]
