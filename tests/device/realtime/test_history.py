"""What a call that takes over is told of those before it."""

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
