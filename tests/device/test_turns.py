"""Turns on the microphone's clock: from the last sound of a voice to the first sample at the speaker."""

from __future__ import annotations

import numpy as np
import pytest

from device.audio.block import BLOCK, BLOCK_SECONDS, SILENCE, Samples
from device.messages.reports import MOST_TURNS, TurnFigures
from device.turns import TurnTimer

RANDOM = np.random.default_rng(5)
VOICE: Samples = (RANDOM.standard_normal(BLOCK) * 3000).astype(np.int16)
ROOM: Samples = (RANDOM.standard_normal(BLOCK) * 30).astype(np.int16)


class Room:
    """A timer that is given one block after the other."""

    def __init__(self) -> None:
        self.timer, self.now = TurnTimer(), 100.0

    def pass_by(self, seconds: float, near: Samples = ROOM, played: Samples = SILENCE) -> list[TurnFigures]:
        found = []
        for _ in range(round(seconds / BLOCK_SECONDS)):
            self.now += BLOCK_SECONDS
            if turn := self.timer.block(self.now, near, played):
                found.append(turn)
        return found

    def ask(self) -> None:
        self.pass_by(1.0)
        self.timer.speech(self.now, began=True)
        self.pass_by(2.0, VOICE)
        self.pass_by(0.5)
        self.timer.speech(self.now, began=False)


def test_an_answer_is_measured_from_the_last_sound_to_the_first_sample_and_divided() -> None:
    room = Room()
    room.ask()
    room.pass_by(0.3)
    assert room.timer.answering(room.now, 0.04) is None, "nothing is heard yet"
    room.pass_by(0.1)
    late = np.concatenate([SILENCE[:480], VOICE[:480]])
    assert room.pass_by(0.02, played=late) == [TurnFigures(total=910, network=40, model=760, device=110)]
    assert room.pass_by(1.0, played=VOICE) == [], "it is told once"
    assert len(room.timer.turns) == 1


def test_sound_that_is_there_before_the_service_says_so_has_waited_nowhere_here() -> None:
    room = Room()
    room.ask()
    room.pass_by(0.1)
    room.pass_by(0.02, played=VOICE)
    turn = room.timer.answering(room.now, None)
    assert turn is not None
    assert turn.total == pytest.approx(600, abs=2)
    assert (turn.network, turn.model, turn.device) == (None, None, 0)


def test_in_noise_the_service_is_believed() -> None:
    room = Room()
    room.pass_by(30.0, VOICE)
    room.timer.speech(room.now, began=False)
    room.timer.answering(room.now + 0.1, None)
    (turn,) = room.pass_by(0.2, VOICE, VOICE)[:1]
    assert turn.total == 0, "the room is as loud as a voice, so that the end of speech is now"


def test_who_goes_on_speaking_has_not_been_answered() -> None:
    room = Room()
    room.ask()
    room.timer.speech(room.now, began=True)
    room.timer.answering(room.now, 0.0)
    assert room.pass_by(1.0, played=VOICE) == []
    assert room.timer.turns == []


def test_a_greeting_answers_nobody() -> None:
    room = Room()
    assert room.timer.answering(room.now, 0.0) is None
    assert room.pass_by(1.0, played=VOICE) == []


def test_what_comes_after_a_minute_is_no_answer() -> None:
    room = Room()
    room.ask()
    room.pass_by(61.0)
    room.timer.answering(room.now, 0.0)
    assert room.pass_by(0.1, played=VOICE) == []


def test_turns_beyond_what_can_be_told_are_left_out() -> None:
    room = Room()
    for _ in range(MOST_TURNS + 3):
        room.timer.speech(room.now, began=False)
        room.timer.answering(room.now, 0.0)
        assert room.pass_by(0.02, played=VOICE)
    assert len(room.timer.turns) == MOST_TURNS
