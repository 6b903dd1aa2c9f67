from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from device.audio.echo import EchoMode
from device.boards import Board
from device.calibrate import words
from device.calibrate.measure import Measured
from device.calibrate.plausible import torn
from device.calibrate.trial import Trial
from device.calibrate.verdict import affordable, judge
from device.doctor.findings import Language, Outcome
from device.doctor.report import exit_code

ROOM = Measured(12, 12, 0.066, 0.0001, 2.0, 1.0, -65.0, -27.0, -33.0, 6.0, 0, 0, -27.0)
GOOD = Trial(-33.0, -76.0, -80.0)
POOR = Trial(-33.0, -45.0, -80.0)


def codes(measured: Measured | None, trial: Trial | None, *, heard: bool = False) -> tuple[EchoMode | None, list[str]]:
    verdict = judge("Phone", measured, trial, heard=heard)
    for finding in verdict.findings:
        for language in get_args(Language):
            assert "{" not in finding.text(language) + finding.fix(language)
    return verdict.mode, [finding.phrase.code.removeprefix("calibrate.") for finding in verdict.findings]


@pytest.mark.parametrize(
    ("changes", "trial", "mode", "said"),
    [
        ({}, GOOD, EchoMode.AEC3, []),
        ({}, POOR, EchoMode.HALF_DUPLEX, []),
        ({}, None, EchoMode.HALF_DUPLEX, []),
        ({"floor": -52.0}, POOR, EchoMode.HALF_DUPLEX, []),
        ({"floor": -50.0}, POOR, EchoMode.HALF_DUPLEX, []),
        ({"floor": -50.0}, Trial(-33.0, -45.0, -51.0), EchoMode.AEC3, []),
        ({"floor": -42.0, "echo": -37.0}, Trial(-37.0, -47.0, -60.0), EchoMode.HALF_DUPLEX, []),
        ({"floor": -42.0, "echo": -37.0}, Trial(-37.0, -52.0, -57.0), EchoMode.AEC3, []),
        ({"echo": -57.0, "loss": 30.0}, Trial(-57.0, -60.0, -80.0), EchoMode.AEC3, []),
        ({"echo": -53.0, "loss": 26.0}, Trial(-53.0, -56.0, -80.0), EchoMode.HALF_DUPLEX, []),
        ({"echo": -62.5, "loss": 36.0}, POOR, EchoMode.NONE, []),
        ({"clipped": 4}, GOOD, EchoMode.HALF_DUPLEX, ["clipped"]),
        ({"loss": 1.0}, GOOD, EchoMode.AEC3, ["loud"]),
        ({"floor": -38.0, "echo": -30.0}, GOOD, EchoMode.AEC3, ["noisy"]),
        ({"drift": 180.0, "drift_error": 10.0}, GOOD, EchoMode.AEC3, ["drifting"]),
        ({"drift": 110.0, "drift_error": 10.0}, GOOD, EchoMode.AEC3, []),
        ({"holes": 1}, GOOD, EchoMode.AEC3, ["holes"]),
        ({"wander": 0.02}, GOOD, EchoMode.AEC3, ["wandering"]),
        ({"delay": 0.35}, GOOD, EchoMode.AEC3, []),
        ({"delay": 0.19}, POOR, EchoMode.HALF_DUPLEX, []),
        ({"heard": 6, "echo": -62.5}, POOR, EchoMode.NONE, []),
    ],
)
def test_the_mode_that_is_safe(changes: dict[str, Any], trial: Trial | None, mode: EchoMode, said: list[str]) -> None:
    chosen, found = codes(replace(ROOM, **changes), trial)
    assert chosen is mode
    assert found[:2] == ["times", "levels"]
    assert found[3:-1] == said
    assert found[-1] == ("last_resort" if mode is EchoMode.HALF_DUPLEX else "safe")


@pytest.mark.parametrize(("echo", "after"), [(-32.0, -33.0), (-37.0, -45.0)])
def test_in_a_room_that_is_loud_today_an_echo_that_drowns_is_not_gone(echo: float, after: float) -> None:
    loud = replace(ROOM, floor=-36.0, echo=echo)
    assert codes(loud, Trial(echo, after, after - 4.0)) == (
        EchoMode.HALF_DUPLEX,
        ["times", "levels", "cancelled", "noisy", "last_resort"],
    )


def test_what_could_not_be_measured_gives_no_mode() -> None:
    assert codes(None, GOOD) == (None, ["not_played", "undecided"])
    for heard in (False, True):
        assert codes(replace(ROOM, heard=0, floor=-100.0), GOOD, heard=heard) == (None, ["muted", "undecided"])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"heard": 0, "echo": -64.0}, "unheard"),
        ({"heard": 5}, "unheard"),
        ({"heard": 8}, "patchy"),
        ({"floor": -12.0, "echo": -11.0}, "flooded"),
        ({"floor": -0.1, "echo": -0.1, "heard": 0}, "flooded"),
        ({"played": -29.1}, "starved"),
        ({"holes": 2}, "torn"),
        ({"wander": 0.05}, "unsteady"),
        ({"delay": -0.025}, "too_early"),
        ({"delay": 0.45}, "too_late"),
        ({"drift": 1938.0, "drift_error": 430.0}, "impossible_drift"),
        ({"drift": 1300.0, "drift_error": 430.0}, "vague_drift"),
        ({"drift": -1300.0, "drift_error": 20.0}, "impossible_drift"),
        ({"drift": 40.0, "drift_error": 130.0}, "vague_drift"),
    ],
)
@pytest.mark.parametrize("trial", [GOOD, POOR, None])
def test_a_measurement_that_cannot_be_believed_calls_nothing_safe_and_says_why(
    changes: dict[str, Any], reason: str, trial: Trial | None
) -> None:
    verdict = judge("Phone", replace(ROOM, **changes), trial, heard=False)
    said = {finding.phrase.code.removeprefix("calibrate."): finding for finding in verdict.findings}
    assert verdict.mode is None
    assert said[reason].outcome is Outcome.FAILURE
    assert all(said[reason].fix(language) for language in get_args(Language))
    assert verdict.findings[-1].phrase is words.UNDECIDED
    assert torn(verdict.findings) is (reason in {"starved", "torn", "unsteady", "impossible_drift", "vague_drift"})
    assert not {"safe", "last_resort", "chosen"} & set(said)
    assert affordable(verdict, Board.ZERO2W) == verdict
    assert exit_code(verdict.findings) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"heard": 9},
        {"heard": 6, "echo": -56.0},
        {"floor": -21.0, "echo": -15.0},
        {"played": -28.9},
        {"holes": 1},
        {"wander": 0.04},
        {"delay": -0.019},
        {"delay": 0.4},
        {"drift": 1015.0, "drift_error": 10.0},
        {"drift": 0.0, "drift_error": 99.0},
    ],
)
def test_a_room_that_is_merely_bad_gets_its_verdict(changes: dict[str, Any]) -> None:
    assert judge("Phone", replace(ROOM, **changes), GOOD, heard=False).mode is EchoMode.AEC3


def test_half_duplex_is_not_safe_where_the_echo_comes_after_the_microphone_has_opened() -> None:
    chosen, found = codes(replace(ROOM, delay=0.23), POOR)
    assert chosen is None
    assert found == ["times", "levels", "cancelled", "out_of_reach", "undecided"]
    assert codes(replace(ROOM, delay=0.23), GOOD)[0] is EchoMode.AEC3


def test_an_echo_that_nobody_hears_is_a_question_to_a_person() -> None:
    deaf = replace(ROOM, heard=2, echo=-63.0)
    for trial in (GOOD, POOR, None):
        assert codes(deaf, trial) == (None, ["levels", "unheard", "undecided"])
        assert codes(deaf, trial, heard=True) == (EchoMode.NONE, ["levels", "safe"])


def test_who_says_to_have_heard_it_is_not_believed_against_the_figures() -> None:
    deaf = replace(ROOM, heard=2, echo=-63.0)
    assert codes(replace(deaf, echo=-50.0), GOOD, heard=True) == (None, ["levels", "leaking", "undecided"])
    assert codes(replace(deaf, played=-60.0), GOOD, heard=True) == (None, ["levels", "starved", "undecided"])
    assert codes(replace(deaf, floor=-10.0, echo=-10.0), GOOD, heard=True) == (None, ["levels", "flooded", "undecided"])


@pytest.mark.parametrize(
    ("board", "trial", "mode", "said"),
    [
        (Board.ZERO2W, GOOD, EchoMode.HALF_DUPLEX, ["too_dear", "chosen"]),
        (Board.ZERO2W, POOR, EchoMode.HALF_DUPLEX, ["last_resort"]),
        (Board.PI4, GOOD, EchoMode.AEC3, ["safe"]),
        (Board.OTHER, GOOD, EchoMode.AEC3, ["safe"]),
    ],
)
def test_a_board_without_time_for_a_canceller_gets_none(
    board: Board, trial: Trial, mode: EchoMode, said: list[str]
) -> None:
    verdict = affordable(judge("Phone", ROOM, trial, heard=False), board)
    assert verdict.mode is mode
    assert [finding.phrase.code.removeprefix("calibrate.") for finding in verdict.findings[3:]] == said


def test_a_speakerphone_with_its_own_canceller_is_as_good_on_the_smallest_board() -> None:
    verdict = judge("Phone", replace(ROOM, echo=-62.5, loss=36.0), POOR, heard=False)
    assert affordable(verdict, Board.ZERO2W) == verdict
    assert verdict.mode is EchoMode.NONE
