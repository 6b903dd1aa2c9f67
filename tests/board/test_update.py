"""Other versions: one that works is kept, and from those that do not the guard goes back, under the real systemd."""

from __future__ import annotations

import time
from typing import Final

import pytest

from tests.board.board import Board
from tests.board.conftest import Tell
from tests.board.releasing import LONGEST, Releases
from tests.board.report import Line
from tests.board.versions import Kind, number

TRIAL: Final = "kaiwa-device-trial.service"


def test_an_ordered_version_is_fetched_tried_and_kept(board: Board, releases: Releases, tell: Tell) -> None:
    before, began, since = board.cloud.card["version"], time.monotonic(), board.cloud.now()
    with releases.ordered(Kind.WORKS) as ordered:
        gone = wait_until_gone(board, since)
        wait_for_version(board, Kind.WORKS, board.cloud.now(), 300)
        back = time.monotonic()
        done = ordered.result()
    took = time.monotonic() - began
    assert done.returncode == 0, done.stdout + done.stderr + units(board)
    assert f"{number(Kind.WORKS)} runs" in done.stdout
    assert links(board) == f"updates/{number(Kind.WORKS)} versions/{before}"
    board.run(f"while systemctl is-active -q {TRIAL}; do sleep 0.2; done", 60)
    assert board.run(f"systemctl show -P Result {TRIAL}") == "success"
    board.talk()
    board.lamp("breathing", 60)
    tell(
        Line(
            "an operator orders a newer version: a signed release, its package on a server; nobody talks",
            f"Fetched, unpacked and rehearsed beside the robot; it was away for {back - gone:.0f} s, ran the new version, was well"
            " for 20 s, and the guard kept it. A press starts a conversation.",
            seen="the light `idle` again: it breathes",
            seconds=took,
        )
    )


REASONS: Final = {
    Kind.CRASHES: "it was not well after 3 starts",
    Kind.LOST: "it was not well within 300 s: online",
}
SEEN: Final = {Kind.CRASHES: "", Kind.LOST: "during the trial the light `offline`; then "}


@pytest.mark.parametrize("kind", REASONS, ids=lambda kind: kind.name)
def test_a_version_that_is_no_good_is_gone_back_from(board: Board, releases: Releases, tell: Tell, kind: Kind) -> None:
    before, runs, since = board.cloud.card["version"], links(board).split()[0], board.cloud.now()
    with releases.ordered(kind) as ordered:
        gone = wait_until_gone(board, since)
        mark = board.cloud.now()
        if kind is Kind.LOST:
            board.lamp("offline", 180)
        board.cloud.wait_phase("idle", since=mark, seconds=600)
        took = time.monotonic() - gone
        done = ordered.result()
    assert done.returncode == 3, done.stdout + done.stderr + units(board)
    assert REASONS[kind] in done.stdout
    assert board.cloud.card["version"] == before
    assert links(board).split()[0] == runs
    board.talk()
    board.lamp("breathing", 60)
    tell(
        Line(
            f"an operator orders a version that {kind.value}",
            f"The guard goes back, and the operator hears why: `{REASONS[kind]}`. A press starts a conversation.",
            seen=f"{SEEN[kind]}the light `idle`: it breathes",
            seconds=took,
        )
    )


def wait_until_gone(board: Board, since: int) -> float:
    """Wait until the robot has ended for another version; return when, in monotonic seconds."""
    board.cloud.wait(lambda told: told["kind"] == "state" and told["lifecycle"] != "ready", since, LONGEST)
    return time.monotonic()


def wait_for_version(board: Board, kind: Kind, since: int, seconds: float) -> None:
    """Wait until the robot is there as this version."""
    wanted = ("state", "ready", "idle", number(kind))
    board.cloud.wait(
        lambda told: (told["kind"], told.get("lifecycle"), told.get("phase"), told.get("version")) == wanted,
        since,
        seconds,
    )


def links(board: Board) -> str:
    """Return where `current` and `previous` lead."""
    return board.run("cd /opt/kaiwa-device; echo $(readlink current) $(readlink previous)")


def units(board: Board) -> str:
    """Return what the units of an update have said, for whoever looks why a test failed."""
    return board.run(f"journalctl -o short-monotonic -u kaiwa-device-update.service -u {TRIAL} -n 60 --no-pager")
