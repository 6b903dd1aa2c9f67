from __future__ import annotations

from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from device.picture.kinsoku import NOT_FIRST, NOT_LAST, lines, may_break


def wide(text: str) -> float:
    return sum(1.0 if letter.isascii() else 2.0 for letter in text)


JAPANESE = st.text(st.sampled_from("会話あいうアイーっャ、。「」『』（）！？…々 "), max_size=60)
MIXED = st.text(st.sampled_from("会話あーっ、。「」（）!?,.…$5% robot"), max_size=60)


def test_a_mark_takes_the_character_before_it_to_the_next_line() -> None:
    assert lines("今日はいい天気。", 14, wide) == ["今日はいい天", "気。"]


def test_an_opening_bracket_does_not_end_a_line() -> None:
    assert lines("これは「窯」です", 8, wide) == ["これは", "「窯」で", "す"]


def test_words_stay_whole_and_lose_the_space_at_which_they_are_parted() -> None:
    assert lines("What about  the blue bowls?", 11, wide) == ["What about", "the blue", "bowls?"]


def test_a_word_that_is_wider_than_a_line_is_parted() -> None:
    assert lines("ab abcdefghij", 4, wide) == ["ab", "abcd", "efgh", "ij"]


def test_japanese_and_english_may_be_parted_where_they_meet() -> None:
    assert lines("青いbowlsです", 9, wide) == ["青いbowls", "です"]


def test_dots_are_not_parted_from_each_other() -> None:
    assert not may_break("…", "…")
    assert lines("ええと……はい", 8, wide) == ["ええ", "と……は", "い"]


@given(JAPANESE | MIXED)
def test_no_line_begins_or_ends_with_what_must_not(text: str) -> None:
    assume(all(wide(run) <= 24 for run in runs(text)))
    for line, following in pairwise(lines(text, 24, wide)):
        assert following[0] not in NOT_FIRST
        assert line[-1] not in NOT_LAST


@given(JAPANESE | MIXED, st.integers(4, 40))
def test_nothing_is_lost_and_nothing_is_too_wide(text: str, width: int) -> None:
    broken = lines(text, width, wide)
    assert "".join(broken).replace(" ", "") == "".join(text.split())
    assert all(line.strip() and wide(line) <= width for line in broken)


def runs(text: str) -> list[str]:
    """Return what must stay together, words and the space after an opening bracket with their neighbours."""
    parts = [""]
    for before, after in pairwise(" ".join(text.split()) + "。"):
        parts[-1] += before
        if may_break(before, after) and (before != " " or parts[-1][-2:-1] not in NOT_LAST):
            parts.append("")
    return parts
