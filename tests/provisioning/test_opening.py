"""Calls that the cloud opens for robots: what it asks of the service, what robots get, and what is left when it fails."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import openai
import pytest
from aiohttp import web

from device.errors import StoreError
from device.messages.minting import Grant, Limits, Refusal
from device.messages.offers import MOST_SDP
from device.messages.reports import CallAnswered, SessionEnded
from device.messages.sealing import offer_binding, seal, sealing_key
from device.messages.secret import Secret
from device.messages.tools import LOOK_UP, ToolDeclaration
from provisioning.duty import on_duty
from provisioning.leash import Leash, Reins
from provisioning.minting import Minter
from provisioning.openai import OpenAI, OpenAIBusyError, OpenAIError, OpenAIRefusedError
from provisioning.profiles.choosing import Chooser
from provisioning.profiles.registry import Assignment, Version
from provisioning.profiles.session import session
from provisioning.registry import Certificate
from provisioning.sessions import Session
from provisioning.store import Store, Transaction
from tests.device.messages.offer import OFFER, PASSWORD
from tests.eventually import eventually
from tests.provisioning.minting_bench import NOW, PERSONA, TERMS, Bench, Robot, minting_bench, settled
from tests.provisioning.realtime_service import ANSWER, KEY, RealtimeService, error, realtime_service

EXCHANGED = msgspec.structs.replace(PERSONA, opening="exchanged")


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    terms = replace(TERMS, profiles=Chooser(EXCHANGED, Limits(longest=600, idle=30)), failures=2)
    async with minting_bench(tmp_path, terms) as ready:
        yield ready


async def granted(bench: Bench, robot: Robot, now: float = NOW, continues: str = "") -> Grant:
    return robot.grant(await bench.minter.answer(robot.offering(now, continues=continues), robot.name, now))


async def session_of(bench: Bench, name: str) -> Session:
    async with bench.store.transaction() as t:
        found = await t.sessions.find(name)
    assert found is not None
    return found


async def test_the_cloud_opens_the_call_and_the_grant_has_its_answer_and_no_secret(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    robot = await bench.robot()
    request = robot.offering()
    data = await bench.minter.answer(request, robot.name, NOW)
    grant = robot.grant(data)
    assert grant.openai.answered is not None
    assert (grant.openai.answered.sdp.reveal(), grant.openai.answered.call_id) == (ANSWER, "rtc_u1_1")
    assert (grant.openai.secret, grant.openai.base_url, grant.openai.model) == (Secret(""), "", "gpt-realtime-2.1")
    assert NOW + 3 < grant.openai.expires_at <= NOW + 30
    [form] = bench.realtime.forms
    assert form[0] == ("sdp", "application/sdp", OFFER.encode())
    assert form[1][:2] == ("session", "application/json")
    assert msgspec.json.decode(form[1][2]) == session(EXCHANGED)
    assert bench.realtime.requests == [], "no secret was made"
    assert (await session_of(bench, grant.session)).calls == ("rtc_u1_1",)
    assert [known.call_id for known in bench.granted] == ["rtc_u1_1"]
    assert data is not None
    for secret in (PASSWORD, "password-of-the-service", KEY):
        assert secret.encode() not in data + request
        assert secret not in caplog.text
        assert not kept(tmp_path, secret.encode())


def kept(folder: Path, secret: bytes) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and secret in path.read_bytes()]


async def test_the_same_bytes_get_the_same_answer_and_open_one_call(bench: Bench) -> None:
    robot = await bench.robot()
    request = robot.offering()
    first, *others = await asyncio.gather(*(bench.minter.answer(request, robot.name, NOW) for _ in range(3)))
    assert others == [None, None]
    assert await bench.minter.answer(request, robot.name, NOW + 20) == first
    again = robot.offering(NOW + 1, nonce=robot.nonce)
    assert robot.refusal(await bench.minter.answer(again, robot.name, NOW + 1)) is Refusal.REPLAY
    assert len(bench.realtime.forms) == 1
    assert bench.realtime.hung_up == []


async def test_a_robot_that_sends_no_offer_is_told_so_and_gets_no_secret_instead(bench: Bench) -> None:
    robot = await bench.robot()
    told = robot.answer(await bench.minter.answer(robot.request(), robot.name, NOW))
    assert told.refusal is Refusal.DENIED
    assert 'exchange = "cloud"' in told.text
    async with bench.store.transaction() as t:
        assert await t.sessions.live() == []
    assert bench.realtime.forms == []
    assert bench.realtime.requests == []
    first = await granted(bench, robot, NOW + 1)
    renewal = robot.request(NOW + 2, continues=first.session)
    assert robot.refusal(await bench.minter.answer(renewal, robot.name, NOW + 2)) is Refusal.DENIED


async def test_a_profile_of_secrets_has_no_use_for_an_offer(tmp_path: Path) -> None:
    async with minting_bench(tmp_path) as bench:
        grant = await granted(bench, await bench.robot())
        assert grant.openai.secret
        assert grant.openai.answered is None
        assert bench.realtime.forms == []


async def test_an_offer_that_is_none_or_was_sealed_to_another_gets_no_answer(bench: Bench) -> None:
    robot, other = await bench.robot(), sealing_key(bench.authority.operator("admin", time.time())[1]._key.public_key())
    nonce, info = "0" * 32, offer_binding(robot.name, "0" * 32)
    mine = sealing_key(bench.authority.mint_signer._key.public_key())
    for offer in (
        b"v=0",
        seal(OFFER.encode(), other, info),
        seal(OFFER.encode(), mine, offer_binding(robot.name, "1" * 32)),
        seal(OFFER.encode(), mine, offer_binding("robot-2", nonce)),
        seal(OFFER.strip().encode(), mine, info),
        seal(b"x" * (MOST_SDP + 1), mine, info),
    ):
        assert await bench.minter.answer(robot.request(nonce=nonce, offer=offer), robot.name, NOW) is None
    assert bench.realtime.forms == []
    assert await bench.actions() == []


async def never(*_: object, **__: object) -> str:
    raise StoreError("locked")


async def test_a_call_that_cannot_be_noted_is_hung_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.sessions.Sessions.open_call", never)
    robot = await bench.robot()
    assert await bench.minter.answer(robot.offering(), robot.name, NOW) is None
    assert bench.realtime.hung_up == ["rtc_u1_1"]
    assert (await session_of(bench, robot.nonce)).ended_at is not None
    assert await bench.channels.channels() == []


async def test_a_call_whose_grant_cannot_be_sealed_is_hung_up(bench: Bench) -> None:
    robot = await bench.robot()
    assert await bench.minter.answer(robot.offering(reply_key=bytes(32)), robot.name, NOW) is None
    assert bench.realtime.hung_up == ["rtc_u1_1"]


async def test_a_grant_that_fits_into_no_message_is_refused_and_its_call_hung_up(tmp_path: Path) -> None:
    terms = replace(
        TERMS, profiles=Chooser(EXCHANGED, Limits()), hidden_words=tuple(f"darn{number}" for number in range(10_000))
    )
    async with minting_bench(tmp_path, terms) as bench:
        robot = await bench.robot()
        told = robot.answer(await bench.minter.answer(robot.offering(), robot.name, NOW))
        assert (told.refusal, "shorten" in told.text) == (Refusal.DENIED, True)
        assert bench.realtime.hung_up == ["rtc_u1_1"]
        assert await bench.channels.channels() == []


async def test_the_longest_texts_leave_room_for_a_usual_answer(bench: Bench) -> None:
    bench.realtime.answer = lambda: bench.realtime.called(ANSWER + "a=x\r\n" * 400)
    noise = {"noise.txt": os.urandom(16_800).hex()}
    robot = await bench.robot()
    async with bench.store.transaction() as t:
        text = 'opening = "exchanged"\nknowledge_tokens = 0\n'
        assert await t.profiles.add(Version("museum", 1, text, noise, NOW, "admin"))
        await t.profiles.assign(Assignment("device:robot-1", "museum"))
    tools = [ToolDeclaration(name=LOOK_UP, description="Looks things up.")]
    grant = robot.grant(await bench.minter.answer(robot.offering(tools=tools), robot.name, NOW))
    assert len(grant.knowledge) > 19_000
    assert grant.openai.answered is not None
    assert len(grant.openai.answered.sdp.reveal()) > 2000


async def test_a_call_beside_which_the_channel_breaks_is_hung_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.broadcasts, "open", never)
    robot = await bench.robot()
    assert await bench.minter.answer(robot.offering(), robot.name, NOW) is None
    assert bench.realtime.hung_up == ["rtc_u1_1"]


async def under_way(bench: Bench, robot: Robot) -> asyncio.Task[bytes | None]:
    """Ask for a session whose call the service has not answered yet."""
    bench.realtime.silent = True
    task = asyncio.create_task(bench.minter.answer(robot.offering(), robot.name, NOW))
    async with asyncio.timeout(5):
        await bench.realtime.asked.wait()
    return task


async def test_a_call_that_is_answered_after_its_session_was_given_up_is_hung_up(bench: Bench) -> None:
    robot = await bench.robot()
    task = await under_way(bench, robot)
    async with bench.store.transaction() as t:
        await t.sessions.end(robot.nonce, NOW + 1, "button")
    bench.realtime.wake.set()
    assert await task is None
    assert bench.realtime.hung_up == ["rtc_u1_1"]
    assert bench.granted == []


async def test_a_call_that_is_answered_while_the_minter_ends_is_hung_up(bench: Bench) -> None:
    robot = await bench.robot()
    task = await under_way(bench, robot)
    task.cancel()
    bench.realtime.wake.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bench.realtime.hung_up == ["rtc_u1_1"]
    assert [known.call_id for known in bench.granted] == [None], "the leash knows of the session"


async def test_a_call_that_a_minter_had_opened_before_it_was_killed_is_not_opened_again(
    bench: Bench, tmp_path: Path
) -> None:
    robot = await bench.robot()
    request = robot.offering()
    async with on_duty("sqlite://", tmp_path) as duty:
        services = (bench.openai, bench.broadcasts, bench.minter._terms)
        other = Minter(bench.store, bench.authority.mint_signer, *services, bench.granted.append, settled, duty)
        robot.grant(await other.answer(request, robot.name, NOW))
    assert robot.refusal(await bench.minter.answer(request, robot.name, NOW + 3)) is Refusal.REPLAY
    assert len(bench.realtime.forms) == 1
    assert (await session_of(bench, robot.nonce)).calls == ("rtc_u1_1",), "the leash finds it"


async def test_a_service_that_fails_is_a_refusal_and_soon_left_alone(bench: Bench) -> None:
    robot = await bench.robot()
    bench.realtime.answer = error(500, "server_error")
    for now in (NOW, NOW + 1):
        told = robot.answer(await bench.minter.answer(robot.offering(now), robot.name, now))
        assert (told.refusal, told.text) == (Refusal.UPSTREAM, "the conversation service: 500 server_error")
    assert (await session_of(bench, robot.nonce)).deadline == NOW + 1, "it does not count as one of the day"
    bench.realtime.answer = None
    told = robot.answer(await bench.minter.answer(robot.offering(NOW + 2), robot.name, NOW + 2))
    assert "left alone" in told.text
    assert len(bench.realtime.forms) == 2
    await granted(bench, robot, NOW + 40)


async def test_a_renewal_opens_another_call_in_the_place_of_one_that_was_never_used(bench: Bench) -> None:
    robot = await bench.robot()
    first = await granted(bench, robot)
    second = await granted(bench, robot, NOW + 10, first.session)
    assert second.openai.answered is not None
    assert second.openai.answered.call_id == "rtc_u1_2"
    assert (await session_of(bench, first.session)).calls == ("rtc_u1_1", "rtc_u1_2")
    await granted(bench, robot, NOW + 20, first.session)
    assert (await session_of(bench, first.session)).calls == ("rtc_u1_1", "rtc_u1_3")
    assert bench.realtime.hung_up == ["rtc_u1_2"], "and not the one in use"
    bench.realtime.answer = error(500, "server_error")
    renewal = robot.offering(NOW + 30, continues=first.session)
    assert robot.refusal(await bench.minter.answer(renewal, robot.name, NOW + 30)) is Refusal.UPSTREAM
    assert (await session_of(bench, first.session)).ended_at is None


async def hangs_up(bench: Bench, leash: Leash, calls: set[str], do: Callable[[], Awaitable[None]]) -> None:
    """Run the leash until it has hung up these."""

    async def done() -> bool:
        return set(bench.realtime.hung_up) == calls

    task = asyncio.create_task(leash.run())
    await do()
    await eventually(done)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def leash_of(bench: Bench) -> Leash:
    return Leash(bench.store, bench.openai, bench.broadcasts, Reins(grace=0.0))


async def ongoing(bench: Bench) -> Session:
    """Enter a session and, after the leash may have seen it, its two calls; the robot tells of none."""
    await bench.robot()
    async with bench.store.transaction() as t:
        await t.sessions.add(Session("s", "robot-1", "button", time.time(), time.time() + 600))
    return await session_of(bench, "s")


async def opened(t: Transaction) -> None:
    assert await t.sessions.open_call("s", "rtc_1") is None
    assert await t.sessions.open_call("s", "rtc_2") is None


async def test_calls_that_a_robot_never_told_of_are_hung_up_at_the_end(bench: Bench) -> None:
    leash = leash_of(bench)
    leash.granted(await ongoing(bench))

    async def ends() -> None:
        async with bench.store.transaction() as t:
            await opened(t)
        leash.on_event("robot-1", SessionEnded(session="s", at=1.0, reason="button", seconds=1.0))

    await hangs_up(bench, leash, {"rtc_1", "rtc_2"}, ends)


async def test_a_robot_that_tells_of_calls_that_there_are_not_hides_none(bench: Bench) -> None:
    leash = leash_of(bench)
    leash.granted(await ongoing(bench))

    async def lies() -> None:
        async with bench.store.transaction() as t:
            await opened(t)
        for call in ("rtc_x", "rtc_y"):
            leash.on_event("robot-1", CallAnswered(session="s", at=1.0, call_id=call))

    await hangs_up(bench, leash, {"rtc_1", "rtc_2"}, lies)


async def test_a_robot_that_gives_up_a_session_that_no_leash_watches_leaves_no_call(bench: Bench) -> None:
    looked = asyncio.Event()

    def hears() -> bool:
        looked.set()
        return True

    leash = Leash(bench.store, bench.openai, bench.broadcasts, Reins(grace=0.0), hears)

    async def gives_up() -> None:
        await looked.wait()
        await ongoing(bench)
        async with bench.store.transaction() as t:
            await opened(t)
        assert not leash._watch.watches("s")
        leash.on_event("robot-1", SessionEnded(session="s", at=1.0, reason="button", seconds=0.0))

    await hangs_up(bench, leash, {"rtc_1", "rtc_2"}, gives_up)


async def test_what_must_be_hung_up_when_a_call_is_noted(store_url: str) -> None:
    async with Store(store_url) as store, store.transaction() as t:
        await t.devices.enrol("", Certificate("01", "robot-1", "key", NOW, NOW + 60))
        assert await t.sessions.open_call("s", "rtc_0") == "rtc_0", "there is no such session"
        await t.sessions.add(Session("s", "robot-1", "button", NOW, NOW + 60))
        await opened(t)
        assert await t.sessions.set_call("s", "robot-1", "rtc_2") is None, "the robot tells of it, too"
        assert await t.sessions.open_call("s", "rtc_3") == "rtc_2"
        assert await t.sessions.set_call("s", "robot-1", "rtc_4") == "rtc_1"
        found = await t.sessions.find("s")
        assert found is not None
        assert found.calls == ("rtc_3", "rtc_4")
        await t.sessions.end("s", NOW + 1, "done")
        assert await t.sessions.open_call("s", "rtc_5") == "rtc_5"


@pytest.fixture
async def service() -> AsyncIterator[RealtimeService]:
    async with realtime_service() as running:
        yield running


async def test_the_form_is_that_of_the_official_client(service: RealtimeService) -> None:
    async with OpenAI(service.settings()) as client:
        called = await client.call(session(EXCHANGED), OFFER)
    async with openai.AsyncOpenAI(base_url=service.base_url, api_key=KEY) as official:
        await official.realtime.calls.create(sdp=OFFER, session=session(EXCHANGED))  # type: ignore[arg-type]  # a TypedDict
    ours, theirs = service.forms
    assert [part[:2] for part in ours] == [part[:2] for part in theirs]
    assert ours[0] == theirs[0]
    assert msgspec.json.decode(ours[1][2]) == msgspec.json.decode(theirs[1][2])
    assert (called.call_id, called.sdp.reveal()) == ("rtc_u1_1", ANSWER)
    assert "password" not in repr(called)


BAD: dict[str, tuple[Callable[[RealtimeService], web.StreamResponse], list[str]]] = {
    "no call named": (lambda s: s.called(ANSWER, ""), []),
    "a name that is none": (lambda s: s.called(ANSWER, "/v1/realtime/calls/a b"), []),
    "no SDP": (lambda s: s.called("{}"), ["rtc_u1_1"]),
    "too long": (lambda s: s.called(ANSWER + "a" * MOST_SDP), ["rtc_u1_1"]),
    "another alphabet": (lambda s: s.called(ANSWER + "会話"), ["rtc_u1_1"]),
}


@pytest.mark.parametrize("what", BAD)
async def test_an_answer_that_cannot_be_used_is_no_call(service: RealtimeService, what: str) -> None:
    make, hung_up = BAD[what]
    answers: list[Callable[[], web.StreamResponse]] = [lambda: make(service)]

    def once() -> web.StreamResponse:
        service.answer = None
        return answers.pop()()

    service.answer = once
    async with OpenAI(service.settings()) as client:
        with pytest.raises(OpenAIBusyError, match="malformed"):
            await client.call(session(EXCHANGED), OFFER)
    assert service.hung_up == hung_up


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(400, "invalid_offer", f"cannot parse a=ice-pwd:{PASSWORD}"), OpenAIRefusedError),
        (error(401, "invalid_api_key", f"Incorrect API key provided: {KEY}"), OpenAIRefusedError),
        (error(429, "insufficient_quota"), OpenAIRefusedError),
        (error(429, "rate_limit_exceeded"), OpenAIBusyError),
        (error(500, "server_error"), OpenAIBusyError),
    ],
)
async def test_a_refused_offer_is_one_of_two_kinds_and_repeats_no_secret(
    service: RealtimeService, answer: Callable[[], web.StreamResponse], kind: type[OpenAIError]
) -> None:
    service.answer = answer
    async with OpenAI(service.settings()) as client:
        with pytest.raises(kind) as refused:
            await client.call(session(EXCHANGED), OFFER)
    assert PASSWORD not in str(refused.value)
    assert KEY not in str(refused.value)


async def test_a_service_that_does_not_answer_an_offer_is_not_waited_for_long(service: RealtimeService) -> None:
    service.silent = True
    async with OpenAI(service.settings(timeout_seconds=0.1)) as client:
        with pytest.raises(OpenAIBusyError, match="timeout"):
            await client.call(session(EXCHANGED), OFFER)


async def test_a_call_that_nobody_can_use_and_nobody_can_hang_up_is_logged(
    service: RealtimeService, caplog: pytest.LogCaptureFixture
) -> None:
    service.answer = error(500, "server_error")
    async with OpenAI(service.settings()) as client:
        await client.drop("rtc_1")
    assert "not hung up" in caplog.text
    assert service.hang_ups == 1
