from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.broadcast.words import LEAD, HeldCaptions, heard_by
from device.messages.reports import Speaker
from device.realtime.captions import Captioned

DELAY = 5.0
TEN = "one two three four five six seven eight nine ten"


def answer(text: str = TEN, start: float = 100.0, end: float = 110.0, *, final: bool = False) -> Captioned:
    return Captioned("a", Speaker.ASSISTANT, text, start, end, final)


def asked(text: str = "Where is it?", start: float = 100.0, end: float = 102.0) -> Captioned:
    return Captioned("u", Speaker.USER, text, start, end, final=True, approximate=True)


def texts(captions: list[Captioned]) -> list[str]:
    return [caption.text for caption in captions]


def outside(held: HeldCaptions, since: float, until: float) -> list[Captioned]:
    """Return all that is let out in steps of a tenth of a second."""
    steps = range(round(since * 10), round(until * 10) + 1)
    return [caption for step in steps for caption in held.due(step / 10)]


def test_a_visitors_words_are_as_late_as_their_sound() -> None:
    held = HeldCaptions(DELAY)
    held.put(asked(), 103.0)
    assert held.due(107.9) == []
    [caption] = held.due(108.0)
    assert (caption.text, caption.start, caption.end) == ("Where is it?", 105.0, 107.0)
    assert caption.approximate
    assert held.due(120.0) == []


def test_an_answer_is_told_word_by_word_no_further_than_its_sound_has_got_outside() -> None:
    held = HeldCaptions(DELAY)
    held.put(answer(), 100.1)
    assert held.due(105.0) == []
    told = outside(held, 105.1, 109.0)
    assert texts(told)[0] == "one"
    assert texts(told)[-1] == "one two three four"
    assert len(told) == 4, "a word each, and nothing twice"
    for caption in told:
        heard_until = (caption.end - DELAY - 100.0) / 10 * len(TEN)
        assert len(caption.text) <= heard_until
        assert not caption.final


def test_an_answer_that_was_heard_to_its_end_is_told_whole_and_once() -> None:
    held = HeldCaptions(DELAY)
    held.put(answer(), 100.1)
    held.put(answer(end=109.0, final=True), 109.0)
    last = outside(held, 100.0, 120.0)[-1]
    assert (last.text, last.final, last.start, last.end) == (TEN, True, 105.0, 114.0)


def test_a_new_guess_at_the_pace_takes_no_word_back() -> None:
    held = HeldCaptions(DELAY)
    held.put(answer(), 100.1)
    before = texts(outside(held, 105.1, 108.0))[-1]
    held.put(answer(end=140.0), 103.5)
    assert texts(outside(held, 108.1, 112.0)) == []
    assert texts(outside(held, 112.1, 145.0))[0].startswith(before)


def test_a_caption_that_was_withdrawn_is_withdrawn_outside_only_if_it_was_there() -> None:
    held = HeldCaptions(DELAY)
    held.put(asked(""), 103.0)
    assert outside(held, 103.0, 110.0) == []
    held.put(replace(asked(), final=False), 113.0)
    held.put(asked(""), 114.0)
    assert texts(outside(held, 113.0, 120.0)) == ["Where is it?", ""]


def test_words_whose_sound_was_cut_never_appear() -> None:
    held = HeldCaptions(DELAY)
    held.put(asked(), 103.0)
    assert held.cut(104.0) == []
    assert outside(held, 104.0, 120.0) == []


def test_words_that_come_after_the_cut_of_their_sound_never_appear() -> None:
    held = HeldCaptions(DELAY)
    held.cut(101.0)
    held.put(asked(), 103.0)  # she spoke until 102, the half of it was cut
    held.put(asked("I had begun", start=101.0 + LEAD / 2, end=103.0), 104.0)
    held.put(asked("Later", start=101.1 + LEAD, end=104.0), 105.0)
    assert texts(outside(held, 103.0, 120.0)) == ["Later"]


def test_words_that_are_late_but_whose_sound_had_left_before_the_cut_appear() -> None:
    held = HeldCaptions(DELAY)
    held.cut(107.0)
    held.put(asked(), 107.5)
    assert texts(outside(held, 107.5, 120.0)) == ["Where is it?"]


def test_an_answer_that_was_partly_out_ends_where_it_was_cut() -> None:
    held = HeldCaptions(DELAY)
    held.put(answer(), 100.1)
    told = texts(outside(held, 100.0, 108.0))[-1]
    assert told == "one two three"
    [ended] = held.cut(108.0)
    assert (ended.text, ended.final, ended.start) == ("one two three", True, 105.0)
    assert ended.end <= 108.0
    held.put(answer(TEN + " eleven", end=112.0), 108.1)
    held.put(answer(TEN + " eleven", end=112.0, final=True), 112.0)
    assert outside(held, 108.0, 130.0) == []
    assert held.cut(130.0) == []


def test_what_begins_after_the_cut_is_as_late_as_before() -> None:
    held = HeldCaptions(DELAY)
    held.cut(99.0)
    held.put(answer(final=True), 110.0)
    [caption] = outside(held, 110.0, 120.0)
    assert (caption.text, caption.start) == (TEN, 105.0)


@given(st.floats(90, 125), st.lists(st.floats(99, 112), min_size=1, max_size=5))
def test_whenever_it_is_cut_no_word_leaves_that_was_held(cut: float, versions: list[float]) -> None:
    held, told = HeldCaptions(DELAY), list[str]()
    events = sorted(
        [*((at, "version") for at in versions), (cut, "cut"), *((at / 2, "look") for at in range(180, 260))]
    )
    for at, what in events:
        if what == "version":
            held.put(answer(), at)
        else:
            told += texts(held.cut(at) if what == "cut" else held.due(at))
    heard_outside = heard_by(answer(), max(100.0, cut - DELAY)).text
    if 100.0 < cut < 111.0 + DELAY:
        assert all(heard_outside.startswith(text) for text in told)
    else:
        assert told == [] or told[-1] == TEN


@pytest.mark.parametrize(
    ("moment", "text"), [(99.0, ""), (100.0, ""), (105.0, "one two three four five"), (110.0, TEN)]
)
def test_what_was_heard_by_a_moment(moment: float, text: str) -> None:
    assert heard_by(answer(), moment).text == text


@pytest.mark.parametrize("began", [0.1, 1.7, 33_333.3, 987_654.321])
def test_what_begins_where_a_cut_ends_is_none_of_it(began: float) -> None:
    held, cut_at = HeldCaptions(0.3), began + 45 * 0.02
    held.cut(cut_at)
    end = began + 60 * 0.02
    held.put(Captioned("a", Speaker.ASSISTANT, "kept again", end - 15 * 0.02, end, final=True), end)
    assert [caption.text for caption in held.due(end + 0.4)] == ["kept again"]


@pytest.mark.parametrize(
    ("caption", "moment", "text", "end"),
    [
        (answer(), 99.0, "", 100.0),
        (answer(), 105.0, "one two three four five", 105.0),
        (answer(), 110.0, TEN, 110.0),
        (answer(), 120.0, TEN, 110.0),
        (answer(final=True), 105.0, TEN, 110.0),
        (asked(), 100.5, "Where is it?", 102.0),
        (replace(asked(), final=False), 100.5, "Where is it?", 102.0),
    ],
)
def test_only_what_the_model_is_still_saying_is_heard_in_part(
    caption: Captioned, moment: float, text: str, end: float
) -> None:
    heard = heard_by(caption, moment)
    assert (heard.text, heard.end, heard.start, heard.final) == (text, end, caption.start, caption.final)


def test_what_is_cut_ends_with_the_last_word_that_was_let_out() -> None:
    held = HeldCaptions(DELAY)
    held.put(answer(), 100.1)
    shown = outside(held, 105.1, 107.5)[-1]
    [ended] = held.cut(107.5)
    assert ended == replace(shown, final=True)
    assert ended.end < 107.5


def test_a_visitor_who_is_cut_while_they_talk_is_ended_at_the_cut() -> None:
    held = HeldCaptions(DELAY)
    held.put(replace(asked(end=200.0), final=False), 100.5)
    assert texts(held.due(105.5)) == ["Where is it?"]
    [ended] = held.cut(106.0)
    assert (ended.text, ended.end, ended.final) == ("Where is it?", 106.0, True)


def test_what_was_let_out_as_nothing_is_not_ended() -> None:
    held = HeldCaptions(DELAY)
    held.put(replace(asked("Uh", end=200.0), final=False), 100.2)
    assert texts(held.due(105.2)) == ["Uh"]
    held.put(replace(asked("", end=200.0), final=False), 100.4)
    assert texts(held.due(105.4)) == [""], "the guess is taken back"
    assert held.cut(106.0) == []
