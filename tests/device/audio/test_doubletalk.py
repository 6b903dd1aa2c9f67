from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.block import BLOCK, SILENCE, Samples
from device.audio.doubletalk import DoubleTalk, Duck
from device.audio.echo import Aec3
from device.audio.level import Energies, energies, rms_dbfs
from device.soundcard.room import Room
from device.soundcard.settings import RoomSettings
from tests.device.audio.sound import blocks, speech, tone


def quieter(sound: Samples, decibels: float) -> Samples:
    reduced: Samples = np.rint(sound * 10 ** (-decibels / 20)).astype(np.int16)
    return reduced


def shares(near: Samples, far: Samples) -> list[bool]:
    """Whether both were found to speak, block by block, in a simulated room behind AEC3."""
    room, canceller, double_talk = Room(RoomSettings(), BLOCK), Aec3(), DoubleTalk()
    found = []
    for voice, played in zip(blocks(near), blocks(far), strict=True):
        captured = room.hear(played, voice)
        double_talk.add(energies(captured, canceller.process(captured, played), played))
        found.append(double_talk.active)
    return found


def test_the_robot_alone_is_not_two_and_a_visitor_over_it_is() -> None:
    far = speech(8.0)
    near = np.concatenate((np.zeros(far.size // 2, np.int16), np.roll(speech(4.0), 9_000)))
    found = shares(near, far)
    alone, both = found[50 : len(found) // 2], found[len(found) // 2 :]
    assert not any(alone), "after the second in which the canceller learns the room"
    assert np.mean(both) > 0.7


def test_a_voice_is_noticed_in_a_tenth_of_a_second_and_held_over_a_syllable() -> None:
    double_talk = DoubleTalk()
    echo, voice = tone(0.02), tone(0.02, 300.0)
    for _ in range(10):
        double_talk.add(energies(echo, quieter(echo, 40), echo))
    noticed = 0
    while not double_talk.active:
        noticed += 1
        double_talk.add(energies(echo, quieter(voice, 6), echo))
    assert noticed * 20 <= 100
    for _ in range(20):
        double_talk.add(energies(echo, quieter(echo, 40), echo))
    assert double_talk.active, "a pause between two words"
    for _ in range(10):
        double_talk.add(energies(echo, quieter(echo, 40), echo))
    assert not double_talk.active


def test_without_the_robot_there_is_no_double_talk() -> None:
    double_talk = DoubleTalk()
    for _ in range(50):
        double_talk.add(energies(tone(0.02), tone(0.02), SILENCE))
    assert (double_talk.active, double_talk.blocks) == (False, 0)


def test_a_voice_is_lowered_within_a_block_and_comes_back_within_200_ms() -> None:
    duck, voice = Duck(12.0), tone(0.02)
    assert duck.apply(voice, down=False) is voice
    duck.apply(voice, down=True)
    down = duck.apply(voice, down=True)
    assert rms_dbfs(down) == pytest.approx(rms_dbfs(voice) - 12.0, abs=0.1)
    for _ in range(10):
        back = duck.apply(voice, down=False)
    assert rms_dbfs(back) > rms_dbfs(voice) - 0.5
    duck.apply(voice, down=False)
    assert duck.apply(voice, down=False) is voice


@given(st.lists(st.booleans(), min_size=2, max_size=40))
def test_the_level_never_jumps(turns: list[bool]) -> None:
    duck, loud = Duck(20.0), np.full(BLOCK, 10_000, np.int16)
    heard = np.concatenate([duck.apply(loud, down=down) for down in turns]).astype(np.int32)
    assert np.abs(np.diff(heard)).max() < 12


@given(st.lists(st.booleans(), max_size=20))
def test_a_duck_of_0_db_changes_nothing(turns: list[bool]) -> None:
    duck, voice = Duck(0.0), tone(0.02)
    assert all(duck.apply(voice, down=down) is voice for down in turns)


def block(left: float, taken_out: float, *, robot: bool = True) -> Energies:
    """One block of which `left` dBFS are left and so many dB were taken out."""
    return Energies(10 ** ((left + taken_out) / 10), 10 ** (left / 10), 0.01 if robot else 0.0)


VOICE, ECHO = block(-30.0, 3.0), block(-60.0, 40.0)


@pytest.mark.parametrize(
    ("each", "found"),
    [
        (block(-44.9, 3.0), True),
        (block(-45.1, 3.0), False),
        (block(-30.0, 13.9), True),
        (block(-30.0, 14.1), False),
        (block(-30.0, 3.0, robot=False), False),
    ],
)
def test_a_voice_is_what_is_left_to_hear_and_was_not_taken_out(each: Energies, found: bool) -> None:
    double_talk = DoubleTalk()
    for _ in range(6):
        double_talk.add(each)
    assert double_talk.active is found


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("vvv", False), ("vvvv", True), ("vveevv", True), ("vveeevv", False), ("vevevev", False), ("vevevve", True)],
)
def test_four_of_the_last_six_blocks_are_enough(pattern: str, found: bool) -> None:
    double_talk = DoubleTalk()
    for each in pattern:
        double_talk.add(VOICE if each == "v" else ECHO)
    assert double_talk.active is found


def test_a_voice_that_pauses_is_believed_to_speak_for_half_a_second() -> None:
    double_talk = DoubleTalk()
    for _ in range(6):
        double_talk.add(VOICE)
    assert double_talk.blocks == 3
    states = []
    for _ in range(30):
        double_talk.add(ECHO)
        states.append(double_talk.active)
    assert states == [True] * 26 + [False] * 4, "two blocks more of four in six, and then 25"
    assert double_talk.blocks == 3 + 26


def test_between_two_words_of_the_robot_nobody_begins_and_who_spoke_is_remembered() -> None:
    double_talk = DoubleTalk()
    for _ in range(3):
        double_talk.add(VOICE)
    for _ in range(10):
        double_talk.add(block(-30.0, 3.0, robot=False))
        assert not double_talk.active
    double_talk.add(VOICE)
    assert double_talk.active, "with those three it is four"
    for _ in range(24):
        double_talk.add(block(-90.0, 0.0, robot=False))
        assert double_talk.active
    double_talk.add(block(-90.0, 0.0, robot=False))
    assert not double_talk.active
    assert double_talk.blocks == 1, "only while both speak"


def test_the_way_down_is_a_block_and_the_way_up_ten() -> None:
    duck, steady = Duck(20.0), np.full(BLOCK, 10_000, np.int16)
    down = duck.apply(steady, down=True)
    assert (down[0], down[-1]) == (10_000, 1000)
    ends = [int(duck.apply(steady, down=False)[-1]) for _ in range(10)]
    assert ends == [1900, 2800, 3700, 4600, 5500, 6400, 7300, 8200, 9100, 10_000]
    duck.apply(steady, down=False)  # the last hair of it
    assert duck.apply(steady, down=False) is steady
    assert duck.apply(steady, down=True)[0] == 10_000
    short = duck.apply(steady[:240], down=True)
    assert (short.size, short[0], short[-1]) == (240, 1000, 1000)
