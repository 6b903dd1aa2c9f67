"""Forward and back, in real processes: the command line, the guard, and versions that are good or not."""

from __future__ import annotations

import json

import pytest

from tests.device.update.board import CRASHES, HANGS, WELL, Board, release_of, signer


def test_a_good_version_is_staged_tried_and_kept_and_the_one_before_stays(board: Board) -> None:
    done = board.update(board.package("0.2.0"))
    assert done.code == 0, done.err
    assert done.out.startswith("0.2.0: it begins when nobody talks")
    assert board.current == "versions/0.1.0"
    assert board.start() == 0
    assert board.current == "updates/0.2.0"
    board.guard("watch", 30)
    assert board.outcome is not None
    assert board.outcome.kept
    assert not board.places.trial.exists()
    told = json.loads(board.update("--status", "--json").out)
    assert (told["current"], told["previous"], told["trial"]) == ("updates/0.2.0", "versions/0.1.0", None)
    assert told["trusted"] == [board.signer.kid]


def test_a_version_that_crashes_is_gone_back_from_by_itself(board: Board) -> None:
    board.update(board.package("0.2.0", CRASHES))
    assert board.start() == 1
    assert board.current == "updates/0.2.0"
    assert board.starts() == "versions/0.1.0"
    assert board.outcome is not None
    assert not board.outcome.kept
    assert board.outcome.reason == "it was not well after 3 starts"


def test_a_version_that_never_gets_well_is_gone_back_from_and_the_robot_restarted(board: Board) -> None:
    board.update(board.package("0.2.0", HANGS))
    systemctl = board.root / "systemctl"
    systemctl.write_text(f'#!/bin/sh\necho "$@" >>{board.root}/systemctl.log\n')
    systemctl.chmod(0o755)
    assert board.start() == 0
    assert "back to the version before" in board.guard("watch", 0.05)
    assert board.current == "versions/0.1.0"
    assert board.outcome is not None
    assert "not well within" in board.outcome.reason
    log = (board.root / "systemctl.log").read_text().splitlines()
    assert log[-1] == "try-restart --no-block kaiwa-device.service"
    assert board.guard("start") == ""


def test_going_back_by_hand_is_a_trial_of_the_version_before(board: Board) -> None:
    board.update(board.package("0.2.0"))
    board.start()
    board.guard("watch", 30)
    assert board.update("--rollback").code == 0
    board.start()
    assert board.current == "versions/0.1.0"
    assert board.update("--rollback").code == 1  # while that is on trial


def test_each_thing_that_was_done_is_json_where_that_is_asked_for(board: Board) -> None:
    (board.root / "more.pem").write_text(pem := signer()[1])
    trusted = json.loads(board.update("--trust", board.root / "more.pem", "--json").out)["trusted"]
    assert (board.root / f"keys/{trusted}.pem").read_text() == pem
    assert json.loads(board.update(board.package("0.2.0"), "--json").out) == {"staged": "0.2.0"}
    board.start()
    board.guard("watch", 30)
    assert json.loads(board.update("--rollback", "--json").out) == {"staged": "versions/0.1.0"}


@pytest.mark.parametrize("run", [WELL, CRASHES])
def test_what_was_not_released_is_not_even_unpacked(board: Board, run: str) -> None:
    package = board.package("0.2.0", run)
    release_of(package).rename(board.root / "kept")
    other = board.package("0.2.0", "echo evil")
    (board.root / "kept").rename(release_of(other))
    done = board.update(other)
    assert done.code == 1
    assert "the package" in done.err
    assert not (board.home / "updates/0.2.0").exists()
    assert not board.places.staged.exists()
