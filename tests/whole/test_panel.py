"""A robot by push-to-talk, with a switch that mutes, and a claim on its card: only its panel is touched."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from device.identity import Identity
from device.messages.reports import Lifecycle, Speaker
from provisioning.local.cloud import Choices
from provisioning.local.demo.perform import DEVICE, Stage, staged
from tests.read_only import may_unshare, python_in
from tests.whole.conftest import card, openai, press, quiet

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLAIM_SECONDS = 1.5


@pytest_asyncio.fixture(loop_scope="module")
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """A robot that has nothing to write to but its own folder, where this user may arrange that."""
    if may_unshare():
        monkeypatch.setattr(sys, "executable", str(python_in(tmp_path)))
    panel = f"mute = 5\nclaim_seconds = {CLAIM_SECONDS}\n"
    claim = f'[claim]\nfiles = ["{tmp_path}/kaiwa-claim.txt"]\nlook_seconds = 0.05\n'
    async with staged(tmp_path, Choices(push_to_talk=True), "room", quiet, claim, panel) as stage:
        await stage.watch.phase("idle", seconds=60)
        yield stage


def said(stage: Stage, speaker: Speaker) -> list[str]:
    return [c.text for c in stage.watch.captions.values() if c.speaker is speaker and c.final]


async def release(stage: Stage) -> None:
    """Let the button go, and wait until the contact has stopped bouncing."""
    before = time.monotonic()
    stage.robot.do("release")
    await stage.watch.observation("button-release", before)


async def hold_and_ask(stage: Stage) -> None:
    """Begin with a tap, wait for the chimes to be over, and ask while the button is held."""
    await press(stage)
    began = await stage.watch.until("on air", lambda: stage.watch.marks.get("on_air"), 30)
    await stage.watch.phase("listening")
    await stage.watch.observation("speaker-silent", began)
    stage.robot.do("press")
    stage.robot.do("say", path=str(stage.sayings["What time is it?"].path))
    await stage.watch.observation("said-end", began)
    await release(stage)


async def test_on_a_read_only_card_a_hand_alone_does_all_there_is_to_do(stage: Stage) -> None:
    await hold_and_ask(stage)
    await stage.watch.phase("speaking")
    assert [heard.text for heard in openai(stage).heard] == ["What time is it?"]
    stage.robot.do("press")
    await stage.watch.phase("listening")
    await release(stage)
    assert openai(stage).spoken[0].played_ms is not None, "the press cut the answer"

    stage.robot.do("mute")
    await stage.watch.until("the microphone closes", lambda: card(stage).muted or None)
    await press(stage)
    await stage.watch.phase("idle")
    began = len(stage.watch.phases)
    await claimed_by_hand(stage)
    assert "preparing" not in stage.watch.phases[began:], "switched off, it begins nothing"


async def claimed_by_hand(stage: Stage) -> None:
    """Hold the button until the robot waits for its claim, which lies there."""
    before = Identity.kept(stage.folder / "robot").files.key
    (stage.folder / "kaiwa-claim.txt").write_text(await stage.local.cloud.claim(device=DEVICE))
    stage.robot.do("press")
    await stage.watch.until("it leaves", lambda: card(stage).lifecycle is Lifecycle.DISCONNECTED or None)
    stage.robot.do("release")
    await stage.watch.until("it is back", lambda: card(stage).lifecycle is Lifecycle.READY or None)
    await stage.watch.phase("idle")
    assert Identity.kept(stage.folder / "robot").files.key != before
