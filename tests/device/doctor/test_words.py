"""Every phrase of the doctor exists in both languages, and every failure says what to do."""

from __future__ import annotations

import string
from pathlib import Path

import pytest

from device.calibrate import words as calibration
from device.doctor import findings
from device.doctor.checks import (
    board,
    broker,
    button,
    clock,
    computer,
    identity,
    network,
    pins,
    records,
    settings,
    sound,
    state,
    tools,
)
from device.doctor.findings import Outcome, Phrase

MODULES = (
    *(
        findings,
        board,
        broker,
        button,
        clock,
        computer,
        identity,
        network,
        pins,
        records,
        settings,
        sound,
        state,
        tools,
    ),
    calibration,
)
CODES = Path(__file__).with_name("codes.txt")
PHRASES = [value for module in MODULES for value in vars(module).values() if isinstance(value, Phrase)]


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_codes_are_one_of_a_kind() -> None:
    codes = [phrase.code for phrase in PHRASES]
    assert len(codes) > 50
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.code)
def test_both_languages_say_the_same(phrase: Phrase) -> None:
    assert phrase.en
    assert names(phrase.en) == names(phrase.ja)
    assert bool(phrase.fix_en) == bool(phrase.fix_ja)
    assert names(phrase.fix_en) == names(phrase.fix_ja)
    assert any(ord(letter) > 0x3000 for letter in phrase.ja) or phrase.code == "sound.device"
    if phrase.outcome in {Outcome.WARNING, Outcome.FAILURE}:
        assert phrase.fix_en


def test_programs_that_read_the_json_find_every_code_and_value_that_they_know() -> None:
    """Add a line for a new phrase; one that goes, or loses a value, breaks somebody's program."""
    lines = {
        f"{phrase.code}: {' '.join(sorted(names(phrase.en) | names(phrase.fix_en)))}".rstrip() for phrase in PHRASES
    }
    assert sorted(lines) == CODES.read_text(encoding="ascii").splitlines()
