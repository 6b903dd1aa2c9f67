from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.local.realtime.replies import ENGLISH, JAPANESE, LOST, pieces, reply, sentence

NOON = datetime(2026, 11, 23, 12, 5)  # noqa: DTZ001 - the hour is what is read out


@pytest.mark.parametrize("phrase", ENGLISH)
def test_every_phrase_has_its_answer(phrase: str) -> None:
    assert reply(sentence(phrase), "en", 0, NOON) != LOST


def test_the_time_is_told() -> None:
    assert reply("What time is it?", "en", 0, NOON) == "It is 12 oh 5."


def test_what_is_not_known_gets_a_hint() -> None:
    assert reply("(speech)", "en", 0, NOON) == LOST


def test_japanese_answers_take_turns() -> None:
    assert [reply("(speech)", "ja", turn, NOON) for turn in range(4)] == list(JAPANESE)


@given(st.text())
def test_pieces_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text
