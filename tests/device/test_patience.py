"""When a conversation ends by itself, and what is said before."""

from __future__ import annotations

import pytest

from device.messages.minting import Limits, Prompts
from device.patience import ANSWER, PARTING, TAIL, Over, Patience
from device.phase import LIVE, Phase

LIMITS = Limits(longest=100, idle=20)
PROMPTS = Prompts(warning="anybody there?", farewell="goodbye")


def patience(prompts: Prompts = PROMPTS) -> Patience:
    return Patience(LIMITS, prompts, 1000.0)


def test_only_silence_while_listening_is_idle() -> None:
    it = patience()
    assert it.deadline(Phase.LISTENING, 1010.0) == 1030.0
    for phase in LIVE - {Phase.LISTENING}:
        assert it.deadline(phase, 1010.0) == 1100.0
    assert it.deadline(Phase.LISTENING, 1010.0, talking=True) == 1100.0


def test_nothing_outlasts_the_longest() -> None:
    it = patience()
    assert it.deadline(Phase.LISTENING, 1095.0) == 1100.0
    assert it.deadline(Phase.LISTENING, 1200.0) == 1200.0
    it.part("goodbye")
    assert it.deadline(Phase.LISTENING, 1095.0) == 1100.0
    assert it.over(1100.0, muted=False) == Over("longest")


def test_silence_is_asked_about_then_taken_leave_of_and_then_the_end() -> None:
    it = patience()
    assert it.over(1020.0, muted=False) == Over(None, "anybody there?")
    assert it.deadline(Phase.LISTENING, 1024.0) == 1024.0 + ANSWER
    assert it.over(1036.0, muted=False) == Over(None, "goodbye")
    assert it.deadline(Phase.LISTENING, 1036.0) == 1036.0 + PARTING
    assert it.deadline(Phase.SPEAKING, 1037.0) == 1100.0
    assert it.heard_out(1040.0) == 1040.0 + TAIL
    assert it.over(1040.6, muted=False) == Over("idle")


def test_a_goodbye_that_is_never_said_is_not_waited_for() -> None:
    it = patience()
    it.part("goodbye")
    assert it.deadline(Phase.THINKING, 1010.0) == 1010.0 + PARTING
    assert it.over(1020.0, muted=False) == Over("goodbye")


def test_whoever_speaks_up_calls_it_off() -> None:
    it = patience()
    it.over(1020.0, muted=False)
    it.over(1036.0, muted=False)
    it.spoke_up()
    assert it.heard_out(1037.0) is None
    assert it.deadline(Phase.LISTENING, 1040.0) == 1060.0
    assert it.over(1060.0, muted=False) == Over(None, "anybody there?")


def test_in_a_single_turn_the_first_answer_is_the_last() -> None:
    it = Patience(Limits(longest=100, idle=20, single_turn=True), PROMPTS, 1000.0)
    assert it.heard_out(1002.0) is None, "a greeting is no answer"
    it.spoke_up()
    assert it.heard_out(1010.0) == 1010.0 + TAIL
    it.spoke_up()
    assert it.deadline(Phase.LISTENING, 1010.2) == 1030.2
    assert it.heard_out(1015.0) == 1015.0 + TAIL
    assert it.over(1015.6, muted=False) == Over("answered")


def test_a_robot_that_is_muted_does_not_ask() -> None:
    assert patience().over(1020.0, muted=True) == Over(None, "goodbye")


@pytest.mark.parametrize(
    ("prompts", "first"),
    [
        (Prompts(), Over("idle")),
        (Prompts(farewell="bye"), Over(None, "bye")),
        (Prompts(warning="hm?"), Over(None, "hm?")),
    ],
)
def test_without_words_it_just_ends(prompts: Prompts, first: Over) -> None:
    it = patience(prompts)
    assert it.over(1020.0, muted=False) == first
    if first.reason is None:
        assert it.over(1040.0, muted=False) == Over("idle")


def test_what_a_conversation_is_to_end_for_is_not_changed_by_an_answer() -> None:
    it = Patience(Limits(longest=100, idle=20, single_turn=True), PROMPTS, 1000.0)
    it.spoke_up()
    it.part("goodbye")
    assert it.heard_out(1010.0) == pytest.approx(1010.6)
    assert (it.parting, it.over(1010.6, muted=False)) == ("goodbye", Over("goodbye"))


def test_the_longest_comes_before_everything_and_just_then() -> None:
    it = patience()
    assert it.over(1099.9, muted=False) == Over(None, "anybody there?")
    assert it.over(1100.0, muted=False) == Over("longest")
    assert it.parting is None
    assert not it.asked
    it.spoke_up()
    assert it.asked


def test_who_is_asked_has_twelve_seconds_and_a_goodbye_ten_to_begin() -> None:
    it = patience()
    it.over(1020.0, muted=False)
    assert it.deadline(Phase.LISTENING, 1030.0) == 1042.0
    it.over(1042.0, muted=False)
    assert it.deadline(Phase.LISTENING, 1050.0) == 1060.0
    assert it.deadline(Phase.THINKING, 1050.0) == 1060.0
    assert it.deadline(Phase.LISTENING, 1050.0, talking=True) == 1100.0
