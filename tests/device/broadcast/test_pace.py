"""Words that grow are told a few times a second, the newest each time, and what is final is told at once."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from device.broadcast.pace import STEP, Pace
from device.messages.reports import Speaker
from device.realtime.captions import Captioned


def words(text: str, *, name: str = "a", final: bool = False) -> Captioned:
    """Return a caption of the assistant."""
    return Captioned(name, Speaker.ASSISTANT, text, 0.0, 1.0, final=final)


def test_the_first_words_are_told_at_once_and_the_newest_of_the_next_a_step_later() -> None:
    pace = Pace()
    assert pace.take(words("It"), 10.0) == words("It")
    assert (pace.take(words("It is"), 10.1), pace.take(words("It is ten"), 10.2)) == (None, None)
    assert (pace.waiting, round(pace.seconds(10.2), 3)) == (True, round(STEP - 0.2, 3))
    assert pace.release(10.0 + STEP) == [words("It is ten")]
    assert not pace.waiting
    assert pace.take(words("It is ten past"), 10.1 + STEP) is None, "the release counts as told"


def test_final_words_wait_for_nothing_and_take_back_what_waits_of_the_same_caption() -> None:
    pace = Pace()
    pace.take(words("It"), 10.0)
    pace.take(words("It is", name="a"), 10.1)
    pace.take(words("Hello", name="b"), 10.1)
    assert pace.take(words("It is ten.", final=True), 10.15) == words("It is ten.", final=True)
    assert pace.release(10.25) == [words("Hello", name="b")]


def test_a_release_of_nothing_delays_nothing() -> None:
    pace = Pace()
    assert pace.release(10.0) == []
    assert pace.take(words("It"), 10.1) == words("It")


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0.0, 0.4), st.booleans()), max_size=40))
def test_whatever_comes_the_last_of_each_caption_is_told_and_growing_words_no_faster_than_the_step(
    coming: list[tuple[str, float, bool]],
) -> None:
    pace, now, told, newest, bursts = Pace(), 0.0, dict[str, str](), dict[str, str](), list[float]()
    for number, (name, pause, final) in enumerate(coming):
        arrival = now + pause
        while pace.waiting and now + pace.seconds(now) <= arrival:
            now += pace.seconds(now)
            bursts.append(now)
            told |= {caption.id: caption.text for caption in pace.release(now)}
        now = arrival
        newest[name] = str(number)
        taken = pace.take(words(str(number), name=name, final=final), now)
        if taken is not None:
            told[taken.id] = taken.text
            bursts += [] if final else [now]
    told |= {caption.id: caption.text for caption in pace.release(now)}
    assert told == newest
    assert all(after - before >= STEP - 1e-9 for before, after in pairwise(bursts))
