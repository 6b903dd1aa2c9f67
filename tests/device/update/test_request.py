"""Across the line between the robot and root: what is believed, what is told, and that it is told once."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from device import phase as p
from device import updater
from device.clock import WallClock
from device.config import load
from device.errors import UpdateError
from device.messages.commands import CommandStatus, Step, Update
from device.messages.enrolment import BrokerAddress
from device.messages.wire import decode, encode
from device.mqtt import Broker, Presence
from device.outlet import Outlet
from device.update import guard
from device.update.attending import Updates
from device.update.guard import Outcome
from device.update.request import Report, Request, leave, left, progress
from tests.device.update.board import Board, release_of, signer
from tests.device.update.test_guard import pipe


def request(board: Board, version: str = "0.2.0", order: str = "a1") -> Request:
    sealed = release_of(board.package(version)).read_text()
    return Request(id=order, release=sealed, url="https://127.0.0.1:1/none")


def test_what_the_robot_leaves_root_finds(board: Board) -> None:
    asked = request(board)
    leave(board.state, asked)
    assert left(board.state) == asked
    assert (board.state / "update/request").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", [b"", b"{}", b"x" * 100_000, b'{"id":"../x","release":"","url":"https://a"}'])
def test_what_is_no_request_is_not_taken_up(board: Board, text: bytes) -> None:
    (board.state / "update/request").write_bytes(text)
    with pytest.raises(UpdateError):
        left(board.state)
    assert updater.main(board.config) == 1
    assert board.outcome is None


def test_a_link_to_somewhere_else_is_no_request(board: Board, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(encode(request(board)))
    (board.state / "update/request").symlink_to(tmp_path / "secret")
    with pytest.raises(UpdateError, match="symbolic"):
        left(board.state)


def test_a_pipe_is_no_request_and_holds_nobody_up(board: Board) -> None:
    with pipe(board.state / "update/request"), pytest.raises(UpdateError, match="request"):
        left(board.state)


@pytest.mark.parametrize("url", ["http://a/b", "file:///etc/passwd", "https://", "https://a b", "", "ftp://a/b"])
def test_only_https_is_asked_for(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        decode(encode({"id": "a1", "release": "", "url": url}), Request)


def test_root_believes_only_what_is_signed_and_tells_why_it_does_not(board: Board) -> None:
    asked = request(board)
    leave(board.state, replace(asked, release=asked.release.replace("e", "f", 3)))
    assert updater.main(board.config) == 1
    assert board.outcome is not None
    assert (board.outcome.id, board.outcome.kept) == ("a1", False)
    assert "not a release that is trusted here" in board.outcome.reason
    leave(board.state, request(board, "0.0.9", "a2"))
    assert updater.main(board.config) == 1
    assert board.outcome.id == "a2"
    assert "older than 0.1.0" in board.outcome.reason


def test_what_cannot_be_written_down_is_told_all_the_same(board: Board) -> None:
    (board.home / ".outcome.new").mkdir()  # as on a disk that is read-only, or full
    leave(board.state, request(board, "0.0.9"))
    assert updater.main(board.config) == 1
    assert board.outcome is None
    told = progress(board.root / "run/progress")
    assert told is not None
    assert (told.id, told.failed) == ("a1", True)
    assert "older than 0.1.0" in told.text


def test_a_request_is_carried_out_once(board: Board) -> None:
    leave(board.state, request(board))
    guard.write(board.places.outcome, Outcome("a1", "0.2.0", kept=True, reason="", at=0.0))
    assert updater.main(board.config) == 0
    assert not board.places.staged.exists()


def test_progress_is_told_once_a_second_and_each_step(tmp_path: Path) -> None:
    report = Report(tmp_path / "run/progress", "a1")
    for text in ("1 of 8 MiB", "2 of 8 MiB"):
        report.tell(text)
    first = progress(tmp_path / "run/progress")
    report.tell("unpacking")
    then = progress(tmp_path / "run/progress")
    assert first is not None
    assert then is not None
    assert (first.text, then.text) == ("1 of 8 MiB", "unpacking")
    assert progress(tmp_path / "none") is None


# The robot ------------------------------------------------------------------------------------------------------------


class Robot:
    """The part of a robot that looks after updates, at a broker's owner that never connects: what is told stays there."""

    def __init__(self, board: Board) -> None:
        self.board = board
        address = BrokerAddress(host="127.0.0.1", port=1)
        self.broker = Broker(Presence(address, "robot", ssl.create_default_context(), "", b""))
        self.broker._up.set()
        self.posted: list[p.Event] = []
        self.lacking: list[str] = []
        self.at_rest = asyncio.Event()
        settings = replace(load(board.config).update, look_seconds=0.05, well_seconds=0.1)
        outlet = Outlet("robot", self.broker, WallClock())
        self.updates = Updates(
            settings, board.state, "", outlet, self.posted.append, self.at_rest, lambda: self.lacking
        )

    async def until(self, done: Callable[[], object]) -> None:
        """Let it run until `done()` holds."""
        task = asyncio.create_task(self.updates.run(), name="updates")
        async with asyncio.timeout(10):
            while not done():
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait({task})

    @property
    def told(self) -> list[tuple[Step, str]]:
        found = [decode(message.payload, CommandStatus) for message in self.broker._outbox]
        assert {status.id for status in found} <= {"a1"}
        return [(status.step, status.reason) for status in found]


@pytest.fixture
async def robot(board: Board) -> Robot:
    return Robot(board)


def order(board: Board, version: str = "0.2.0") -> p.UpdateOrdered:
    asked = request(board, version)
    return p.UpdateOrdered("a1", "operator-a", Update(release=asked.release, url=asked.url))


async def test_an_order_is_accepted_written_down_and_left_for_root(robot: Robot, board: Board) -> None:
    ordered = order(board)
    await robot.updates.obey(ordered)
    assert robot.told == [(Step.ACCEPTED, "0.2.0 is released by whom this robot trusts")]
    assert left(board.state) == Request(id="a1", release=ordered.update.release, url=ordered.update.url)


async def test_what_root_would_refuse_the_robot_rejects(robot: Robot, board: Board) -> None:
    await robot.updates.obey(order(board, "0.0.9"))
    board.signer, _ = signer()
    await robot.updates.obey(order(board))
    assert [step for step, _ in robot.told] == [Step.REJECTED, Step.REJECTED]
    assert "older than" in robot.told[0][1]
    assert "not a release that is trusted here" in robot.told[1][1]
    assert list((board.state / "update").iterdir()) == []


async def test_of_two_orders_the_second_is_rejected(robot: Robot, board: Board) -> None:
    await robot.updates.obey(order(board))
    await robot.updates.obey(order(board, "0.3.0"))
    assert robot.told[1] == (Step.REJECTED, "another update is under way")


async def test_an_order_is_rejected_while_one_by_hand_waits_or_is_tried(robot: Robot, board: Board) -> None:
    board.stage(board.package("0.2.0"))
    await robot.updates.obey(order(board, "0.3.0"))
    guard.start(board.places)
    await robot.updates.obey(order(board, "0.3.0"))
    assert robot.told == [(Step.REJECTED, "another update is under way")] * 2
    assert not (board.state / "update/order").exists()


async def test_an_order_that_cannot_be_written_down_is_rejected_and_blocks_no_other(robot: Robot, board: Board) -> None:
    ordered = order(board)
    (board.state / "update/request").mkdir()
    await robot.updates.obey(ordered)
    assert robot.told[0][0] is Step.REJECTED
    (board.state / "update/request").rmdir()
    await robot.updates.obey(ordered)
    assert robot.told[1][0] is Step.ACCEPTED


async def test_it_makes_way_when_nobody_talks_and_not_before(robot: Robot, board: Board) -> None:
    board.stage(board.package("0.2.0"))
    looks = iter(range(40))  # longer than the looks that it takes
    await robot.until(lambda: next(looks, None) is None)
    assert robot.posted == []
    robot.at_rest.set()
    await robot.until(lambda: robot.posted)
    assert robot.posted[0] == p.UpdateStaged("0.2.0")


async def test_it_says_what_is_lacking_and_then_that_it_is_well(robot: Robot, board: Board) -> None:
    board.stage(board.package("0.2.0"))
    guard.start(board.places)
    robot.lacking = ["online"]
    await robot.until(board.places.healthy.exists)
    assert board.places.healthy.read_text() == "0.2.0\nonline"
    robot.lacking = []
    await robot.until(lambda: board.places.healthy.read_text() == "0.2.0")
    assert guard.look(board.places, 0.0, 300.0) is True


@pytest.mark.parametrize(
    ("kept", "last"), [(True, (Step.SUCCEEDED, "0.2.0 runs")), (False, (Step.FAILED, "it was not well"))]
)
async def test_the_last_step_is_told_once_by_whichever_version_runs(
    robot: Robot, board: Board, kept: bool, last: tuple[Step, str]
) -> None:
    await robot.updates.obey(order(board))
    guard.write(board.places.outcome, Outcome("a1", "0.2.0", kept, "" if kept else "it was not well", 0.0))
    after = Robot(board)  # the next process
    after.broker._up.clear()
    looks = iter(range(30))  # longer than the look that would tell it
    await after.until(lambda: next(looks, None) is None)
    assert after.told == []  # nobody would hear it
    assert (board.state / "update/order").exists()
    after.broker._up.set()
    await after.until(lambda: after.told)
    assert after.told == [last]
    assert not (board.state / "update/order").exists()
    once_more = Robot(board)
    board.stage(board.package("0.3.0"))
    once_more.at_rest.set()
    await once_more.until(lambda: once_more.posted)
    assert once_more.told == []


async def test_a_failure_that_was_only_told_is_the_last_step(robot: Robot, board: Board) -> None:
    await robot.updates.obey(order(board))
    report = Report(board.root / "run/progress", "a1")
    report.tell("taken up")
    report.fail("Read-only file system")
    await robot.until(lambda: len(robot.told) > 1)
    assert robot.told[-1] == (Step.FAILED, "Read-only file system")
    assert not (board.state / "update/order").exists()


async def test_the_failure_of_another_order_is_not_this_one_s(robot: Robot, board: Board) -> None:
    await robot.updates.obey(order(board))
    Report(board.root / "run/progress", "a0").fail("Read-only file system")
    await robot.until(lambda: len(robot.told) > 1)
    assert robot.told[-1] == (Step.IN_PROGRESS, "handed over")


async def test_a_request_that_a_power_cut_came_between_is_left_anew(robot: Robot, board: Board) -> None:
    await robot.updates.obey(order(board))
    before = (board.state / "update/request").stat().st_ino
    await Robot(board).until(lambda: (board.state / "update/request").stat().st_ino != before)
    assert left(board.state).id == "a1"


async def test_a_spoilt_memory_of_an_order_blocks_no_other(robot: Robot, board: Board) -> None:
    (board.state / "update/order").write_bytes(b"nonsense")
    await robot.until(lambda: not (board.state / "update/order").exists())
    await robot.updates.obey(order(board))
    assert robot.told[0][0] is Step.ACCEPTED
