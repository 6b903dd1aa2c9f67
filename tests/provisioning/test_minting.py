from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device.messages.envelope import COMMAND, Envelope, KeySigner, public_pem, seal_envelope
from device.messages.knowledge import MOST_PACKED, unpacked
from device.messages.minting import Limits, Prompts, Refusal
from device.messages.secret import Secret
from device.messages.tools import LOOK_UP, ToolDeclaration
from device.messages.wire import MAX_BYTES, decode, encode
from provisioning.billing import bill
from provisioning.duty import Duty, on_duty
from provisioning.halts import Halt
from provisioning.keyring import OVERLAP
from provisioning.minting import Minter
from provisioning.policy import Status
from provisioning.profiles.choosing import Chooser
from provisioning.profiles.mcp import McpSecret, McpServer
from provisioning.profiles.persona import Persona
from provisioning.profiles.registry import Assignment, Version
from provisioning.registry import Certificate
from provisioning.sessions import Session
from provisioning.spending.rules import Rules
from provisioning.store import Store, Transaction
from tests.provisioning.minting_bench import ALLOWANCE, NOW, TERMS, Bench, Robot, minting_bench, settled
from tests.provisioning.realtime_service import Answer, error


@pytest.fixture
async def bench(tmp_path: Path, store_url: str) -> AsyncIterator[Bench]:
    async with minting_bench(tmp_path, store_url=store_url) as ready:
        yield ready


async def test_a_request_becomes_a_sealed_grant_with_all_a_session_needs(bench: Bench) -> None:
    robot = await bench.robot()
    data = await bench.minter.answer(robot.request(), "robot-1", NOW)
    grant = robot.grant(data)
    assert grant.session == robot.nonce
    assert grant.openai.base_url == bench.realtime.base_url
    assert grant.openai.secret.reveal().startswith("ek_")
    assert grant.broadcast is not None
    assert [grant.broadcast.channel_id] == await bench.channels.channels()
    assert grant.broadcast.signalling_urls[0].startswith("ws://")
    assert grant.observer_url == "https://robots.example.com/r/robot-1"
    assert (grant.language, grant.limits.longest, grant.server_time) == ("ja", 600, NOW)
    assert data is not None
    assert b"ek_" not in data
    assert [session.id for session in bench.granted] == [robot.nonce]
    assert bench.granted[0].deadline == NOW + ALLOWANCE.session_seconds
    assert await bench.actions() == ["mint"]
    assert grant.hidden_words == ["darn", "drat"], "those of the page, and the profile's own"


def tool(name: str, **more: Any) -> ToolDeclaration:
    return ToolDeclaration(name=name, description="Does it.", **more)


async def test_of_a_robots_tools_the_secret_has_those_that_are_allowed(bench: Bench) -> None:
    robot = await bench.robot()
    tools = [tool("lamp"), tool("self_destruct"), tool("volume")]
    grant = robot.grant(await bench.minter.answer(robot.request(tools=tools), "robot-1", NOW))
    assert grant.tools == ["lamp", "volume"]
    assert grant.prompts == Prompts(greeting="Greet.")
    (asked,) = bench.realtime.requests
    assert [function["name"] for function in asked["session"]["tools"]] == ["lamp", "volume"]


async def test_a_robot_without_tools_gets_a_session_without(bench: Bench) -> None:
    robot = await bench.robot()
    grant = robot.grant(await bench.minter.answer(robot.request(), "robot-1", NOW))
    assert grant.tools == []
    assert (grant.prices, grant.knowledge) == (None, b""), (
        "a robot of an earlier version takes no grant with more in it"
    )
    assert "tools" not in bench.realtime.requests[0]["session"]


UNFIT: dict[str, list[ToolDeclaration]] = {
    "two of one name": [tool("lamp"), tool("lamp")],
    "a name that is none": [tool("no such name")],
    "a parameter that is none": [tool("lamp", required=["what"])],
    "too long": [ToolDeclaration(name=f"tool_{number}", description="x" * 1000) for number in range(20)],
    "too many": [tool(f"tool_{number}") for number in range(33)],
}


async def test_declarations_that_no_session_can_hold_are_not_answered(bench: Bench) -> None:
    robot = await bench.robot()
    for why, tools in UNFIT.items():
        assert await bench.minter.answer(robot.request(tools=tools), "robot-1", NOW) is None, why
    assert bench.realtime.requests == []
    assert await bench.actions() == []


async def test_a_first_request_makes_a_device_active(bench: Bench) -> None:
    robot = await bench.robot()
    robot.grant(await bench.minter.answer(robot.request(), "robot-1", NOW + 10))
    async with bench.store.transaction() as t:
        device = await t.devices.find("robot-1")
    assert device is not None
    assert device.status is Status.ACTIVE


async def test_a_device_not_seen_in_time_is_denied(bench: Bench) -> None:
    robot = await bench.robot()
    late = NOW + 3601
    assert robot.refusal(await bench.minter.answer(robot.request(late), "robot-1", late)) is Refusal.DENIED


async def test_a_device_may_talk_without_a_broadcast(bench: Bench) -> None:
    robot = await bench.robot()
    grant = robot.grant(await bench.minter.answer(robot.request(broadcast=False), "robot-1", NOW))
    assert grant.broadcast is None
    assert await bench.channels.channels() == []


async def test_the_same_bytes_get_the_same_answer_and_later_a_refusal(bench: Bench) -> None:
    robot = await bench.robot()
    request = robot.request()
    first = await bench.minter.answer(request, "robot-1", NOW)
    assert await bench.minter.answer(request, "robot-1", NOW + 20) == first
    assert len(bench.realtime.requests) == 1
    assert robot.refusal(await bench.minter.answer(request, "robot-1", NOW + 30)) is Refusal.CLOCK_SKEW


async def test_the_same_bytes_at_the_same_moment_are_served_once(bench: Bench) -> None:
    robot = await bench.robot()
    request = robot.request()
    answers = await asyncio.gather(*(bench.minter.answer(request, "robot-1", NOW) for _ in range(5)))
    assert [answer is None for answer in answers] == [False, True, True, True, True]
    assert len(bench.realtime.requests) == 1


async def test_a_nonce_is_good_once_whatever_else_changes(bench: Bench) -> None:
    robot = await bench.robot()
    robot.grant(await bench.minter.answer(robot.request(), "robot-1", NOW))
    again = robot.request(NOW + 1, nonce=robot.nonce)
    assert robot.refusal(await bench.minter.answer(again, "robot-1", NOW + 1)) is Refusal.REPLAY
    assert len(bench.realtime.requests) == 1


@pytest.mark.parametrize(
    ("shift", "life"),
    [(-31, 30), (61, 30), (-3e7, 30), (3e7, 30), (0, 31)],
    ids=["late", "early", "-1y", "+1y", "long"],
)
async def test_stale_requests_are_told_the_time(bench: Bench, shift: float, life: float) -> None:
    robot = await bench.robot()
    issued = NOW + shift
    data = await bench.minter.answer(robot.request(issued, expires_at=issued + life), "robot-1", NOW)
    answer = robot.answer(data)
    assert (answer.refusal, answer.server_time) == (Refusal.CLOCK_SKEW, NOW)
    assert bench.realtime.requests == []


async def test_forged_requests_get_no_answer(bench: Bench) -> None:
    robot, other = await bench.robot(), await bench.robot("robot-2")
    thief = Robot("robot-1", other.key, robot.mint_kid, robot.mint_key)
    assert await bench.minter.answer(thief.request(), "robot-1", NOW) is None
    assert await bench.minter.answer(robot.request(), "robot-2", NOW) is None
    assert await bench.minter.answer(robot.request(device="robot-2"), "robot-1", NOW) is None
    assert await bench.minter.answer(robot.request(), "robot-9", NOW) is None
    as_command = seal_envelope(COMMAND, {"x": 1}, robot.signer)
    assert await bench.minter.answer(as_command, "robot-1", NOW) is None
    renamed = KeySigner("robot-2", robot.key)
    envelope = seal_envelope("mint-request", {"x": 1}, renamed)
    assert await bench.minter.answer(envelope, "robot-1", NOW) is None
    assert bench.realtime.requests == []
    assert await bench.actions() == []


@pytest.mark.parametrize("changes", [{"nonce": "short"}, {"nonce": "G" * 32}, {"reply_key": b"short"}])
async def test_requests_of_the_wrong_form_get_no_answer(bench: Bench, changes: dict[str, Any]) -> None:
    robot = await bench.robot()
    assert await bench.minter.answer(robot.request(**changes), "robot-1", NOW) is None
    assert bench.realtime.requests == []


async def test_a_key_nobody_can_seal_to_costs_the_device_its_session(bench: Bench) -> None:
    robot = await bench.robot()
    assert await bench.minter.answer(robot.request(reply_key=bytes(32)), "robot-1", NOW) is None
    assert await bench.channels.channels() == []
    async with bench.store.transaction() as t:
        assert await t.sessions.live() == []


@given(place=st.integers(0, 10_000), patch=st.binary(max_size=4))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_every_mutation_of_a_request_gets_no_answer(bench: Bench, place: int, patch: bytes) -> None:
    robot = await bench.robot()
    genuine = robot.request()
    cut = place % len(genuine)
    mutated = genuine[:cut] + patch + genuine[cut + 1 :]
    before = len(bench.realtime.requests)
    if _says_the_same(mutated, genuine):
        return
    assert await bench.minter.answer(mutated, "robot-1", NOW) is None
    assert len(bench.realtime.requests) == before


def _says_the_same(mutated: bytes, genuine: bytes) -> bool:
    try:
        return encode(decode(mutated, Envelope)) == encode(decode(genuine, Envelope))
    except ValueError:
        return False


@given(data=st.binary(max_size=200))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_nonsense_gets_no_answer(bench: Bench, data: bytes) -> None:
    assert await bench.minter.answer(data, "robot-1", NOW) is None


async def test_one_session_at_a_time_and_again_when_it_has_ended(bench: Bench) -> None:
    robot = await bench.robot()
    robot.grant(await bench.minter.answer(robot.request(), "robot-1", NOW))
    first = robot.nonce
    answer = robot.answer(await bench.minter.answer(robot.request(NOW + 1), "robot-1", NOW + 1))
    assert (answer.refusal, answer.retry_after) == (Refusal.BUSY, 5.0)
    async with bench.store.transaction() as t:
        await t.sessions.end(first, NOW + 2, "done")
    robot.grant(await bench.minter.answer(robot.request(NOW + 3), "robot-1", NOW + 3))


async def test_two_requests_at_the_same_moment_get_one_session(bench: Bench) -> None:
    robot = await bench.robot()
    requests = [robot.request() for _ in range(4)]
    await asyncio.gather(*(bench.minter.answer(request, "robot-1", NOW) for request in requests))
    assert len(bench.granted) == len(bench.realtime.requests) == 1


async def test_sessions_a_day_are_bounded_and_come_back_at_midnight(bench: Bench) -> None:
    robot = await bench.robot()
    for number in range(ALLOWANCE.sessions_per_day):
        now = NOW + 100 * number
        robot.grant(await bench.minter.answer(robot.request(now), "robot-1", now))
        async with bench.store.transaction() as t:
            await t.sessions.end(robot.nonce, now, "done")
    now = NOW + 1000
    answer = robot.answer(await bench.minter.answer(robot.request(now), "robot-1", now))
    assert answer.refusal is Refusal.QUOTA
    assert answer.retry_after is not None
    tomorrow = now + answer.retry_after
    robot.grant(await bench.minter.answer(robot.request(tomorrow), "robot-1", tomorrow))


async def test_a_revoked_device_is_told_so(bench: Bench) -> None:
    robot = await bench.robot()
    async with bench.store.transaction() as t:
        await t.devices.revoke("robot-1", NOW)
    assert robot.refusal(await bench.minter.answer(robot.request(), "robot-1", NOW)) is Refusal.REVOKED


async def test_a_replaced_key_gets_no_session_and_rings_and_the_new_one_gets_it(bench: Bench) -> None:
    robot, key = await bench.robot(), ec.generate_private_key(ec.SECP256R1())
    async with bench.store.transaction() as t:
        await t.devices.renew(Certificate("77", "robot-1", public_pem(key.public_key()), NOW, NOW + 86_400))
    robot.grant(await bench.minter.answer(robot.request(), "robot-1", NOW))
    async with bench.store.transaction() as t:
        await t.sessions.end(robot.nonce, NOW, "done")
        assert len(await t.devices.use("robot-1", "77", NOW) or ()) == 1
    later = NOW + OVERLAP + 1
    told = robot.refusal(await bench.minter.answer(robot.request(later), "robot-1", later))
    assert told is Refusal.DENIED
    successor = Robot("robot-1", key, robot.mint_kid, robot.mint_key)
    successor.grant(await bench.minter.answer(successor.request(later), "robot-1", later))
    assert await bench.actions() == ["mint", "clone_alarm", "mint", "mint"]


async def test_an_expired_certificate_is_no_longer_good(bench: Bench) -> None:
    robot = await bench.robot(days=1 / 24)
    robot.grant(await bench.minter.answer(robot.request(), "robot-1", NOW))
    later = NOW + 3601
    assert robot.refusal(await bench.minter.answer(robot.request(later), "robot-1", later)) is Refusal.DENIED


@pytest.mark.parametrize(
    ("answer", "words", "retry_after"),
    [
        (error(401, "invalid_api_key"), "401 invalid_api_key", None),
        (error(429, "rate_limit_exceeded", headers={"Retry-After": "7"}), "429 rate_limit_exceeded", 7.0),
        (error(500, "server_error"), "500 server_error", None),
        (lambda: web.Response(body=b"{", content_type="application/json"), "200 malformed", None),
    ],
)
async def test_no_conversation_is_a_refusal_and_leaves_no_channel(
    bench: Bench, answer: Answer, words: str, retry_after: float | None
) -> None:
    robot = await bench.robot()
    bench.realtime.answer = answer
    told = robot.answer(await bench.minter.answer(robot.request(), "robot-1", NOW))
    assert (told.refusal, told.retry_after) == (Refusal.UPSTREAM, retry_after)
    assert words in told.text
    assert await bench.channels.channels() == []
    assert bench.granted == []
    assert await bench.actions() == ["mint", "not_begun"]
    bench.realtime.answer = None
    robot.grant(await bench.minter.answer(robot.request(NOW + 1), "robot-1", NOW + 1))


async def test_a_silent_conversation_service_is_not_waited_for_long(bench: Bench) -> None:
    robot = await bench.robot()
    bench.realtime.silent = True
    async with asyncio.timeout(5):
        told = robot.answer(await bench.minter.answer(robot.request(), "robot-1", NOW))
    assert told.refusal is Refusal.UPSTREAM
    assert await bench.channels.channels() == []


async def test_without_a_channel_the_conversation_goes_on(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    robot = await bench.robot()
    bench.imageflux.faults.api_status = 500
    grant = robot.grant(await bench.minter.answer(robot.request(), "robot-1", NOW))
    assert grant.broadcast is None
    assert grant.no_broadcast.startswith("the broadcast service: ")
    assert "without a broadcast" in caplog.text


async def test_a_request_that_the_end_of_its_minter_interrupts_is_served_by_whoever_is_asked_next(
    bench: Bench, tmp_path: Path, store_url: str
) -> None:
    robot = await bench.robot()
    request = robot.request()
    bench.realtime.silent = True
    async with on_duty(store_url, tmp_path) as duty:
        task = asyncio.create_task(another(bench, duty).answer(request, "robot-1", NOW))
        async with asyncio.timeout(5):
            await bench.realtime.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [session.id for session in bench.granted] == [robot.nonce], "the leash knows of it"
    bench.realtime.silent = False
    assert robot.grant(await bench.minter.answer(request, "robot-1", NOW + 3)).session == robot.nonce


async def test_no_secret_is_kept_or_logged(bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "provisioning")
    robot = await bench.robot()
    grant = robot.grant(await bench.minter.answer(robot.request(), "robot-1", NOW))
    secret = grant.openai.secret.reveal()
    assert secret not in caplog.text
    assert not [path for path, held in _files(tmp_path) if secret.encode() in held]


def _files(folder: Path) -> list[tuple[Path, bytes]]:
    return [(path, path.read_bytes()) for path in folder.rglob("*") if path.is_file()]


async def test_a_store_that_fails_gives_no_answer(bench: Bench, tmp_path: Path) -> None:
    robot = await bench.robot()
    closed = Store(f"sqlite:///{tmp_path}/other")
    bench.minter._store = closed
    assert await bench.minter.answer(robot.request(), "robot-1", NOW) is None


PROFILE = """
voice = "cedar"
model = "gpt-realtime-2.1-mini"
language = "en"
tools = ["lamp"]
session_seconds = 60
knowledge_tokens = 0
"""


async def with_profile(bench: Bench, text: str = PROFILE, **texts: str) -> None:
    async with bench.store.transaction() as t:
        number = await t.profiles.newest("museum") + 1
        assert await t.profiles.add(Version("museum", number, text, texts, NOW, "admin"))
        await t.profiles.assign(Assignment("device:robot-1", "museum"))


async def test_the_profile_of_a_robot_is_bound_into_its_secret_and_its_session_remembers_which(bench: Bench) -> None:
    robot = await bench.robot()
    await with_profile(bench, **{"hours.txt": "We open at nine."})
    declared = [tool("lamp"), tool("volume"), tool(LOOK_UP)]
    grant = robot.grant(await bench.minter.answer(robot.request(tools=declared), "robot-1", NOW))
    (asked,) = bench.realtime.requests
    assert asked["session"]["audio"]["output"] == {"voice": "cedar"}
    assert [each["name"] for each in asked["session"]["tools"]] == ["lamp", LOOK_UP]
    assert (grant.openai.model, grant.language, grant.limits.longest) == ("gpt-realtime-2.1-mini", "en", 60)
    assert grant.tools == ["lamp", LOOK_UP]
    assert [text.title for text in unpacked(grant.knowledge)] == ["hours.txt"]
    assert grant.prices is not None
    assert grant.prices.audio_in == 10
    async with bench.store.transaction() as t:
        session = await t.sessions.find(robot.nonce)
        entry = [each async for each in t.audit.entries()][-1]
    assert session is not None
    assert (session.profile, session.profile_version, session.model) == ("museum", 1, "gpt-realtime-2.1-mini")
    assert session.deadline == NOW + 60
    assert session.reserved == Rules().reservation(60, "gpt-realtime-2.1-mini") < Rules().reservation(60)
    assert entry.detail == '{"allowed":true,"profile":"museum@1"}'


async def test_the_longest_texts_that_are_taken_fit_into_an_answer(tmp_path: Path) -> None:
    async with minting_bench(tmp_path) as bench:
        robot = await bench.robot()
        await with_profile(bench, **{"noise.txt": os.urandom(16_800).hex()})
        answer = await bench.minter.answer(robot.request(tools=[tool(LOOK_UP)]), "robot-1", NOW)
        assert 19_000 < len(robot.grant(answer).knowledge) <= MOST_PACKED
        assert answer is not None
        assert len(answer) < 0.8 * MAX_BYTES


async def test_a_session_is_charged_by_the_prices_of_its_own_model(tmp_path: Path) -> None:
    async with minting_bench(tmp_path) as bench:
        robot = await bench.robot()
        await with_profile(bench)
        robot.grant(await bench.minter.answer(robot.request(), "robot-1", NOW))
        usage = {"responses": 1, "output_audio_tokens": 100}
        async with bench.store.transaction() as t:
            await t.sessions.end(robot.nonce, NOW + 30, "done", bill(Rules(), usage, call_known=True))
            session = await t.sessions.find(robot.nonce)
        assert session is not None
        assert session.cost == 100 * 20
        assert Rules().overspent(1_000, 1, usage, session.model)
        assert not Rules().overspent(3_000, 1, usage, session.model)


async def test_a_new_version_counts_from_the_next_session_on_and_one_that_cannot_be_used_is_no_other(
    tmp_path: Path,
) -> None:
    async with minting_bench(tmp_path) as bench:
        robot = await bench.robot()
        await with_profile(bench)
        robot.grant(await bench.minter.answer(robot.request(), "robot-1", NOW))
        await with_profile(bench, 'voice = "ash"')
        later = NOW + 100
        robot.grant(await bench.minter.answer(robot.request(later), "robot-1", later))
        assert bench.realtime.requests[-1]["session"]["audio"]["output"] == {"voice": "ash"}
        await with_profile(bench, "of_a_later_version = true")
        last = NOW + 2000
        assert robot.refusal(await bench.minter.answer(robot.request(last), "robot-1", last)) is Refusal.DENIED
        assert len(bench.realtime.requests) == 2


async def test_a_robot_gets_nothing_of_what_opens_an_mcp_server(tmp_path: Path) -> None:
    key = McpSecret(name="events", host="mcp.example.com", token=Secret("mcp-token"))
    server = McpServer(label="e", url="https://mcp.example.com/", allowed_tools=("a",), authorization="events")
    terms = replace(TERMS, profiles=Chooser(Persona(mcp=(server,)), Limits(), [key]))
    async with minting_bench(tmp_path, terms=terms) as bench:
        robot = await bench.robot()
        grant = robot.grant(await bench.minter.answer(robot.request(), "robot-1", NOW))
    (asked,) = bench.realtime.requests
    assert asked["session"]["tools"][0]["authorization"] == "mcp-token"
    assert b"mcp" not in encode(grant)


def another(bench: Bench, duty: Duty) -> Minter:
    """Return a second minter of the same fleet."""
    signer = bench.authority.mint_signer
    return Minter(bench.store, signer, bench.openai, bench.broadcasts, TERMS, bench.granted.append, settled, duty)


async def test_what_a_living_minter_serves_another_does_not_touch(bench: Bench, tmp_path: Path, store_url: str) -> None:
    async with on_duty(store_url, tmp_path) as duty:
        robot = await bench.robot()
        request = robot.request()
        grant = robot.grant(await bench.minter.answer(request, "robot-1", NOW))
        assert await another(bench, duty).answer(request, "robot-1", NOW + 1) is None
        assert grant.broadcast is not None
        assert await bench.channels.channels() == [grant.broadcast.channel_id]
        assert len(bench.realtime.requests) == 1


async def test_what_a_minter_leaves_behind_another_serves_once_with_a_channel_of_its_own(
    bench: Bench, tmp_path: Path, store_url: str
) -> None:
    robot = await bench.robot()
    request = robot.request()
    async with on_duty(store_url, tmp_path) as duty:
        lost = robot.grant(await another(bench, duty).answer(request, "robot-1", NOW))
    grants = [robot.grant(await bench.minter.answer(request, "robot-1", NOW + second)) for second in (3, 6)]
    assert grants[0] == grants[1]
    assert grants[0].session == lost.session
    assert grants[0].openai.secret != lost.openai.secret
    assert grants[0].broadcast is not None
    assert await bench.channels.channels() == [grants[0].broadcast.channel_id]
    assert await bench.actions() == ["mint", "take_over"]


async def ends(t: Transaction) -> None:
    (session,) = await t.sessions.live()
    await t.sessions.end(session.id, NOW, "done")


async def calls(t: Transaction) -> None:
    (session,) = await t.sessions.live()
    await t.sessions.set_call(session.id, "robot-1", "rtc_1")


async def halts(t: Transaction) -> None:
    await t.halts.halt(Halt(NOW, "admin", "fire"))


@pytest.mark.parametrize("happens", [ends, calls, halts])
async def test_what_is_over_or_goes_on_is_not_served_again(
    bench: Bench, tmp_path: Path, store_url: str, happens: Callable[[Transaction], Awaitable[None]]
) -> None:
    robot = await bench.robot()
    request = robot.request()
    async with on_duty(store_url, tmp_path) as duty:
        robot.grant(await another(bench, duty).answer(request, "robot-1", NOW))
    async with bench.store.transaction() as t:
        await happens(t)
    assert robot.refusal(await bench.minter.answer(request, "robot-1", NOW + 3)) is Refusal.REPLAY
    assert len(bench.realtime.requests) == 1


async def test_of_two_that_would_take_over_one_does(store_url: str) -> None:
    session = Session("s", "robot-1", "button", NOW, NOW + 60, minter="dead")
    async with Store(store_url) as store, store.transaction() as t:
        await t.devices.enrol("", Certificate("01", "robot-1", "key", NOW, NOW + 60))
        await t.sessions.add(session)
        assert await t.sessions.take_over(session, "first")
        assert not await t.sessions.take_over(session, "second")
        found = await t.sessions.find("s")
    assert found is not None
    assert found.minter == "first"
