"""What goes wrong is seen, heard and told, and nothing is left behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import aiohttp
import msgspec
import pytest

from device.messages.commands import Verb
from device.messages.reports import Lifecycle
from provisioning.imageflux import ImageFlux
from provisioning.local.demo.perform import DEVICE, Stage, remote
from provisioning.local.realtime import HttpFault
from tests.day.day import played, verdict
from tests.faults import RECOVERY, Recorded
from tests.whole.conftest import card, openai, press, quiet

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def start(stage: Stage) -> None:
    """Press, and wait until the robot has felt it."""
    before = len(stage.watch.phases)
    await press(stage)
    await stage.watch.until("the press", lambda: "preparing" in stage.watch.phases[before:] or None)


async def talk(stage: Stage) -> None:
    """Start a conversation and wait until it is on air."""
    await start(stage)
    await stage.watch.phase("listening", seconds=30)
    await stage.watch.until("on air", lambda: card(stage).on_air or None)


async def channels(stage: Stage) -> Sequence[str]:
    """Return the channels that are open at ImageFlux."""
    stand_in = stage.local.imageflux
    assert stand_in is not None
    async with aiohttp.ClientSession() as http:
        return await ImageFlux(http, stand_in.api_url, stand_in.settings.token).channels()


async def nothing_left(stage: Stage) -> None:
    """Wait until no call and no channel is open any more."""
    async with asyncio.timeout(60):
        while openai(stage).calls or await channels(stage):
            await asyncio.sleep(0.05)  # the stand-ins tell nobody of their calls and channels


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (HttpFault.UNAUTHORIZED, "UPSTREAM"),
        (HttpFault.QUOTA, "UPSTREAM"),
        (HttpFault.SERVER_ERROR, "UPSTREAM"),
        (HttpFault.RESET, "UPSTREAM"),
    ],
)
async def test_a_secret_that_cannot_be_had_is_a_fault_and_passes(stage: Stage, fault: HttpFault, word: str) -> None:
    openai(stage).faults.secrets = fault
    await start(stage)
    await stage.watch.phase("fault")
    assert card(stage).fault == word
    await nothing_left(stage)


async def test_after_a_fault_the_next_press_talks(stage: Stage, record_property: Recorded) -> None:
    openai(stage).faults.secrets = HttpFault.SERVER_ERROR
    await start(stage)
    await stage.watch.phase("fault")
    openai(stage).faults.secrets = None
    began = time.monotonic()
    await talk(stage)
    record_property(RECOVERY, time.monotonic() - began)
    assert card(stage).fault is None


async def test_a_fault_is_shown_for_a_while_and_passes(stage: Stage) -> None:
    openai(stage).faults.secrets = HttpFault.SERVER_ERROR
    await start(stage)
    await stage.watch.phase("fault")
    await stage.watch.phase("idle")


@pytest.mark.parametrize("fault", [HttpFault.SERVER_ERROR, HttpFault.MALFORMED_SDP, HttpFault.JSON_FOR_SDP])
async def test_a_call_that_is_refused_is_a_fault_and_passes(
    stage: Stage, fault: HttpFault, record_property: Recorded
) -> None:
    openai(stage).faults.calls = fault
    began = time.monotonic()
    await start(stage)
    await stage.watch.phase("fault")
    assert card(stage).fault == "upstream"
    await nothing_left(stage)
    record_property(RECOVERY, time.monotonic() - began)


async def test_without_imageflux_the_conversation_goes_on(stage: Stage) -> None:
    assert stage.local.imageflux is not None
    stage.local.imageflux.faults.api_status = 500
    await start(stage)
    await stage.watch.phase("listening", seconds=30)
    stage.robot.do("say", path=str(stage.sayings["What can you do?"].path))
    await stage.watch.phase("speaking")
    assert not card(stage).on_air
    assert [fault.text for fault in stage.watch.faults if fault.fault == "broadcast"] == [
        "the broadcast service: 500 REFUSED"
    ]


async def test_a_blocked_network_is_a_media_fault(stage: Stage, record_property: Recorded) -> None:
    openai(stage).faults.loss = 1.0
    began = time.monotonic()
    await start(stage)
    await stage.watch.phase("fault")
    assert card(stage).fault == "media"
    assert time.monotonic() - began < 15.0
    record_property(RECOVERY, time.monotonic() - began)
    await nothing_left(stage)


async def test_a_call_that_dies_is_followed_by_another_of_the_same_session(stage: Stage) -> None:
    await talk(stage)
    session, faults = card(stage).session, list(stage.watch.faults)
    [before] = openai(stage).calls
    stage.robot.do("say", path=str(stage.sayings["Tell me a story."].path))
    await stage.watch.phase("speaking", seconds=20)
    openai(stage).faults.loss = 1.0
    await stage.watch.phase("reconnecting", seconds=20)
    steps, accepted = list[str](), asyncio.Event()

    def told(step: str) -> None:
        steps.append(step)
        accepted.set()

    asks = {"tool": "ask", "arguments": {"text": "What can you do?"}}
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(remote(stage, Verb.USE, told, asks))
        await accepted.wait()
        assert (steps, asking.done()) == (["use: ACCEPTED ask"], False), "there is nobody to ask yet"
        openai(stage).faults.loss = 0.0
        await stage.watch.phase("listening", "thinking", "speaking", seconds=30)
    assert steps[1:] == ['use: SUCCEEDED {"ok":true}']
    assert [line.text for line in openai(stage).written].count("What can you do?") == 1
    assert (card(stage).session, card(stage).on_air, card(stage).fault) == (session, True, None)
    assert stage.watch.faults == faults
    async with asyncio.timeout(10):
        while before in openai(stage).calls:  # the robot could not hang up what it could not reach: the cloud has
            await asyncio.sleep(0.05)
    [after] = openai(stage).calls
    async with stage.local.cloud.store.transaction() as t:
        found = await t.sessions.find(session or "")
    assert found is not None
    assert (found.call_id, found.second_call_id) == (after, None)
    await press(stage)
    await nothing_left(stage)


@pytest.mark.parametrize("moment", ["offering", "connecting"])
async def test_a_second_press_at_any_moment_calls_the_start_off(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    service = openai(stage)
    monkeypatch.setattr(service, "settings", msgspec.structs.replace(service.settings, slow_seconds=1.0))
    service.faults.calls = HttpFault.SLOW if moment == "offering" else None
    service.faults.loss = 1.0
    await start(stage)
    if moment == "offering":
        await stage.watch.until("the channel", lambda: stage.watch.marks.get("granted") or None)
    else:
        await stage.watch.until("the call", lambda: service.calls or None)
    await press(stage)
    await stage.watch.phase("idle")
    await nothing_left(stage)


async def test_a_press_while_it_says_goodbye_begins_anew(stage: Stage) -> None:
    await talk(stage)
    stage.robot.do("press")
    await stage.watch.until("goodbye", lambda: "ending" in stage.watch.phases or None)
    stage.robot.do("release")
    await press(stage)
    await stage.watch.phase("idle", "listening")


async def test_a_broadcast_that_falls_comes_back_while_the_conversation_goes_on(
    stage: Stage, record_property: Recorded
) -> None:
    await talk(stage)
    first = await stage.watch.until("a playlist", lambda: stage.watch.playlist or None)
    assert stage.local.imageflux is not None
    stage.local.imageflux.drop()
    began = time.monotonic()
    await stage.watch.until("off air", lambda: not card(stage).on_air or None)
    await stage.watch.until("on air", lambda: card(stage).on_air or None)
    record_property(RECOVERY, time.monotonic() - began)
    again = await stage.watch.until(
        "a new playlist", lambda: stage.watch.playlist if stage.watch.playlist != first else None
    )
    assert again != first
    assert card(stage).phase == "listening"


async def test_a_call_that_the_service_ends_is_released(stage: Stage, record_property: Recorded) -> None:
    await talk(stage)
    session = card(stage).session
    assert session is not None
    beat = await stage.watch.until("a heartbeat", lambda: stage.watch.usage or None)
    assert beat["responses"] >= 0
    for call in list(openai(stage).calls.values()):
        call.hang_up()
    began = time.monotonic()
    await stage.watch.phase("idle")
    record_property(RECOVERY, time.monotonic() - began)
    reasons = await stage.watch.until(
        "the report", lambda: [ended.reason for ended in stage.watch.ended if ended.session == session] or None
    )
    assert reasons == ["closed by the service"]
    await nothing_left(stage)
    async with stage.local.cloud.store.transaction() as t:
        settled = await t.sessions.find(session)
    assert settled is not None
    assert settled.reported
    assert settled.cost is not None
    assert settled.cost < settled.reserved


async def test_a_second_press_while_the_service_is_slow_calls_the_start_off(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = openai(stage)
    monkeypatch.setattr(service, "settings", msgspec.structs.replace(service.settings, slow_seconds=1.5))
    service.faults.secrets = HttpFault.SLOW
    await start(stage)
    await press(stage)
    await stage.watch.phase("idle")
    service.faults.secrets = None
    await talk(stage)
    await press(stage)
    await nothing_left(stage)


@pytest.mark.parametrize("moment", ["idle", "preparing", "listening", "speaking"])
async def test_told_to_end_at_any_moment_it_gives_everything_back(mortal_stage: Stage, moment: str) -> None:
    stage = mortal_stage
    if moment != "idle":
        await start(stage)
    if moment in {"listening", "speaking"}:
        await stage.watch.phase("listening", seconds=30)
    if moment == "speaking":
        stage.robot.do("say", path=str(stage.sayings["Tell me a story."].path))
        await stage.watch.phase("speaking")
    stage.watch.outlive()
    assert await stage.robot.stop() == 0
    await stage.watch.until("farewell", lambda: _left(stage) or None)
    lights = [seen for seen in stage.watch.seen if seen.what == "light"]
    assert lights[-1].detail["brightness"] == 0.0
    await nothing_left(stage)


def _left(stage: Stage) -> bool:
    return card(stage).lifecycle is Lifecycle.DISCONNECTED


async def test_a_robot_that_vanishes_is_noticed_and_cleaned_up_after(
    mortal_stage: Stage, monkeypatch: pytest.MonkeyPatch, record_property: Recorded
) -> None:
    monkeypatch.setattr("provisioning.watch.ABSENCE", 0.5)
    stage = mortal_stage
    await talk(stage)
    stage.watch.outlive()
    stage.robot.kill()
    began = time.monotonic()
    await stage.watch.until(
        "the last will",
        lambda: card(stage).lifecycle is Lifecycle.LOST or None,
        60.0,
    )
    await nothing_left(stage)
    record_property(RECOVERY, time.monotonic() - began)


async def test_the_feed_shows_what_the_robot_does(stage: Stage) -> None:
    await talk(stage)
    snapshot = stage.local.cloud.feed.snapshot(DEVICE)
    assert snapshot.state.phase == "listening"
    assert snapshot.state.on_air


async def test_ten_sessions_of_a_simulated_day_leave_nothing_behind(stage: Stage) -> None:
    day = await played(stage, seed=7, sessions=10, say=quiet, quick=True)
    assert day.stuck == []
    assert day.left == []
    assert len(day.played) >= 4
    assert [row.name for row in verdict(day) if row.ok is False] == []
