from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from device.errors import UpstreamError
from provisioning import broadcasting as module
from provisioning.broadcasting import DELETED_AT_ONCE, Broadcasts
from provisioning.channels import ChannelOptions, HlsRendition
from provisioning.imageflux import Channel
from provisioning.sessions import Session
from tests.eventually import eventually
from tests.provisioning.minting_bench import NOW, Bench, minting_bench


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with minting_bench(tmp_path) as ready:
        await ready.robot()
        async with ready.store.transaction() as t:
            await t.sessions.add(Session("s", "robot-1", "button", NOW, NOW + 60))
        yield ready


async def test_a_channel_is_noted_while_it_is_open(bench: Bench) -> None:
    grant = await bench.broadcasts.open("s")
    assert grant is not None
    async with bench.store.transaction() as t:
        found = await t.sessions.find("s")
        await t.sessions.end("s", NOW + 1, "done")
    assert found is not None
    assert found.channel_id == grant.channel_id
    bench.imageflux.faults.api_status = 500
    assert not await bench.broadcasts.close("s", grant.channel_id)
    bench.imageflux.faults.api_status = 0
    await bench.broadcasts.close_orphans()
    assert await bench.channels.channels() == []
    async with bench.store.transaction() as t:
        assert await t.sessions.unreleased() == []


async def test_a_refusal_is_no_channel(bench: Bench) -> None:
    bench.imageflux.faults.api_status = 401
    with pytest.raises(UpstreamError, match="401"):
        await bench.broadcasts.open("s")


ARCHIVED = ChannelOptions(renditions=[HlsRendition(archive_destination="nowhere")])
"""The stand-in knows no destination, and refuses a channel that names one."""


async def test_only_with_consent_may_the_service_keep_it(bench: Bench) -> None:
    keeping = Broadcasts(bench.store, bench.channels, ARCHIVED, video=False)
    assert await keeping.open("s") is not None
    with pytest.raises(UpstreamError, match="400"):
        await keeping.open("s", archive=True)


async def test_consent_comes_with_the_request(bench: Bench) -> None:
    robot = await bench.robot("robot-2")
    bench.minter._services._broadcasts = Broadcasts(bench.store, bench.channels, ARCHIVED, video=False)
    grant = robot.grant(await bench.minter.answer(robot.request(), robot.name, NOW))
    assert grant.broadcast is not None
    async with bench.store.transaction() as t:
        await t.sessions.end(grant.session, NOW, "done")
    kept = robot.grant(await bench.minter.answer(robot.request(archive=True), robot.name, NOW))
    assert (kept.broadcast, kept.no_broadcast) == (None, "the broadcast service: 400 REFUSED")


async def test_without_an_account_there_is_no_broadcast(bench: Bench) -> None:
    none = Broadcasts(bench.store, None, ChannelOptions(), video=False)
    assert await none.open("s") is None
    assert await none.playlist("c") is None
    assert not await none.close("s", "c")


async def test_a_channel_nobody_sends_to_has_no_playlist(bench: Bench) -> None:
    grant = await bench.broadcasts.open("s")
    assert grant is not None
    assert await bench.broadcasts.playlist(grant.channel_id) is None
    bench.imageflux.faults.api_status = 500
    assert await bench.broadcasts.playlist(grant.channel_id) is None


async def test_observers_may_join_only_where_that_is_switched_on_and_while_it_is_open(bench: Bench) -> None:
    assert (await bench.broadcasts.open("s")) is not None
    for low_delay in (False, True):
        broadcasts = Broadcasts(bench.store, bench.channels, ChannelOptions(low_delay=low_delay), video=False)
        grant = await broadcasts.open("s")
        assert grant is not None
        entrance = broadcasts.entrance(grant.channel_id)
        assert (entrance is not None) is low_delay
        if entrance is not None:
            assert [entrance.signalling_url] == grant.signalling_urls
        await broadcasts.close("s", grant.channel_id)
        assert broadcasts.entrance(grant.channel_id) is None


async def test_captions_are_pushed_only_where_that_is_wished_for(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    for wished in (False, True):
        broadcasts = Broadcasts(bench.store, bench.channels, ChannelOptions(push_captions=wished), video=False)
        grant = await broadcasts.open("s")
        assert grant is not None
        bench.imageflux.faults.api_status = 0 if wished else 500
        await broadcasts.push("s", {"type": "caption"})
        bench.imageflux.faults.api_status = 500
        await broadcasts.push("s", {"type": "caption"})
        bench.imageflux.faults.api_status = 0
        await broadcasts.close("s", grant.channel_id)
        await broadcasts.push("s", {"type": "caption"})
        assert caplog.text.count("nothing pushed for session s") == wished


async def test_a_channel_that_comes_too_late_is_deleted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    creating, arrive = bench.channels.create_channel, asyncio.Event()

    async def slowly(options: ChannelOptions) -> Channel:
        await arrive.wait()
        return await creating(options)

    monkeypatch.setattr(bench.broadcasts._imageflux, "create_channel", slowly)
    with pytest.raises(UpstreamError, match="no channel within"):
        await bench.broadcasts.open("s")
    arrive.set()

    async def made() -> bool:
        return bool(bench.broadcasts._unwanted)

    await eventually(made)
    assert len(await bench.channels.channels()) == 1
    await bench.broadcasts.close_orphans()
    assert await bench.channels.channels() == []


async def test_a_minter_without_a_leash_deletes_what_came_too_late_itself(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SWEEP_SECONDS", 0.01)
    late = await bench.channels.create_channel()
    bench.broadcasts._unwanted.append(late.channel_id)
    bench.imageflux.faults.api_status = 500
    task = asyncio.create_task(bench.broadcasts.keep_clean())
    bench.imageflux.faults.api_status = 0

    async def gone() -> bool:
        return not await bench.channels.channels()

    assert await eventually(gone)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_way_into_a_channel_that_another_process_deletes_is_not_known_for_ever(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_OPEN", 3)
    broadcasts = Broadcasts(bench.store, bench.channels, ChannelOptions(low_delay=True), video=False)
    grants = [await broadcasts.open("s") for _ in range(5)]
    found = [grant is not None and broadcasts.entrance(grant.channel_id) is not None for grant in grants]
    assert found == [False, False, True, True, True]


async def test_many_orphans_are_deleted_several_at_a_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    deleting, here, together, enough = bench.channels.delete, 0, 0, asyncio.Event()

    async def delete(channel_id: str) -> None:
        nonlocal here, together
        here += 1
        together = max(together, here)
        if here == DELETED_AT_ONCE:
            enough.set()
        await enough.wait()
        here -= 1
        await deleting(channel_id)

    monkeypatch.setattr(bench.broadcasts._imageflux, "delete", delete)
    channel = await bench.channels.create_channel()
    async with bench.store.transaction() as t:
        for number in range(DELETED_AT_ONCE + 3):
            await t.sessions.add(Session(f"{number}", "robot-1", "button", NOW, NOW + 60))
            await t.sessions.set_channel(f"{number}", channel.channel_id if number == 0 else f"nothing-{number}")
            await t.sessions.end(f"{number}", NOW + 1, "done")
    async with asyncio.timeout(10):
        await bench.broadcasts.close_orphans()
    assert together == DELETED_AT_ONCE
    assert await bench.channels.channels() == []


async def left_over(bench: Bench, *, sole_user: bool) -> list[str]:
    """Leave channels of an ended session and of nobody beside that of a live one, look twice, and return what is left."""
    live = await bench.broadcasts.open("s")
    async with bench.store.transaction() as t:
        await t.sessions.add(Session("over", "robot-1", "button", NOW, NOW + 60))
    ended = await bench.broadcasts.open("over")
    assert live is not None
    assert ended is not None
    async with bench.store.transaction() as t:
        await t.sessions.end("over", NOW + 1, "done")
        await t.sessions.close_channel("over")
    stranger = await bench.channels.create_channel()
    names = {live.channel_id: "live", ended.channel_id: "ended", stranger.channel_id: "stranger"}
    anew = Broadcasts(bench.store, bench.channels, ChannelOptions(), video=False, sole_user=sole_user)
    await anew.close_left_over()
    assert len(await bench.channels.channels()) == 3, "once is not enough"
    await anew.close_left_over()
    return [names[channel] for channel in await bench.channels.channels()]


async def test_what_a_crash_left_open_is_deleted_and_strangers_are_left_alone(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    assert await left_over(bench, sole_user=False) == ["live", "stranger"]
    assert caplog.text.count("left alone") == 1


async def test_a_sole_user_has_no_strangers(bench: Bench) -> None:
    assert await left_over(bench, sole_user=True) == ["live"]


async def test_a_service_that_does_not_list_is_asked_again_later(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.imageflux.faults.api_status = 500
    await bench.broadcasts.close_left_over()
    assert "not looked for channels" in caplog.text
    await Broadcasts(bench.store, None, ChannelOptions(), video=False).close_left_over()
