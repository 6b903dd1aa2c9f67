from __future__ import annotations

import asyncio
import time
from pathlib import Path

from device.messages.reports import DeviceState, Lifecycle
from provisioning.policy import Status
from provisioning.presence import Presence
from provisioning.registry import Certificate
from provisioning.store import Store
from tests.eventually import eventually


def state(lifecycle: Lifecycle, device: str = "robot-1") -> DeviceState:
    return DeviceState(device=device, lifecycle=lifecycle)


async def test_a_device_is_active_once_it_is_seen(tmp_path: Path) -> None:
    async with Store(f"sqlite:///{tmp_path}/s") as store:
        now = time.time()
        presence = Presence(store)
        task = asyncio.create_task(presence.run())

        async def status(device: str = "robot-1") -> Status | None:
            async with store.transaction() as t:
                found = await t.devices.find(device)
            return found.status if found else None

        async def active() -> bool:
            return await status() is Status.ACTIVE

        async def later_one_active() -> bool:
            return await status("robot-2") is Status.ACTIVE

        async with store.transaction() as t:
            await t.devices.enrol("", Certificate("1", "robot-1", "key", now, now + 60))
            await t.devices.enrol("", Certificate("3", "robot-2", "its key", now, now + 60))
        presence.on_state(state(Lifecycle.LOST))
        presence.on_state(state(Lifecycle.INIT, "robot-2"))
        assert await eventually(later_one_active)
        assert await status() is Status.PENDING
        presence.on_state(state(Lifecycle.INIT))
        assert await eventually(active)
        async with store.transaction() as t:
            await t.devices.enrol("", Certificate("2", "robot-1", "other key", now + 1, now + 60))
        presence.on_state(state(Lifecycle.INIT))
        assert await eventually(active)
        async with store.transaction() as t:
            actions = [entry.action async for entry in t.audit.entries()]
        assert actions == ["active", "active", "active"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_device_that_starts_a_thousand_times_waits_once(tmp_path: Path) -> None:
    async with Store(f"sqlite:///{tmp_path}/s") as store:
        presence = Presence(store)
        for _ in range(1000):
            presence.on_state(state(Lifecycle.INIT))
            presence.on_state(state(Lifecycle.READY, "robot-2"))
        assert len(presence._arrived) == 2
