"""The whole cloud over real HTTPS and a real broker, from the robots' side."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import time
from pathlib import Path

import aiohttp
import aiomqtt
import pytest

from device.errors import BrokerError, SettingsError
from device.messages import topics
from device.messages.minting import Refusal
from device.messages.reports import CallAnswered, Lifecycle, SessionEnded
from provisioning.app import running
from provisioning.imageflux import ImageFlux
from provisioning.local.imageflux.server import ImageFluxStandIn
from provisioning.policy import Status
from provisioning.registry import Certificate
from provisioning.revocation import revoke
from provisioning.sessions import Session
from provisioning.settings import BrokerSettings, CloudSettings, WebSettings, replaced
from provisioning.store import Store
from tests.eventually import eventually
from tests.provisioning.realtime_service import error, realtime_service
from tests.provisioning.site import Site, cloud_settings, site


async def why_ended(here: Site, session: str) -> str:
    """Wait for a session to be ended in the store; return why."""

    async def look() -> str:
        async with here.cloud.store.transaction() as t:
            entries = [e async for e in t.audit.entries() if e.subject == session and e.action == "ended"]
        return str(json.loads(entries[0].detail)["why"]) if entries else ""

    return await eventually(look)


async def all_channels_deleted(here: Site) -> None:
    async def look() -> bool:
        async with aiohttp.ClientSession() as http:
            account = ImageFlux(http, here.imageflux.api_url, here.imageflux.settings.token)
            return not await account.channels()

    await eventually(look)


async def hung_up(here: Site) -> list[str]:
    async def look() -> list[str]:
        return here.realtime.hung_up

    return await eventually(look)


async def is_known(here: Site, device: str) -> bool:
    async with aiohttp.ClientSession() as http, http.get(f"{here.cloud.web_url}/api/robots") as response:
        return device in await response.text()


async def test_from_claim_to_grant_and_back(tmp_path: Path) -> None:
    async with site(tmp_path) as here, here.board() as board:
        await board.state(lifecycle=Lifecycle.INIT)
        grant = await board.mint()
        assert grant.broadcast is not None
        assert grant.observer_url == f"{here.cloud.web_url}/r/robot-1"
        await board.event(CallAnswered(session=grant.session, at=1.0, call_id="rtc_1"))
        await board.event(SessionEnded(session=grant.session, at=2.0, reason="button", seconds=1.0))
        second = await board.mint()
        assert second.session != grant.session
        assert await why_ended(here, grant.session) == "device: button"
        assert await hung_up(here) == ["rtc_1"]
        async with here.cloud.store.transaction() as t:
            device = await t.devices.find("robot-1")
        assert device is not None
        assert device.status is Status.ACTIVE


async def test_an_ended_session_never_stands_in_the_way_of_the_next(tmp_path: Path) -> None:
    async with site(tmp_path, requests_per_minute=100) as here, here.board() as board:
        for _ in range(20):
            grant = await board.mint()
            await board.event(SessionEnded(session=grant.session, at=2.0, reason="button", seconds=1.0))
    assert len(here.realtime.requests) == 20


async def test_the_broker_cannot_replay_forge_or_misdirect(tmp_path: Path) -> None:
    async with site(tmp_path) as here, here.board() as board, here.board("robot-2") as other:
        request = board.robot.request(time.time())
        first = await board.ask_with(request)
        board.robot.grant(first)
        assert await board.ask_with(request) == first
        again = board.robot.request(time.time(), nonce=board.robot.nonce)
        assert board.robot.refusal(await board.ask_with(again)) is Refusal.REPLAY
        stale = board.robot.request(time.time() - 60)
        assert board.robot.refusal(await board.ask_with(stale)) is Refusal.CLOCK_SKEW
        await other.client.publish(topics.mint_request("robot-2"), board.robot.request(time.time()), qos=1)
        await other.client.publish(topics.mint_request("robot-1"), other.robot.request(time.time()), qos=1)
        await other.client.publish(topics.mint_request("robot-2"), b"\xff" * 100, qos=1)
        assert (await other.mint()).session == other.robot.nonce
        assert len(here.realtime.requests) == 2


@pytest.mark.parametrize(
    ("status", "code"), [(401, "invalid_api_key"), (429, "rate_limit_exceeded"), (500, "server_error")]
)
async def test_upstream_errors_reach_the_robot_in_words(tmp_path: Path, status: int, code: str) -> None:
    async with site(tmp_path) as here, here.board() as board:
        here.realtime.answer = error(status, code)
        answer = await board.answer()
        assert answer.refusal is Refusal.UPSTREAM
        assert f"{status} {code}" in answer.text
        await all_channels_deleted(here)


async def test_a_slow_upstream_does_not_hold_up_others(tmp_path: Path) -> None:
    async with site(tmp_path) as here, here.board() as board, here.board("robot-2") as other:
        here.realtime.silent = True
        await board.client.publish(topics.mint_request("robot-1"), board.robot.request(time.time()), qos=1)
        async with asyncio.timeout(5):
            await here.realtime.asked.wait()
        here.realtime.silent = False
        await other.mint()
        _, late = await board.next_message()
        assert board.robot.refusal(late) is Refusal.UPSTREAM


async def test_the_cloud_ends_a_session_at_its_deadline(tmp_path: Path) -> None:
    async with site(tmp_path, session_seconds=1.0, grace_seconds=0.2) as here, here.board() as board:
        grant = await board.mint()
        await board.event(CallAnswered(session=grant.session, at=1.0, call_id="rtc_2"))
        assert await why_ended(here, grant.session) == "deadline"
        await all_channels_deleted(here)
        assert await hung_up(here) == ["rtc_2"]


async def test_a_goodbye_ends_the_session(tmp_path: Path) -> None:
    async with site(tmp_path) as here, here.board() as board:
        grant = await board.mint()
        await board.state(lifecycle=Lifecycle.DISCONNECTED)
        assert await why_ended(here, grant.session) == "device disconnected"


async def test_a_stop_of_the_service_leaves_no_channel_behind(tmp_path: Path) -> None:
    async with realtime_service() as realtime, ImageFluxStandIn() as stand_in:
        settings = cloud_settings(tmp_path, realtime, stand_in)
        async with running(settings) as cloud:
            here = Site(cloud, realtime, stand_in, settings, tmp_path / "boards")
            async with here.board() as board:
                grant = await board.mint()
                stand_in.faults.api_status = 500
                await board.event(SessionEnded(session=grant.session, at=2.0, reason="button", seconds=1.0))
                await why_ended(here, grant.session)
        stand_in.faults.api_status = 0
        async with running(settings) as again:
            await all_channels_deleted(here)
            assert again.authority.fingerprint == cloud.authority.fingerprint


async def test_sessions_outlive_a_restart_of_the_cloud(tmp_path: Path) -> None:
    async with realtime_service() as realtime, ImageFluxStandIn() as stand_in:
        settings = replaced(cloud_settings(tmp_path, realtime, stand_in), state_dir=str(tmp_path))
        session = Session("a" * 32, "robot-1", "button", time.time() - 10, time.time() - 1000)
        async with Store(settings.store_url) as store, store.transaction() as t:
            await t.devices.enrol("", Certificate("01", "robot-1", "key", time.time(), time.time() + 60))
            await t.sessions.add(session)
            await t.sessions.set_call(session.id, "robot-1", "rtc_3")
        async with running(settings) as cloud:
            assert await hung_up(Site(cloud, realtime, stand_in, settings, tmp_path)) == ["rtc_3"]


async def test_a_revoked_robot_is_refused_and_cut_off(tmp_path: Path) -> None:
    async with site(tmp_path) as here, here.board() as board:
        await board.state()
        assert await revoke(here.cloud.store, here.cloud.authority, "robot-1", time.time(), "admin")
        with pytest.raises(aiomqtt.MqttError, match="Disconnected"):
            await board.next_message()
        with pytest.raises(aiomqtt.MqttError):
            async with here.board(identity=board.identity):
                pass
        assert not await revoke(here.cloud.store, here.cloud.authority, "robot-1", time.time(), "admin")


async def test_the_link_comes_back_when_the_broker_does(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        identity = await here.enrolled("robot-1")
        assert here.cloud.child is not None
        await here.cloud.child.restart()
        async with here.board(identity=identity) as board:
            await board.state()
            await eventually(lambda: is_known(here, "robot-1"))
            await board.mint()


async def test_a_free_port_for_somebody_else_s_broker_makes_no_sense(tmp_path: Path) -> None:
    settings = CloudSettings(state_dir=str(tmp_path), broker=BrokerSettings(port=0))
    with pytest.raises(SettingsError, match="spawn = true"):
        async with running(settings):
            pass


async def test_a_broker_that_ends_by_itself_ends_the_cloud(tmp_path: Path) -> None:
    async def run() -> None:
        async with site(tmp_path) as here:
            assert here.cloud.child is not None
            os.kill(here.cloud.child.pid, signal.SIGTERM)
            await asyncio.Event().wait()

    async with asyncio.timeout(10):
        with pytest.raises(ExceptionGroup) as caught:
            await run()
    assert caught.group_contains(BrokerError, match="the broker has ended")


async def test_the_page_shows_the_robot(tmp_path: Path) -> None:
    async with site(tmp_path) as here, here.board() as board:
        await board.state()
        assert await eventually(lambda: is_known(here, "robot-1"))


async def test_a_port_in_use_is_one_clear_error(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        port = int(here.cloud.web_url.rpartition(":")[2])
        settings = replaced(here.settings, web=WebSettings(port=port), state_dir=str(tmp_path / "other"))
        with pytest.raises(SettingsError, match="cannot be listened on"):
            async with running(settings):
                pass


async def test_enrolment_is_https_only(tmp_path: Path) -> None:
    async with site(tmp_path) as here, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientError):
            await http.get(f"http://{here.cloud.enrol_address}/v1/ca.pem")
        tls = ssl.create_default_context(cadata=here.cloud.authority.root_pem)
        async with http.get(f"https://{here.cloud.enrol_address}/v1/ca.pem", ssl=tls) as response:
            assert response.status == 200
