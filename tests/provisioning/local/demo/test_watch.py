"""Waiting for what is observed."""

from __future__ import annotations

import asyncio

import pytest

from device.messages.reports import DeviceState, FaultRaised, Lifecycle
from provisioning.local.demo.watch import DemoError, Watch


def state(phase: str) -> DeviceState:
    return DeviceState(device="robot", lifecycle=Lifecycle.READY, phase=phase)


async def test_who_waits_is_woken_by_what_happens() -> None:
    watch = Watch()
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(watch.phase("listening", "speaking"))
        watch.on_state(state("preparing"))
        await asyncio.sleep(0)
        assert not waiting.done()
        watch.on_state(state("listening"))
    assert waiting.result() == "listening"
    assert watch.phases == ["preparing", "listening"]


async def test_an_observation_counts_from_a_moment_on_and_with_its_details() -> None:
    watch = Watch()
    watch.on_observed({"what": "light", "at": 1.0, "brightness": 1.0})
    watch.on_observed({"what": "light", "at": 2.0, "brightness": 0.0})
    assert watch.find("light", after=1.5, brightness=1.0) is None
    assert (await watch.observation("light", after=1.5)).at == 2.0


async def test_what_does_not_happen_is_said_with_the_last_fault() -> None:
    watch = Watch()
    watch.on_state(state("fault"))
    watch.on_event("robot", FaultRaised(at=0, fault="UPSTREAM", text="no answer"))
    with pytest.raises(DemoError, match=r"the robot becomes live: .*fault.*UPSTREAM: no answer"):
        await watch.phase("live", seconds=0.0)
