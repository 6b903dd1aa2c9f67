from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from device.audio.block import RATE, Samples
from device.soundcard.talker import AUDIBLE, Ear, Mark, Talker

pieces = st.lists(st.integers(1, 700), min_size=1, max_size=8)


@given(utterances=pieces, sizes=pieces)
def test_says_everything_once_and_in_order(utterances: list[int], sizes: list[int]) -> None:
    talker = Talker()
    said = [np.full(length, number, np.int16) for number, length in enumerate(utterances, 1)]
    assert [talker.say(samples) for samples in said] == list(range(1, len(said) + 1))

    heard: list[Samples] = []
    places: dict[tuple[str, int], int] = {}
    clock, turn = 0, 0
    while talker.talking:
        piece, marks = talker.take(sizes[turn % len(sizes)])
        places |= {(mark.what, mark.number): clock + mark.offset for mark in marks}
        heard.append(piece)
        clock += len(piece)
        turn += 1

    stream = np.concatenate(heard)
    whole = np.concatenate(said)
    np.testing.assert_array_equal(stream[: len(whole)], whole)
    assert not stream[len(whole) :].any()
    for number, samples in enumerate(said, 1):
        begin = sum(utterances[: number - 1])
        assert places["said-begin", number] == begin
        assert places["said-end", number] == begin + len(samples) - 1


def test_says_nothing_when_nothing_is_left_to_say() -> None:
    piece, marks = Talker().take(480)
    assert not piece.any()
    assert marks == []


def listen(sound: dict[int, int], length: int, size: int = 480) -> list[tuple[str, int, int]]:
    """Return what an ear makes of a stream that is silent but for the given samples."""
    stream = np.zeros(length, np.int16)
    for place, value in sound.items():
        stream[place] = value
    ear = Ear()
    heard: list[tuple[int, Mark]] = [
        (start, mark) for start in range(0, length, size) for mark in ear.listen(stream[start : start + size])
    ]
    return [(mark.what, start + mark.offset, mark.number) for start, mark in heard]


@settings(deadline=None, max_examples=30)
@given(size=st.integers(100, 9600))
def test_hears_first_and_last_sample_of_each_turn(size: int) -> None:
    loud, soft, pause = AUDIBLE + 1, AUDIBLE, RATE // 5
    turns = {1000: loud, 1001: soft, 5000: -loud, 5000 + pause: loud, 5000 + 3 * pause: -32768}

    assert listen(turns, 60_000, size) == [
        ("speaker-audible", 1000, 1),
        ("speaker-silent", 5000 + pause, 1),
        ("speaker-audible", 5000 + 3 * pause, 2),
        ("speaker-silent", 5000 + 3 * pause, 2),
    ]


def test_hears_nothing_in_silence() -> None:
    assert listen({1000: AUDIBLE, 2000: -AUDIBLE}, 50_000) == []
