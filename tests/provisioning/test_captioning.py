"""Captions into channels: each session's in their order, and none waits for another's."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from device.messages.reports import Speaker
from provisioning.broadcasting import Broadcasts
from provisioning.captioning import MOST_WAITING, Captioning
from provisioning.channels import ChannelOptions
from provisioning.observer.views import CaptionView
from provisioning.sessions import Session
from tests.provisioning.minting_bench import NOW, minting_bench


def caption(text: str) -> CaptionView:
    return CaptionView(id=text, speaker=Speaker.USER, text=text, start=1, end=2, final=True, approximate=True)


async def test_a_slow_channel_holds_up_no_other_and_keeps_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with minting_bench(tmp_path) as bench, asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        broadcasts = Broadcasts(bench.store, bench.channels, ChannelOptions(push_captions=True), video=False)
        channels = {}
        for session in ("slow", "quick"):
            await bench.robot(session)
            async with bench.store.transaction() as t:
                await t.sessions.add(Session(session, session, "button", NOW, NOW + 60))
            granted = await broadcasts.open(session)
            assert granted is not None
            channels[granted.channel_id] = session
        pushed: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        release, push = asyncio.Event(), bench.channels.push

        async def slowly(channel_id: str, data: dict[str, Any]) -> None:
            if channels[channel_id] == "slow":
                await release.wait()
            await push(channel_id, data)
            pushed.put_nowait((channels[channel_id], data["text"]))

        monkeypatch.setattr(bench.channels, "push", slowly)
        captioning = Captioning(broadcasts)
        running = tasks.create_task(captioning.run())
        for number in range(MOST_WAITING + 3):
            captioning.say("slow", caption(f"s{number}"))
            await asyncio.sleep(0)
        captioning.say("quick", caption("q"))
        assert await pushed.get() == ("quick", "q")
        release.set()
        told = [await pushed.get() for _ in range(MOST_WAITING + 1)]
        assert told == [("slow", "s0"), *(("slow", f"s{number}") for number in range(3, MOST_WAITING + 3))]
        captioning.say("quick", caption("again"))
        assert await pushed.get() == ("quick", "again")
        assert not captioning._waiting.keys() - {"quick"}
        running.cancel()
