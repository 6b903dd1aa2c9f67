"""A conversation in a Live session: the whole chain, over broker and sockets, with a tool, and ended from outside."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from device.messages.reports import Speaker
from provisioning.halts import Halt
from provisioning.local.cloud import Choices
from provisioning.local.demo.perform import staged
from provisioning.local.demo.watch import Watch
from provisioning.local.realtime.live.call import LiveCall
from tests.whole.conftest import openai, press, quiet

pytestmark = pytest.mark.asyncio

MORE = 'log_level = "DEBUG"\n[broadcast]\nenabled = false\n'


async def test_a_robot_talks_in_a_live_session_uses_a_tool_and_is_hung_up_when_the_fleet_is_halted(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path, Choices(live=True), "room", quiet, MORE) as stage:
        watch, store = stage.watch, stage.local.cloud.store
        await watch.phase("idle", seconds=60)
        await press(stage)
        began = await watch.until("listening", lambda: watch.marks.get("listening"), 30)
        await watch.observation("speaker-silent", began)  # the chime is over
        [(name, call)] = openai(stage).calls.items()
        assert isinstance(call, LiveCall)
        stage.robot.do("say", path=str(stage.sayings["What time is it?"].path))
        await watch.phase("speaking")
        answer = await watch.until("an answer", lambda: next(iter(said(watch, Speaker.ASSISTANT)), None))
        assert answer.startswith("It is")
        assert said(watch, Speaker.USER) == ["What time is it?"]
        [called] = openai(stage).called
        assert (called.name, '"ok":true' in (called.output or "").replace(" ", "")) == ("current_time", True)
        async with store.transaction() as t:
            [session] = await t.sessions.live()
            assert (session.calls, session.model) == ((f"live.{name}",), "gpt-live-1+gpt-5.6-luna")
            await t.halts.halt(Halt(time.time(), "admin", "smoke"))
        await watch.until("no session", lambda: not openai(stage).calls or None)
        await watch.phase("idle", seconds=30)
        ended = await watch.until("an end", lambda: watch.ended[-1] if watch.ended else None)
        assert ended.usage["live_seconds"] >= 15
        assert ended.usage["responses"] == 2
        async with store.transaction() as t:
            found = await t.sessions.find(session.id)
        assert found is not None
        assert 0 < (found.cost or 0) < found.reserved
        assert await stage.robot.stop() == 0
    log = (tmp_path / "robot.log").read_text(encoding="utf-8")
    for word in ("ice-pwd", "ek_", "sk-"):
        assert word not in log


def said(watch: Watch, speaker: Speaker) -> list[str]:
    return [caption.text for caption in watch.captions.values() if caption.speaker is speaker and caption.final]
