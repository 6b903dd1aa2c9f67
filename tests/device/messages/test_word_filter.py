from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.messages.word_filter import MASK, WordFilter


@pytest.mark.parametrize(
    ("word", "text", "shown"),
    [
        ("darn", "Oh darn, DARN it", "Oh ●●●●, ●●●● it"),
        ("darn", "darned socks, undarn", "darned socks, undarn"),
        ("darn", "\uff44\uff41\uff52\uff4e", "●●●●"),
        ("darn", "d\u00e4rn da\u200brn", "●●●● ●●●●●"),
        ("so what", "So what?", "●●●●●●●?"),
        ("ばか", "おばかさん", "お●●さん"),
        ("バカ", "ﾊﾞｶと言う", "●●●と言う"),
        ("はか", "ばか", "ばか"),
        ("x", "x x", "● ●"),
        ("straße", "STRASSE", "●●●●●●●"),
        ("darn", "\U0001d41d\U0001d400\U0001d411\u207f, \u24b9\u24d0\u24e1\u24dd", "●●●●, ●●●●"),
        ("\U0001d41d\U0001d400\U0001d411\u207f", "Oh DARN", "Oh ●●●●"),
        ("mhz", "98 \u3392", "98 ●"),
        ("darn", "Darn-it darn\u0301 darn1 1darn _darn_", "●●●●-it ●●●●\u0301 darn1 1darn _●●●●_"),
        ("дом", "дом домик", "●●● домик"),
        ("ばか", "ばかばか", "●●●●"),
        ("ab", "aab ab", "aab ●●"),
        ("\u200b", "nothing\u200b", "nothing\u200b"),
        ("", "nothing", "nothing"),
    ],
)
def test_hidden_words_are_masked_however_they_are_written(word: str, text: str, shown: str) -> None:
    assert WordFilter([word])(text) == shown


@given(st.text(), st.lists(st.text(min_size=1), max_size=4))
def test_a_text_keeps_its_length_and_what_is_shown_of_it_is_its_own(text: str, words: list[str]) -> None:
    shown = WordFilter(words)(text)
    assert len(shown) == len(text)
    assert all(now in {was, MASK} for was, now in zip(text, shown, strict=True))


@given(st.text(alphabet="ab c", min_size=1))
def test_nothing_is_left_to_hide(text: str) -> None:
    hide = WordFilter(["ab", "c"])
    assert hide(hide(text)) == hide(text)
