from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.block import BLOCK, SILENCE, Samples
from device.audio.doubletalk import DoubleTalk, Duck
from device.audio.echo import Aec3
from device.audio.level import energies, rms_dbfs
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
