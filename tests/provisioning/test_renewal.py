"""Renewing certificates, and everything that must not get one."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device.messages.envelope import MINT_REQUEST, Envelope, KeySigner, public_pem, seal_envelope
from device.messages.minting import Refusal
from device.messages.wire import decode, encode
from provisioning.alarms import FOREIGN_KEY, REPLACED_KEY, SECOND_SUCCESSOR
from provisioning.keyring import LISTENED, OVERLAP
from provisioning.renewal import EARLIEST, REQUESTS_PER_MINUTE
from provisioning.revocation import publish_revocations
from tests.enrolment import certificate_request
from tests.provisioning.renewing import DAY, DUE, NOW, Cloud, Robot, p256, renewing


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a cloud that nobody has used: its keys and its tables take longer to make than a test."""
    folder = tmp_path_factory.mktemp("fresh")

    async def make() -> None:
        async with renewing(folder, f"sqlite:///{folder}/store.sqlite3"):
            pass

    asyncio.run(make())
    return folder


@pytest.fixture
async def cloud(fresh: Path, tmp_path: Path) -> AsyncIterator[Cloud]:
    folder = tmp_path / "cloud"
    shutil.copytree(fresh, folder)
    async with renewing(folder, f"sqlite:///{folder}/store.sqlite3") as ready:
        yield ready


@pytest.fixture
async def either(tmp_path: Path, store_url: str) -> AsyncIterator[Cloud]:
    """The same on each kind of store, for what depends on it."""
    async with renewing(tmp_path, store_url) as ready:
        yield ready


async def test_a_new_key_gets_a_certificate_and_the_old_one_stays_good_until_it_is_used(either: Cloud) -> None:
    cloud = either
    robot, key = await cloud.robot(), p256()
    certificate = robot.certificate(await cloud.renewals.answer(robot.ask_for(key), "robot-1", DUE))
    assert certificate.public_key() == key.public_key()
    assert certificate.not_valid_after_utc.timestamp() == pytest.approx(DUE + 60 * DAY, abs=1)
    before = await cloud.standing()
    assert [held.public_key for held in before.in_force] == [public_pem(k.public_key()) for k in (key, robot.key)]
    successor = robot.after(key)
    assert successor.answer(await cloud.renewals.answer(successor.notice(), "robot-1", DUE)).refusal is None
    after = await cloud.standing()
    assert [held.serial for held in after.in_force] == [f"{certificate.serial_number:x}"]
    assert [held.successor for held in after.certificates[1:]] == [f"{certificate.serial_number:x}"]
    assert await cloud.actions() == ["renewed", "certificate_used"]
    assert await cloud.alarm() is None


async def test_the_subject_of_a_request_counts_for_nothing(cloud: Cloud) -> None:
    robot = await cloud.robot()
    lying = robot.ask(certificate_request(p256(), "minter"))
    certificate = robot.certificate(await cloud.renewals.answer(lying, "robot-1", DUE))
    assert certificate.subject.rfc4514_string() == "CN=robot-1"


async def test_asked_again_it_gives_the_same_certificate(cloud: Cloud) -> None:
    """Whatever was lost: the answer itself, or the memory of whoever asked, but for the key."""
    robot, key = await cloud.robot(), p256()
    request = robot.ask_for(key)
    first = robot.certificate(await cloud.renewals.answer(request, "robot-1", DUE))
    assert robot.certificate(await cloud.renewals.answer(request, "robot-1", DUE + 1)) == first
    later = DUE + 3600
    assert robot.certificate(await cloud.renewals.answer(robot.ask_for(key, later), "robot-1", later)) == first
    successor = robot.after(key)
    for at in (later, later + 60):
        assert successor.answer(await cloud.renewals.answer(successor.notice(at), "robot-1", at)).refusal is None
    assert await cloud.actions() == ["renewed", "certificate_used"]


async def test_the_same_bytes_at_the_same_moment_are_served_once(cloud: Cloud) -> None:
    robot = await cloud.robot()
    request = robot.ask_for(p256())
    answers = await asyncio.gather(*(cloud.renewals.answer(request, "robot-1", DUE) for _ in range(4)))
    assert len({answer for answer in answers if answer is not None}) == 1
    assert len((await cloud.standing()).in_force) == 2


async def test_a_replayed_request_makes_nothing(cloud: Cloud) -> None:
    robot, key = await cloud.robot(), p256()
    request = robot.ask_for(key)
    nonce = robot.nonce
    robot.certificate(await cloud.renewals.answer(request, "robot-1", DUE))
    assert robot.refusal(await cloud.renewals.answer(request, "robot-1", DUE + 30))[0] is Refusal.CLOCK_SKEW
    again = robot.ask_for(p256(), DUE + 31, nonce=nonce)
    assert robot.refusal(await cloud.renewals.answer(again, "robot-1", DUE + 31))[0] is Refusal.REPLAY
    assert len((await cloud.standing()).in_force) == 2


async def test_stale_requests_are_told_the_time(cloud: Cloud) -> None:
    robot, year = await cloud.robot(), 3e7
    for shift, life in ((-31, 30), (61, 30), (-year, 30), (year, 30), (0, 31)):
        issued = DUE + shift
        data = await cloud.renewals.answer(robot.ask_for(p256(), issued, expires_at=issued + life), "robot-1", DUE)
        answer = robot.answer(data)
        assert (answer.refusal, answer.server_time) == (Refusal.CLOCK_SKEW, DUE), shift
    assert len((await cloud.standing()).in_force) == 1


async def test_forged_and_misdirected_requests_get_no_answer(cloud: Cloud) -> None:
    robot, other = await cloud.robot(), await cloud.robot("robot-2")
    thief = Robot("robot-1", other.key, cloud.authority)
    new = p256()
    assert await cloud.renewals.answer(thief.ask_for(new), "robot-1", DUE) is None
    assert await cloud.renewals.answer(robot.ask_for(new), "robot-2", DUE) is None
    assert await cloud.renewals.answer(robot.ask_for(new, device="robot-2"), "robot-1", DUE) is None
    assert await cloud.renewals.answer(robot.ask_for(new), "robot-9", DUE) is None
    assert await cloud.renewals.answer(Robot("robot-1", new, cloud.authority).ask_for(new), "robot-1", DUE) is None
    for purpose, name in ((MINT_REQUEST, "robot-1"), ("renewal-request", "robot-2")):
        envelope = seal_envelope(purpose, {"x": 1}, KeySigner(name, robot.key))
        assert await cloud.renewals.answer(envelope, "robot-1", DUE) is None
    assert await cloud.renewals.answer(robot.ask_for(new, nonce="short"), "robot-1", DUE) is None
    assert await cloud.actions() == []


@given(place=st.integers(0, 10_000), patch=st.binary(max_size=4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_every_mutation_of_a_request_gets_no_answer(cloud: Cloud, place: int, patch: bytes) -> None:
    robot = await cloud.robot()
    genuine = robot.ask_for(p256())
    cut = place % len(genuine)
    mutated = genuine[:cut] + patch + genuine[cut + 1 :]
    if not _says_the_same(mutated, genuine):
        assert await cloud.renewals.answer(mutated, "robot-1", DUE) is None


def _says_the_same(mutated: bytes, genuine: bytes) -> bool:
    try:
        return encode(decode(mutated, Envelope)) == encode(decode(genuine, Envelope))
    except ValueError:
        return False


async def test_a_certificate_request_that_cannot_be_used_is_named(cloud: Cloud) -> None:
    robot = await cloud.robot()
    for csr in ("", "nonsense"):
        refusal, text = robot.refusal(await cloud.renewals.answer(robot.ask(csr), "robot-1", DUE))
        assert refusal is Refusal.DENIED
        assert "P-256" in text


async def test_a_key_that_is_known_already_is_refused_and_whose_it_is_is_told(cloud: Cloud) -> None:
    robot, other = await cloud.robot(), await cloud.robot("robot-2")
    own = robot.ask_for(robot.key)
    assert robot.refusal(await cloud.renewals.answer(own, "robot-1", DUE))[0] is Refusal.DENIED
    assert await cloud.alarm() is None
    stolen = robot.ask_for(other.key)
    assert robot.refusal(await cloud.renewals.answer(stolen, "robot-1", DUE))[0] is Refusal.DENIED
    assert await cloud.alarm("robot-2") == FOREIGN_KEY
    assert await cloud.actions() == ["renewal_refused", "clone_alarm", "renewal_refused"]


async def test_a_second_key_that_wants_to_succeed_is_refused_and_told(cloud: Cloud) -> None:
    robot, first = await cloud.robot(), p256()
    robot.certificate(await cloud.renewals.answer(robot.ask_for(first), "robot-1", DUE))
    late = DUE + 60
    assert robot.refusal(await cloud.renewals.answer(robot.ask_for(p256(), late), "robot-1", late))[0] is Refusal.DENIED
    assert await cloud.alarm() == SECOND_SUCCESSOR
    robot.certificate(await cloud.renewals.answer(robot.ask_for(first, late), "robot-1", late))


async def test_a_revoked_device_gets_nothing_not_even_what_it_was_given(cloud: Cloud) -> None:
    robot, key = await cloud.robot(), p256()
    robot.certificate(await cloud.renewals.answer(robot.ask_for(key), "robot-1", DUE))
    async with cloud.store.transaction() as t:
        assert await t.devices.revoke("robot-1", DUE)
    for who in (robot, robot.after(key)):
        for say in (who.notice, lambda who=who: who.ask_for(key)):
            told = await cloud.renewals.answer(say(), "robot-1", DUE)
            assert who.refusal(told)[0] is Refusal.REVOKED
    assert (await cloud.standing()).in_force == ()
    await publish_revocations(cloud.store, cloud.authority, DUE)
    assert len(cloud.listed()) == 2


async def test_a_device_that_was_not_seen_in_time_gets_nothing(cloud: Cloud) -> None:
    robot = await cloud.robot(seen=False)
    refusal, text = robot.refusal(await cloud.renewals.answer(robot.ask_for(p256()), "robot-1", DUE))
    assert refusal is Refusal.DENIED
    assert "pending" in text


async def test_a_certificate_is_not_renewed_at_will(cloud: Cloud) -> None:
    robot = await cloud.robot()
    early = NOW + EARLIEST * 60 * DAY - 100
    answer = robot.answer(await cloud.renewals.answer(robot.ask_for(p256(), early), "robot-1", early))
    assert answer.refusal is Refusal.DENIED
    assert answer.retry_after == pytest.approx(100, abs=1)
    successor = await cloud.renewed(robot)
    soon = DUE + 60
    again = await cloud.renewals.answer(successor.ask_for(p256(), soon), "robot-1", soon)
    assert successor.refusal(again)[0] is Refusal.DENIED


async def test_a_certificate_that_has_run_out_is_not_renewed(cloud: Cloud) -> None:
    robot, late = await cloud.robot(), NOW + 61 * DAY
    refusal, text = robot.refusal(await cloud.renewals.answer(robot.ask_for(p256(), late), "robot-1", late))
    assert refusal is Refusal.DENIED
    assert "claim new" in text


async def test_requests_are_bounded(cloud: Cloud) -> None:
    robot, key = await cloud.robot(), p256()
    for _ in range(REQUESTS_PER_MINUTE):
        robot.certificate(await cloud.renewals.answer(robot.ask_for(key), "robot-1", DUE))
    answer = robot.answer(await cloud.renewals.answer(robot.ask_for(key), "robot-1", DUE))
    assert (answer.refusal, answer.retry_after) == (Refusal.BUSY, 60.0)


async def test_who_uses_the_replaced_key_gets_nothing_and_is_told_of(cloud: Cloud) -> None:
    robot = await cloud.robot()
    successor = await cloud.renewed(robot)
    soon, later = DUE + OVERLAP - 1, DUE + OVERLAP + 1
    for data in (robot.notice(soon), robot.ask_for(p256(), soon)):
        told = await cloud.renewals.answer(data, "robot-1", soon)
        assert told is not None
    assert await cloud.alarm() is None
    assert robot.refusal(await cloud.renewals.answer(robot.notice(later), "robot-1", later))[0] is Refusal.DENIED
    assert await cloud.alarm() == REPLACED_KEY
    assert successor.answer(await cloud.renewals.answer(successor.notice(later), "robot-1", later)).refusal is None


async def test_an_alarm_that_goes_on_is_written_once_an_hour(either: Cloud) -> None:
    cloud = either
    robot = await cloud.robot()
    await cloud.renewed(robot)
    for minutes in (2, 4, 6, 70):
        at = DUE + 60 * minutes
        await cloud.renewals.answer(robot.notice(at), "robot-1", at)
    assert (await cloud.actions()).count("clone_alarm") == 2


async def test_a_robot_whose_thief_renewed_first_rings_the_bell(cloud: Cloud) -> None:
    """The robot is not locked out silently: for a day the broker lets it in, and what it signs is told of."""
    robot = await cloud.robot()
    thief = await cloud.renewed(robot)
    await cloud.renewals.sweep(DUE + LISTENED - 1)
    assert cloud.listed() == set()
    morning = DUE + 3600
    assert robot.refusal(await cloud.renewals.answer(robot.ask_for(p256(), morning), "robot-1", morning))
    assert await cloud.alarm() == REPLACED_KEY
    assert thief.key != robot.key


async def test_a_replaced_certificate_is_on_the_list_from_the_next_day_until_it_has_run_out(either: Cloud) -> None:
    cloud = either
    robot = await cloud.robot()
    old = int((await cloud.standing()).certificates[0].serial, 16)
    await cloud.renewed(robot)
    await cloud.renewals.sweep(DUE + LISTENED - 1)
    assert cloud.listed() == set()
    await cloud.renewals.sweep(DUE + LISTENED)
    assert cloud.listed() == {old}
    written = cloud.authority.revocations.stat().st_mtime_ns
    await cloud.renewals.sweep(DUE + LISTENED + 60)
    assert cloud.authority.revocations.stat().st_mtime_ns == written
    async with cloud.store.transaction() as t:
        assert await t.devices.taken_away(DUE + 2 * LISTENED) == []  # the robot's own connection is not to be ended
    await cloud.renewals.sweep(NOW + 62 * DAY)
    assert cloud.listed() == set()


async def test_revoking_also_takes_what_was_replaced_and_is_listened_to(cloud: Cloud) -> None:
    await cloud.renewed(await cloud.robot())
    async with cloud.store.transaction() as t:
        assert await t.devices.revoke("robot-1", DUE + 60)
    await cloud.renewals.sweep(DUE + 60)
    assert cloud.listed() == {int(held.serial, 16) for held in (await cloud.standing()).certificates}
    assert len(cloud.listed()) == 2


async def test_enrolling_anew_takes_the_alarm_back(cloud: Cloud) -> None:
    robot = await cloud.robot()
    await cloud.renewed(robot)
    late = DUE + 2 * OVERLAP
    await cloud.renewals.answer(robot.notice(late), "robot-1", late)
    assert await cloud.alarm() is not None
    await cloud.robot(now=late)
    assert await cloud.alarm() is None
