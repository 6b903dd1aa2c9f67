"""Starting and stopping from afar, and who may not."""

from __future__ import annotations

import pytest

from device.messages.commands import Verb
from provisioning.local.demo.perform import Stage, remote

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_remote_start_is_announced_told_in_steps_and_stopped_from_afar(stage: Stage) -> None:
    said: list[str] = []
    await remote(stage, Verb.START, said.append)
    steps = [line.split()[1] for line in said]
    assert steps == ["ACCEPTED", "IN_PROGRESS", "SUCCEEDED"]
    assert "announcing" in stage.watch.phases
    said.clear()
    await remote(stage, Verb.STOP, said.append)
    assert [line.split()[1] for line in said] == ["ACCEPTED", "SUCCEEDED"]
    await stage.watch.phase("idle")


async def test_a_press_during_the_announcement_rejects_it(stage: Stage) -> None:
    said: list[str] = []

    def heard(text: str) -> None:
        said.append(text)
        if len(said) == 1:
            stage.robot.do("press")
            stage.robot.do("release")

    await remote(stage, Verb.START, heard)
    assert [line.split()[1] for line in said] == ["ACCEPTED", "REJECTED"]
    assert "pressed the button" in said[1]
    await stage.watch.phase("idle")


async def test_an_order_to_stop_nothing_is_rejected(stage: Stage) -> None:
    said: list[str] = []
    await remote(stage, Verb.STOP, said.append)
    assert "REJECTED" in said[0]
