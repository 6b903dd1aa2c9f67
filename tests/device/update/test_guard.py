"""The guard: what it decides, and that no power cut, whenever it comes, leaves a board without a version that starts."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from device.update import guard
from device.update.guard import STARTS, Trial
from tests.device.update.cuts import TRIAL, board, boards, cut, places_of

OLD, NEW = TRIAL.back, TRIAL.to


# What it decides ------------------------------------------------------------------------------------------------------


@given(left=st.integers(-5, 50), usable=st.booleans())
def test_a_start_costs_one_and_when_none_is_left_it_goes_back(left: int, usable: bool) -> None:
    trial = Trial("a1", "0.2.0", NEW, OLD, left)
    folder, rest, reason = guard.started(trial, usable=usable)
    if usable and left > 0:
        assert (folder, reason) == (NEW, "")
        assert rest is not None
        assert rest.left == left - 1
    else:
        assert (folder, rest) == (OLD, None)
        assert reason


@given(well=st.booleans(), waited=st.floats(0, 1e6), patience=st.floats(0, 1e6))
def test_who_is_well_is_kept_however_late_and_who_is_not_has_time(well: bool, waited: float, patience: float) -> None:
    verdict = guard.watched(well=well, waited=waited, patience=patience)
    assert verdict is (True if well else False if waited >= patience else None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "7",
        "{}",
        "nonsense",
        "\\ud800",
        json.dumps({"id": "a", "version": "1", "to": "/etc", "back": OLD, "left": 1}),
        json.dumps({"id": "a", "version": "1", "to": NEW, "back": "versions/../../etc", "left": 1}),
        json.dumps({"id": "a", "version": "1", "to": NEW, "back": "", "left": 1}),
        json.dumps({"id": "a", "version": "1", "to": NEW, "back": OLD, "left": "many"}),
        json.dumps({"id": "a", "version": "1", "to": NEW, "back": OLD}),
    ],
)
def test_what_is_no_trial_is_dropped_and_changes_nothing(tmp_path: Path, text: str) -> None:
    places = board(tmp_path, None)
    places.staged.write_text(text)
    assert "dropped" in guard.start(places)
    assert guard.target(places.current) == OLD
    assert guard.start(places) == ""


def test_what_a_later_version_adds_to_a_trial_is_no_harm(tmp_path: Path) -> None:
    places = board(tmp_path, None)
    places.staged.write_text(json.dumps({"id": "a", "version": "1", "to": NEW, "back": "before", "left": 2, "more": 1}))
    assert "on trial" in guard.start(places)


# What it does ---------------------------------------------------------------------------------------------------------


def test_without_a_trial_it_does_nothing(tmp_path: Path) -> None:
    places = board(tmp_path, None)
    before = sorted(tmp_path.rglob("*"))
    assert guard.start(places) == ""
    assert guard.watch(places, 1.0, lambda: 0.0, pytest.fail) is None
    assert sorted(tmp_path.rglob("*")) == before


def test_a_version_without_a_program_is_never_started(tmp_path: Path) -> None:
    places = board(tmp_path)
    (places.home / NEW / guard.PROGRAM).unlink()
    assert "there is no program in it" in guard.start(places)
    assert guard.target(places.current) == OLD


def test_with_nothing_to_go_back_to_it_stays(tmp_path: Path) -> None:
    places = board(tmp_path)
    guard.start(places)
    shutil.rmtree(places.home / OLD)
    assert guard.look(places, 10.0, 1.0) is False
    assert guard.target(places.current) == NEW


def test_who_decides_is_alone_with_the_versions(tmp_path: Path) -> None:
    places = board(tmp_path)
    other = os.open(places.home, os.O_RDONLY)
    try:
        with guard.alone(places), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(other)


def test_what_is_lacking_is_told_when_time_is_over(tmp_path: Path) -> None:
    places = board(tmp_path)
    guard.start(places)
    assert guard.look(places, 0.0, 300.0) is None
    places.healthy.write_text("a1\nonline\ncaptured")
    assert guard.look(places, 299.0, 300.0) is None
    assert guard.look(places, 300.0, 300.0) is False
    outcome = guard.read_outcome(places.outcome)
    assert outcome is not None
    assert outcome.reason == "it was not well within 300 s: online, captured"


def test_the_health_of_another_trial_is_none(tmp_path: Path) -> None:
    places = board(tmp_path)
    places.healthy.write_text("a0")
    guard.start(places)
    places.healthy.write_text("a0")
    assert guard.look(places, 0.0, 300.0) is None
    places.healthy.write_text("a1")
    assert guard.look(places, 0.0, 300.0) is True
    assert guard.target(places.previous) == OLD


def test_what_the_version_before_says_of_itself_keeps_no_other(tmp_path: Path) -> None:
    places = board(tmp_path)
    places.staged.replace(places.trial)  # whoever starts it could not write further
    places.healthy.write_text(TRIAL.id)  # and so the one before runs, and is well
    assert guard.look(places, 0.0, 300.0) is None
    assert "on trial" in guard.start(places)
    assert not places.healthy.exists(), "it was not the one on trial that said it"
    assert guard.look(places, 0.0, 300.0) is None
    assert guard.read_outcome(places.outcome) is None


def test_a_version_that_was_never_started_is_given_up_and_told_so(tmp_path: Path) -> None:
    places = board(tmp_path)
    places.staged.replace(places.trial)
    places.healthy.write_text(TRIAL.id)
    assert guard.look(places, 300.0, 300.0) is False
    outcome = guard.read_outcome(places.outcome)
    assert outcome is not None
    assert outcome.reason == "it was not well within 300 s: it was never started"
    assert guard.target(places.current) == OLD


def test_what_is_forgotten_is_not_looked_for_behind_a_link(tmp_path: Path) -> None:
    places = board(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "healthy").touch()
    (tmp_path / "update").symlink_to(elsewhere)
    guard.start(guard.Places(places.home, tmp_path / "update" / "healthy"))
    assert (elsewhere / "healthy").exists()


def test_on_a_disk_that_takes_no_file_it_goes_back_all_the_same(tmp_path: Path) -> None:
    places = board(tmp_path)
    guard.start(places)
    for name in (".trial.new", ".outcome.new"):
        (places.home / name).mkdir()  # as on a disk that is full
    assert guard.look(places, 300.0, 300.0) is False
    assert guard.target(places.current) == OLD
    assert guard.start(places) == "", "it is over"


@contextmanager
def pipe(path: Path) -> Iterator[None]:
    """A pipe that somebody holds open and writes nothing to; whoever waits for it is waited for no longer than 10 s."""
    os.mkfifo(path)
    held = os.open(path, os.O_RDWR)
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it waits"))
    signal.alarm(10)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        os.close(held)


def test_a_health_that_is_no_file_says_nothing_and_holds_nobody_up(tmp_path: Path) -> None:
    places = board(tmp_path)
    guard.start(places)
    (tmp_path / "secret").write_text(TRIAL.id)
    places.healthy.symlink_to(tmp_path / "secret")
    assert guard.look(places, 0.0, 300.0) is None
    places.healthy.unlink()
    with pipe(places.healthy):
        assert guard.look(places, 0.0, 300.0) is None


def test_what_is_written_is_on_the_disk_before_it_has_its_name_and_that_before_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places, seen = board(tmp_path), list[str]()
    replace = Path.replace

    def renamed(path: Path, to: Path) -> Path:
        seen.append(to.name)
        return replace(path, to)

    monkeypatch.setattr(os, "fsync", lambda _: seen.append("fsync"))
    monkeypatch.setattr(Path, "replace", renamed)
    guard.start(places)
    assert seen == ["trial", "fsync", "fsync", "trial", "fsync", "current", "fsync"]


def test_what_the_guard_writes_the_robot_can_read(tmp_path: Path) -> None:
    places = board(tmp_path)
    guard.start(places)
    assert places.trial.stat().st_mode & 0o777 == 0o644


# Whatever happens -----------------------------------------------------------------------------------------------------


class Life(RuleBasedStateMachine):
    """Starts, crashes, health and time, in any order: what must hold holds after each."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.places = board(self.root)
        self.starts = 0
        self.well = False

    @rule()
    def start(self) -> None:
        before = guard.target(self.places.current)
        guard.start(self.places)
        if guard.target(self.places.current) == NEW and self.places.trial.exists():
            self.starts += 1
            assert self.starts <= STARTS
        elif self.well or self.starts < STARTS:
            assert guard.target(self.places.current) == before
        else:
            assert guard.target(self.places.current) == OLD

    @rule(late=st.booleans())
    def look(self, late: bool) -> None:
        guard.look(self.places, 300.0 if late else 1.0, 300.0)

    @precondition(lambda self: self.places.trial.exists())
    @rule()
    def become_well(self) -> None:
        self.well = True
        self.places.healthy.write_text(TRIAL.id)

    @invariant()
    def what_is_current_is_there(self) -> None:
        assert guard.usable(self.places, guard.target(self.places.current))

    @invariant()
    def an_end_is_an_end(self) -> None:
        outcome = guard.read_outcome(self.places.outcome)
        if outcome is not None:
            assert not self.places.trial.exists()
            assert guard.target(self.places.current) == (NEW if outcome.kept else OLD)
            assert not outcome.kept or self.well

    def teardown(self) -> None:
        shutil.rmtree(self.root)


Life.TestCase.settings = settings(max_examples=10, stateful_step_count=10, deadline=None)
TestLife = Life.TestCase


# A power cut at every step --------------------------------------------------------------------------------------------


def test_cut_at_any_step_a_trial_begins_with_the_next_start(tmp_path: Path) -> None:
    dead = cut(boards(tmp_path, started=False), "begin")
    assert len(dead) >= 5
    for places in map(places_of, dead):
        assert guard.usable(places, guard.target(places.current))
        assert "on trial" in guard.start(places)
        assert guard.target(places.current) == NEW


def test_cut_at_any_step_who_is_well_is_kept_in_the_end(tmp_path: Path) -> None:
    dead = cut(boards(tmp_path, started=True, well=True), "end")
    assert len(dead) >= 5
    for places in map(places_of, dead):
        guard.start(places)
        guard.look(places, 0.0, 300.0)
        outcome = guard.read_outcome(places.outcome)
        assert outcome is not None
        assert (outcome.kept, guard.target(places.current)) == (True, NEW)
        assert not places.trial.exists()


def test_cut_at_any_step_who_is_not_well_is_gone_back_from_at_the_next_start(tmp_path: Path) -> None:
    dead = cut(boards(tmp_path, started=True), "end")
    assert len(dead) >= 7
    tried_again = 0
    for places in map(places_of, dead):
        if "on trial" in guard.start(places):  # it was not even written down that it is over
            tried_again += 1
            assert guard.look(places, 300.0, 300.0) is False
        outcome = guard.read_outcome(places.outcome)
        assert outcome is not None
        assert (outcome.kept, guard.target(places.current)) == (False, OLD)
        assert not places.trial.exists()
    assert tried_again <= 3, "only where the first thing that going back writes was not there yet"
