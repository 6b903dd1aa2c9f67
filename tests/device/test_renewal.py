"""A robot renews its certificate by itself, and stands a power cut at any moment of it."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from device.clock import WallClock
from device.errors import EnrolmentError, MessageError, RenewalError
from device.identity import Identity, keep_enrolment, keep_key
from device.messages import topics
from device.messages.enrolment import BrokerAddress, Enrolment
from device.messages.envelope import RENEWAL_ANSWER, public_pem, seal_envelope
from device.messages.renewal import RenewalAnswer
from device.renewal import Renewal, RenewalClient
from device.succession import ReplaceableSigner, Succession, load
from provisioning.authority import Authority
from provisioning.enrolment import certificate_row
from provisioning.renewal import Renewals
from provisioning.store import Store

DAY = 86_400.0
ENROLLED = time.time() - 46 * DAY
"""So that three quarters of 60 days are over, and every certificate is due."""


class Cloud:
    """What answers, without a broker in between."""

    def __init__(self, store: Store, authority: Authority) -> None:
        self.store, self.authority = store, authority
        self.renewals = Renewals(store, authority, 60)

    async def enrolled(self, device: str, state_dir: Path) -> None:
        """Make a board that was enrolled, and seen, long ago."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.authority.issue_device(key.public_key(), device, ENROLLED, 60)
        async with self.store.transaction() as t:
            await t.devices.enrol("", certificate_row(certificate, device, ENROLLED))
            await t.devices.activate(device, ENROLLED)
        keep_key(state_dir, key)
        enrolment = Enrolment(
            device=device,
            certificate=self.authority.chained(certificate).decode(),
            authority=self.authority.root_pem,
            broker=BrokerAddress(host="127.0.0.1", port=1),
            mint_kid=self.authority.mint_signer.kid,
            mint_key=self.authority.mint_pem,
            operators={},
            server_time=ENROLLED,
        )
        keep_enrolment(state_dir, enrolment)

    async def keys_in_force(self, device: str) -> list[str]:
        async with self.store.transaction() as t:
            standing = await t.devices.standing(device)
        assert standing is not None
        return [held.public_key for held in standing.in_force]


class Board:
    """One start of a board's process: everything it knows comes from its disk."""

    def __init__(self, state_dir: Path, cloud: Cloud) -> None:
        self._cloud = cloud
        self.state_dir = state_dir
        self.identity = Identity.load(state_dir, time.time())
        self.signer, self.at_rest = ReplaceableSigner(self.identity.signer), asyncio.Event()
        self.at_rest.set()
        self.client = RenewalClient(self.identity.device, self.identity.mint_key, WallClock())
        self.renewal = Renewal(
            self.identity,
            self.signer,
            Succession(state_dir),
            self.client,
            self,
            self.change,
            self.at_rest,
            WallClock(),
        )
        self.connected_as: list[Identity] = []
        self.lets_in = True
        self.lost_answers = 0
        self._works: set[asyncio.Task[None]] = set()

    def publish(self, topic: str, payload: bytes, *, within: float | None = None) -> None:
        assert topic == topics.renewal_request(self.identity.device)
        assert within is not None
        self._works.add(asyncio.create_task(self._carry(payload)))

    async def _carry(self, payload: bytes) -> None:
        answer = await self._cloud.renewals.answer(payload, self.identity.device, time.time())
        if self.lost_answers:
            self.lost_answers -= 1
        elif answer is not None:
            self.client.take(answer)

    async def connected(self, seconds: float) -> bool:
        return seconds > 0

    async def change(self, successor: Identity) -> bool:
        successor.tls_context()
        self.connected_as.append(successor)
        return self.lets_in

    def files(self) -> list[str]:
        return sorted(path.name for path in self.state_dir.iterdir())

    def key(self) -> str:
        return public_pem(Identity.load(self.state_dir, time.time()).files.load_key().public_key())


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[Cloud]:
    authority = Authority.open(tmp_path / "cloud", ("127.0.0.1",), ENROLLED)
    async with Store(f"sqlite:///{tmp_path}/store.sqlite3") as store:
        yield Cloud(store, authority)


@pytest.fixture
async def board(cloud: Cloud, tmp_path: Path) -> Board:
    await cloud.enrolled("robot-1", tmp_path / "board")
    return Board(tmp_path / "board", cloud)


async def test_a_renewal_replaces_key_and_certificate_and_leaves_nothing_behind(board: Board, cloud: Cloud) -> None:
    before = board.key()
    await board.renewal.renew()
    assert board.key() != before
    assert await cloud.keys_in_force("robot-1") == [board.key()]
    assert len(board.files()) == 3
    assert [identity.certificate for identity in board.connected_as] == [board.renewal.present.certificate]
    assert {path.stat().st_mode & 0o777 for path in board.state_dir.iterdir()} == {0o600}
    assert board.renewal.due_at > time.time() + 39 * DAY


async def test_it_waits_until_nobody_talks(board: Board) -> None:
    board.at_rest.clear()
    task = asyncio.create_task(board.renewal.renew())
    async with asyncio.timeout(10):
        while "next.pem" not in board.files():
            await asyncio.sleep(0.01)  # a disk tells nobody
    assert board.connected_as == []
    board.at_rest.set()
    await task
    assert len(board.connected_as) == 1


async def test_a_lost_answer_is_asked_for_again_with_the_same_key(
    board: Board, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("device.renewal.WAIT_SECONDS", 0.05)
    board.lost_answers = 1
    with pytest.raises(RenewalError, match="no answer"):
        await board.renewal.renew()
    first = await cloud.keys_in_force("robot-1")
    await Board(board.state_dir, cloud).renewal.renew()
    assert await cloud.keys_in_force("robot-1") == [first[0]]


async def test_a_certificate_that_is_not_let_in_replaces_nothing(board: Board, cloud: Cloud) -> None:
    before = board.key()
    board.lets_in = False
    with pytest.raises(RenewalError, match="not let in"):
        await board.renewal.renew()
    assert board.key() == before
    assert board.renewal.present is board.identity
    assert len(await cloud.keys_in_force("robot-1")) == 2
    board.lets_in = True
    await board.renewal.renew()
    assert await cloud.keys_in_force("robot-1") == [board.key()] != [before]


async def test_a_board_that_was_enrolled_anew_meanwhile_stays_who_it_is_now(board: Board, cloud: Cloud) -> None:
    board.at_rest.clear()
    task = asyncio.create_task(board.renewal.renew())
    async with asyncio.timeout(10):
        while "next.pem" not in board.files():
            await asyncio.sleep(0.01)  # a disk tells nobody
        await cloud.enrolled("robot-2", board.state_dir)
        board.at_rest.set()
        with pytest.raises(EnrolmentError):
            await task
    assert Identity.load(board.state_dir, time.time()).device == "robot-2"


async def test_a_successor_that_had_come_takes_over_when_the_certificate_ran_out_meanwhile(board: Board) -> None:
    board.lets_in = False
    with pytest.raises(RenewalError):
        await board.renewal.renew()
    weeks_later = time.time() + 20 * DAY
    with pytest.raises(EnrolmentError, match="ran out"):
        Identity.load(board.state_dir, weeks_later)
    successor = load(board.state_dir, weeks_later)
    assert successor.certificate == board.connected_as[0].certificate
    assert Identity.load(board.state_dir, weeks_later).certificate == successor.certificate
    with pytest.raises(EnrolmentError, match="ran out"):
        load(board.state_dir, weeks_later + 60 * DAY)


async def test_an_answer_that_is_not_for_its_key_or_name_is_not_kept(board: Board, cloud: Cloud) -> None:
    succession, now = Succession(board.state_dir), time.time()
    key = await asyncio.to_thread(succession.key)
    stranger = Authority.open(board.state_dir.parent / "stranger", ("127.0.0.1",), now)
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    for authority, public, name, words in (
        (cloud.authority, other, "robot-1", "another key"),
        (cloud.authority, key.public_key(), "robot-2", "another device"),
        (stranger, key.public_key(), "robot-1", "authority of this fleet"),
    ):
        wrong = authority.chained(authority.issue_device(public, name, now, 60)).decode()
        with pytest.raises(RenewalError, match=words):
            succession.certified(board.identity, wrong)
    with pytest.raises(RenewalError, match="cannot be read"):
        succession.certified(board.identity, "nonsense")
    assert "next.pem" not in board.files()


async def test_answers_of_anybody_but_the_minter_are_not_taken(board: Board, cloud: Cloud) -> None:
    answer = RenewalAnswer(device="robot-1", nonce="0" * 32, server_time=0.0)
    with pytest.raises(MessageError):
        board.client.take(seal_envelope(RENEWAL_ANSWER, answer, board.signer))
    with pytest.raises(MessageError):
        board.client.take(seal_envelope("mint-answer", answer, cloud.authority.mint_signer))
    foreign = RenewalAnswer(device="robot-2", nonce="0" * 32, server_time=0.0)
    with pytest.raises(MessageError):
        board.client.take(seal_envelope(RENEWAL_ANSWER, foreign, cloud.authority.mint_signer))
    board.client.take(seal_envelope(RENEWAL_ANSWER, answer, cloud.authority.mint_signer))  # nobody waits for it


async def test_what_fails_is_tried_again_by_itself(
    board: Board, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("device.renewal.FIRST_PAUSE", 0.01)
    monkeypatch.setattr("device.renewal.WAIT_SECONDS", 0.05)
    board.lost_answers = 2
    before = board.key()
    async with running(board):
        while board.key() == before or len(board.files()) > 3:
            await asyncio.sleep(0.01)  # a disk tells nobody
    assert caplog.text.count("was not renewed") == 2
    assert await cloud.keys_in_force("robot-1") == [board.key()]


@asynccontextmanager
async def running(board: Board) -> AsyncIterator[None]:
    task = asyncio.create_task(board.renewal.run())
    try:
        async with asyncio.timeout(10):
            yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class PowerCut(BaseException):
    """Everything stops here."""


@contextmanager
def power_cut(monkeypatch: pytest.MonkeyPatch, at: int, *, after: bool) -> Iterator[None]:
    """Cut the power before or after the step number `at` of those that change a name on the disk."""
    steps = itertools.count()

    def cut_short(original: Callable[..., object]) -> Callable[..., object]:
        def step(path: Path, *arguments: object, **options: object) -> object:
            mine = next(steps) == at
            if mine and not after:
                raise PowerCut
            done = original(path, *arguments, **options)
            if mine:
                raise PowerCut
            return done

        return step

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", cut_short(Path.replace))
        patched.setattr(Path, "unlink", cut_short(Path.unlink))
        yield


async def _until_cut(board: Board, monkeypatch: pytest.MonkeyPatch, at: int, *, after: bool) -> bool:
    """Renew until the power is cut; return whether it was."""
    with power_cut(monkeypatch, at, after=after):
        try:
            await board.renewal.renew()
        except PowerCut:
            return True
    return False


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_power_cut_at_any_step_leaves_an_identity_that_works_and_renews(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    at, cut = 0, True
    while cut:
        name, folder = f"robot-{at}", tmp_path / f"board-{at}"
        await cloud.enrolled(name, folder)
        cut = await _until_cut(Board(folder, cloud), monkeypatch, at, after=after)
        reborn = Board(folder, cloud)
        assert reborn.key() in await cloud.keys_in_force(name)
        if await reborn.renewal._left() <= 0:
            await reborn.renewal.renew()
        assert await cloud.keys_in_force(name) == [reborn.key()]
        assert [file for file in reborn.files() if file.endswith(".key")] == [reborn.renewal.present.files.key.name]
        at += 1
    assert at > 8
