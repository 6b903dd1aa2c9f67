"""A conversation in calls that the cloud opens: the whole chain, over broker and sockets, and no secret in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.local.cloud import Choices
from provisioning.local.demo.perform import staged
from tests.whole.conftest import openai, press, quiet

pytestmark = pytest.mark.asyncio

MORE = 'log_level = "DEBUG"\n[session]\nrenew_seconds = 0.8\n[broadcast]\nenabled = false\n'


async def test_a_robot_talks_changes_over_to_another_call_and_is_never_told_a_secret(tmp_path: Path) -> None:
    async with staged(tmp_path, Choices(exchange=True, call_seconds=60.0), "room", quiet, MORE) as stage:
        await stage.watch.phase("idle", seconds=60)
        await press(stage)
        await stage.watch.until("listening", lambda: stage.watch.marks.get("listening"), 30)
        [first] = openai(stage).calls

        def changed() -> bool | None:
            calls = openai(stage).calls
            return (bool(calls) and first not in calls) or None

        await stage.watch.until("another call, and no longer the first", changed)
        stage.robot.do("say", path=str(stage.sayings["What can you do?"].path))
        await stage.watch.phase("speaking")
        assert [heard.text for heard in openai(stage).heard] == ["What can you do?"]
        async with stage.local.cloud.store.transaction() as t:
            [session] = await t.sessions.live()
        assert session.calls
        assert first not in session.calls
        await press(stage)
        await stage.watch.phase("idle")
        await stage.watch.until("no call", lambda: not openai(stage).calls or None)
        assert not stage.watch.faults
        assert openai(stage)._keys._keys == {}, "no secret was asked for"
        assert await stage.robot.stop() == 0
    log = (tmp_path / "robot.log").read_text(encoding="utf-8")
    assert "takes over" in log
    for word in ("ice-pwd", "ek_", "sk-"):
        assert word not in log
