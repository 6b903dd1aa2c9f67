"""Turns on the microphone's clock: from the last sound of a voice to the first sample at the speaker."""

from __future__ import annotations

import numpy as np
import pytest

from device.audio.block import BLOCK, BLOCK_SECONDS, SILENCE, Samples
from device.messages.reports import MOST_TURNS, TurnFigures
from device.turns import AUDIBLE, TurnTimer

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


def measured(ended: float, announced: float, sounded: float, round_trip: float | None = None) -> TurnFigures | None:
    """Return the figures of a turn of which each moment is known."""
    timer = TurnTimer()
    timer.speech(ended, began=False)
    if announced <= sounded:
        assert timer.answering(announced, round_trip) is None
    found = timer.block(sounded + BLOCK_SECONDS, SILENCE, LOUD)
    return found if announced <= sounded else timer.answering(announced, round_trip)


LOUD: Samples = np.full(BLOCK, AUDIBLE, np.int16)


@pytest.mark.parametrize(
    ("announced", "round_trip", "parts"),
    [
        (10.5, 0.1, (1000, 100, 400, 500)),
        (10.5, None, (1000, None, None, 500)),
        (10.5, 9.0, (1000, 500, 0, 500)),
        (10.5, -1.0, (1000, 0, 500, 500)),
        (11.0, 0.25, (1000, 250, 750, 0)),
        (11.0, 0.75, (1000, 750, 250, 0)),
        (11.5, 0.25, (1000, 250, 750, 0)),
        (10.0, 0.25, (1000, 0, 0, 1000)),
    ],
)
def test_a_turn_is_divided_and_its_parts_are_the_whole(
    announced: float, round_trip: float | None, parts: tuple[int, int | None, int | None, int]
) -> None:
    turn = measured(10.0, announced, 11.0, round_trip)
    assert turn is not None
    assert (turn.total, turn.network, turn.model, turn.device) == parts
    if turn.network is not None:
        assert turn.network + (turn.model or 0) + (turn.device or 0) == turn.total


@pytest.mark.parametrize(("waited", "found"), [(0.001, True), (60.0, True), (60.001, False), (-0.001, False)])
def test_what_comes_before_the_question_or_a_minute_after_it_answers_nothing(waited: float, found: bool) -> None:
    assert (measured(64.0, 64.0, 64.0 + waited) is not None) is found


@pytest.mark.parametrize(
    ("played", "found"),
    [(AUDIBLE, True), (-AUDIBLE, True), (AUDIBLE - 1, False), (1 - AUDIBLE, False), (-32768, True)],
)
def test_what_nobody_hears_is_no_beginning_of_an_answer(played: int, found: bool) -> None:
    timer = TurnTimer()
    timer.speech(10.0, began=False)
    timer.answering(10.5, None)
    assert (timer.block(11.0, SILENCE, np.full(BLOCK, played, np.int16)) is not None) is found


def end_of_speech(near: int, blocks: int, pause: float) -> float:
    """Return how long before the service's word speech is taken to have ended, after so many blocks of one loudness."""
    timer, sound = TurnTimer(), np.full(BLOCK, near, np.int16)
    for number in range(blocks):
        timer.block((number + 1) * BLOCK_SECONDS, sound, SILENCE)
    now = blocks * BLOCK_SECONDS + pause
    timer.speech(now, began=False)
    timer.answering(now, None)
    turn = timer.block(now + BLOCK_SECONDS, SILENCE, LOUD)
    assert turn is not None
    return turn.total / 1000


@pytest.mark.parametrize(
    ("near", "blocks", "pause", "ago"),
    [
        (1000, 1, 0.5, 0.5),
        (59, 1, 0.5, 0.5),
        (58, 1, 0.5, 0.0),
        (1000, 1, 10.0, 10.0),
        (1000, 1, 10.001, 0.0),
        (590, 466, 1.0, 1.0),
        (590, 516, 1.0, 2.0),
    ],
    ids=[
        "a voice",
        "just loud enough",
        "too faint",
        "ten seconds",
        "more",
        "before it is noise",
        "noise after 466 blocks",
    ],
)
def test_speech_ended_with_the_last_block_that_stood_out(near: int, blocks: int, pause: float, ago: float) -> None:
    assert end_of_speech(near, blocks, pause) == pytest.approx(ago, abs=0.0011)


def test_the_first_word_of_an_answer_counts_and_its_round_trip() -> None:
    timer = TurnTimer()
    timer.speech(10.0, began=False)
    timer.answering(10.2, 0.1)
    timer.answering(10.8, 0.4)
    turn = timer.block(11.0 + BLOCK_SECONDS, SILENCE, LOUD)
    assert turn == TurnFigures(total=1000, network=100, model=100, device=800)


def test_sound_that_begins_in_the_middle_of_a_block_is_timed_by_its_sample() -> None:
    timer = TurnTimer()
    timer.speech(10.0, began=False)
    timer.answering(10.0, None)
    late = SILENCE.copy()
    late[720:] = 1000
    turn = timer.block(11.0, SILENCE, late)
    assert turn is not None
    assert turn.total == 995


def test_in_a_room_that_was_still_for_long_the_faintest_voice_stands_out_as_ever() -> None:
    timer, faint = TurnTimer(), np.full(BLOCK, 59, np.int16)
    for number in range(1000):
        timer.block(number * BLOCK_SECONDS, SILENCE, SILENCE)
    timer.block(20.0, faint, SILENCE)
    timer.speech(21.0, began=False)
    timer.answering(21.0, None)
    turn = timer.block(21.5 + BLOCK_SECONDS, SILENCE, LOUD)
    assert turn is not None
    assert turn.total == 1500


def test_a_pause_of_just_ten_seconds_is_still_one() -> None:
    timer = TurnTimer()
    timer.block(1.0, VOICE, SILENCE)
    timer.speech(11.0, began=False)
    timer.answering(11.0, None)
    turn = timer.block(11.5 + BLOCK_SECONDS, SILENCE, LOUD)
    assert turn is not None
    assert turn.total == 10_500
