"""Live sessions that the cloud opens for robots: what it asks of the service, and how it ends them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import openai
import pytest
from aiohttp import web

from device.messages.minting import Limits, Refusal
from device.messages.offers import MOST_SDP
from device.messages.tools import ToolDeclaration
from provisioning.openai import OpenAI, OpenAIBusyError, OpenAIRefusedError, is_call_id
from provisioning.profiles.choosing import Chooser
from provisioning.profiles.knowledge import Plan
from provisioning.profiles.live import live_session
from provisioning.spending.prices import PriceSettings, tariff
from tests.device.messages.offer import OFFER, PASSWORD
from tests.provisioning.local.realtime.live.reference import judge_creation
from tests.provisioning.minting_bench import NOW, PERSONA, TERMS, Bench, minting_bench
from tests.provisioning.realtime_service import ANSWER, KEY, RealtimeService, error, realtime_service

LIVE = msgspec.structs.replace(PERSONA, opening="live", model="gpt-live-1")
LAMP = ToolDeclaration(name="lamp", description="Switches the lamp.")
SESSION = live_session(LIVE, [LAMP], Plan())


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    terms = replace(TERMS, profiles=Chooser(LIVE, Limits(longest=600, idle=30)))
    async with minting_bench(tmp_path, terms) as ready:
        yield ready


@pytest.fixture
async def service() -> AsyncIterator[RealtimeService]:
    async with realtime_service() as running:
        yield running


async def test_the_session_is_opened_with_the_offer_and_the_grant_has_its_answer(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    robot = await bench.robot()
    grant = robot.grant(await bench.minter.answer(robot.offering(tools=[LAMP]), robot.name, NOW))
    answered = grant.openai.answered
    assert answered is not None
    assert (answered.live, answered.call_id, answered.sdp.reveal()) == (True, "live.live_1", ANSWER)
    assert (grant.openai.model, grant.openai.secret.reveal()) == ("gpt-live-1+gpt-5.6-luna", "")
    [body] = bench.realtime.live
    judge_creation(body)
    assert body == {"session": SESSION, "transport": {"type": "webrtc", "sdp": OFFER}}
    async with bench.store.transaction() as t:
        found = await t.sessions.find(grant.session)
    assert found is not None
    assert (found.calls, found.model) == (("live.live_1",), "gpt-live-1+gpt-5.6-luna")
    assert found.reserved == tariff(found.model, PriceSettings()).bound(600)
    kept = everything(tmp_path)
    for secret in (PASSWORD, "password-of-the-service", KEY):
        assert secret not in caplog.text
        assert secret.encode() not in kept


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_a_robot_that_sends_no_offer_is_told_so(bench: Bench) -> None:
    robot = await bench.robot()
    told = robot.answer(await bench.minter.answer(robot.request(), robot.name, NOW))
    assert (told.refusal, 'exchange = "cloud"' in told.text) == (Refusal.DENIED, True)
    assert bench.realtime.live == []


async def test_a_session_whose_grant_cannot_be_sealed_is_hung_up(bench: Bench) -> None:
    robot = await bench.robot()
    assert await bench.minter.answer(robot.offering(reply_key=bytes(32)), robot.name, NOW) is None
    assert bench.realtime.hung_up == ["live_1"]


async def test_the_request_is_that_of_the_official_client(service: RealtimeService) -> None:
    async with OpenAI(service.settings()) as client:
        called = await client.live(SESSION, OFFER)
    async with openai.AsyncOpenAI(base_url=service.base_url, api_key=KEY) as official:
        theirs = await official.live.create(
            session=SESSION,  # type: ignore[arg-type]  # a TypedDict
            transport={"type": "webrtc", "sdp": OFFER},
        )
        await official.live.sessions.hangup(theirs.session.id)
    assert service.live[0] == service.live[1]
    assert (called.call_id, called.sdp.reveal()) == ("live.live_1", ANSWER)
    assert (theirs.session.id, theirs.transport.sdp) == ("live_2", ANSWER)
    assert service.hung_up == ["live_2"]


BAD: dict[str, tuple[Callable[[RealtimeService], web.StreamResponse], list[str]]] = {
    "no session": (lambda _: web.json_response({}), []),
    "no JSON": (lambda _: web.Response(text="<html>"), []),
    "a name that is none": (lambda s: s.created(ANSWER, "a b"), []),
    "no SDP": (lambda s: s.created("{}"), ["live_1"]),
    "too long": (lambda s: s.created(ANSWER + "a" * MOST_SDP), ["live_1"]),
    "another alphabet": (lambda s: s.created(ANSWER + "会話"), ["live_1"]),
}


@pytest.mark.parametrize("what", BAD)
async def test_an_answer_that_cannot_be_used_is_no_session(service: RealtimeService, what: str) -> None:
    make, hung_up = BAD[what]
    service.answer = lambda: make(service)
    async with OpenAI(service.settings()) as client:
        with pytest.raises(OpenAIBusyError, match="malformed"):
            await client.live(SESSION, OFFER)
    assert service.hung_up == hung_up


async def test_a_refusal_repeats_no_secret(service: RealtimeService) -> None:
    service.answer = error(400, "invalid_offer", f"cannot parse a=ice-pwd:{PASSWORD} with {KEY}")
    async with OpenAI(service.settings()) as client:
        with pytest.raises(OpenAIRefusedError) as refused:
            await client.live(SESSION, OFFER)
    assert PASSWORD not in str(refused.value)
    assert KEY not in str(refused.value)


@pytest.mark.parametrize("answer", [error(404, "not_found"), error(400, "not_a_sip_call")])
async def test_where_hanging_up_is_for_others_only_the_sideband_closes_the_session(
    service: RealtimeService, answer: Callable[[], web.StreamResponse]
) -> None:
    service.sip_only = answer
    async with OpenAI(service.settings()) as client:
        await client.hang_up("live.live_1")
        assert service.sideband == ['{"type":"session.close"}']
        await client.hang_up("live.live_gone")
        with pytest.raises(OpenAIBusyError, match="not closed"):
            await client.hang_up("live.live_deaf")


async def test_a_service_that_fails_is_asked_again_later(service: RealtimeService) -> None:
    service.sip_only = error(500, "server_error")
    async with OpenAI(service.settings()) as client:
        with pytest.raises(OpenAIBusyError, match="server_error"):
            await client.hang_up("live.live_1")
    assert service.sideband == []


@pytest.mark.parametrize(
    ("text", "good"), [("live.live_1", True), ("rtc_1", True), ("live.", False), ("life.x", False)]
)
def test_ids_of_calls(text: str, good: bool) -> None:
    assert is_call_id(text) is good
