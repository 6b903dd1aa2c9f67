"""What a call that takes over is told of those before it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from device.messages.reports import Speaker
from device.realtime.captions import Captioned
from device.realtime.history import ITEM_TOKENS, History


def said(text: str, start: float, speaker: Speaker = Speaker.USER, *, final: bool = True) -> Captioned:
    return Captioned(f"item_{start}", speaker, text, start, start + 1, final)


def texts(history: History) -> list[str]:
    return [line.text for line in history.lines]


def test_lines_stand_in_the_order_in_which_they_began_although_words_of_the_user_come_late() -> None:
    history = History(1000)
    history.add(said("Hello!", 1.0, Speaker.ASSISTANT))
    history.add(said("Very well.", 3.0, Speaker.ASSISTANT))
    history.add(said("How are you?", 2.0))
    assert texts(history) == ["Hello!", "How are you?", "Very well."]


def test_only_final_captions_with_words_count() -> None:
    history = History(1000)
    history.add(said("Hel", 1.0, final=False))
    history.add(said("  ", 2.0))
    assert history.lines == ()


def test_of_a_long_talk_the_newest_lines_are_kept_within_the_budget() -> None:
    history = History(100)
    for number in range(50):
        history.add(said(f"This is line number {number:02}.", float(number)))
    assert texts(history)[-1] == "This is line number 49."
    assert 60 < sum(line.tokens for line in history.lines) <= 100


def test_japanese_has_a_token_for_each_character() -> None:
    history = History(1000)
    history.add(said("こんにちは", 1.0))
    history.add(said("abcdefg", 2.0))
    assert [line.tokens - ITEM_TOKENS for line in history.lines] == [5, 2]


def test_a_line_beyond_the_budget_is_no_line() -> None:
    history = History(0)
    history.add(said("Hello!", 1.0))
    assert history.lines == ()


@settings(max_examples=40)
@given(st.lists(st.tuples(st.text(max_size=30), st.floats(0, 100), st.booleans()), max_size=30), st.integers(0, 120))
def test_whatever_is_said_the_newest_lines_within_the_budget_are_kept_in_order(
    captions: list[tuple[str, float, bool]], budget: int
) -> None:
    history, said_so = History(budget), list[str]()
    for text, start, final in captions:
        history.add(said(text, start, final=final))
        said_so.append(text.strip())
        kept = history.lines
        assert sum(line.tokens for line in kept) <= budget
        assert [line.start for line in kept] == sorted(line.start for line in kept)
        assert all(line.text and line.text in said_so for line in kept)


def test_a_line_that_fills_the_budget_is_kept_and_one_token_more_is_not() -> None:
    line = said("abcdefg", 1.0)
    tokens = ITEM_TOKENS + 2
    for budget, kept in ((tokens, 1), (tokens - 1, 0)):
        history = History(budget)
        history.add(line)
        assert len(history.lines) == kept


def test_words_lose_the_space_around_them_and_keep_who_said_them() -> None:
    history = History(100)
    history.add(said("  Hello! \n", 2.0, Speaker.ASSISTANT))
    [line] = history.lines
    assert (line.text, line.speaker, line.start, line.id) == ("Hello!", Speaker.ASSISTANT, 2.0, "item_2.0")
