from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from device.audio.echo import EchoMode
from device.boards import Board
from device.calibrate.measure import Measured
from device.calibrate.trial import Trial
from device.calibrate.verdict import affordable, judge
from device.doctor.findings import Language

ROOM = Measured(12, 12, 0.066, 0.0001, 2.0, 1.0, -65.0, -27.0, -33.0, 6.0, 0, 0)
GOOD = Trial(-33.0, -76.0)
POOR = Trial(-33.0, -45.0)


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
        ({"floor": -50.0}, POOR, EchoMode.AEC3, []),
        ({"echo": -62.5, "loss": 36.0}, POOR, EchoMode.NONE, []),
        ({"clipped": 4}, GOOD, EchoMode.HALF_DUPLEX, ["clipped"]),
        ({"loss": 1.0}, GOOD, EchoMode.AEC3, ["loud"]),
        ({"floor": -38.0, "echo": -30.0}, GOOD, EchoMode.AEC3, ["noisy"]),
        ({"drift": 180.0, "drift_error": 10.0}, GOOD, EchoMode.AEC3, ["drifting"]),
        ({"drift": 110.0, "drift_error": 10.0}, GOOD, EchoMode.AEC3, []),
        ({"holes": 1}, GOOD, EchoMode.AEC3, ["holes"]),
        ({"wander": 0.02}, GOOD, EchoMode.AEC3, ["wandering"]),
    ],
)
def test_the_mode_that_is_safe(changes: dict[str, Any], trial: Trial | None, mode: EchoMode, said: list[str]) -> None:
    chosen, found = codes(replace(ROOM, **changes), trial)
    assert chosen is mode
    assert found[:2] == ["times", "levels"]
    assert found[3:-1] == said
    assert found[-1] == ("last_resort" if mode is EchoMode.HALF_DUPLEX else "safe")


def test_what_could_not_be_measured_gives_no_mode() -> None:
    assert codes(None, GOOD) == (None, ["not_played"])
    assert codes(replace(ROOM, heard=0, floor=-100.0), GOOD) == (None, ["muted"])


def test_an_echo_that_nobody_hears_is_a_question_to_a_person() -> None:
    deaf = replace(ROOM, heard=2)
    assert codes(deaf, GOOD) == (EchoMode.AEC3, ["unheard", "safe"])
    assert codes(deaf, None) == (EchoMode.HALF_DUPLEX, ["unheard", "last_resort"])
    assert codes(deaf, GOOD, heard=True) == (EchoMode.NONE, ["levels", "safe"])


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
