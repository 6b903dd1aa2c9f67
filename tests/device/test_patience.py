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


def telling(longest: float = 200.0, notice: float = 30.0, closing: str = "{seconds} s left") -> Patience:
    limits = Limits(longest=longest, idle=50, notice=notice)
    return Patience(limits, Prompts(warning="anybody there?", farewell="goodbye", closing=closing), 1000.0)


def test_the_end_for_its_length_is_told_once_and_comes_all_the_same() -> None:
    it = telling()
    assert it.deadline(Phase.SPEAKING, 1100.0) == 1170.0
    assert it.over(1170.0, muted=False) == Over(None, "30 s left")
    assert it.closing == 1200.0
    it.spoke_up()
    assert it.deadline(Phase.LISTENING, 1171.0, talking=True) == 1200.0
    assert it.over(1200.0, muted=True) == Over("longest")


def test_a_notice_that_comes_late_says_how_much_is_left() -> None:
    assert telling().over(1181.2, muted=True) == Over(None, "19 s left")
    assert telling().over(1199.9, muted=False) == Over(None, "1 s left")


def test_silence_goes_before_a_notice_that_is_not_due() -> None:
    it = telling()
    assert it.over(1050.0, muted=False) == Over(None, "anybody there?")
    assert it.over(1062.0, muted=False) == Over(None, "goodbye")
    assert it.over(1175.0, muted=False) == Over("idle"), "whoever takes leave is told of no other end"
    assert it.closing is None


@pytest.mark.parametrize("it", [telling(notice=0.0), telling(closing=""), telling(longest=119.9)])
def test_without_words_or_time_for_them_nothing_is_told(it: Patience) -> None:
    assert it.deadline(Phase.SPEAKING, 1100.0) in {1200.0, 1119.9}
    assert it.closing is None


def test_a_session_of_just_four_notices_is_told() -> None:
    assert telling(longest=120.0).deadline(Phase.SPEAKING, 1000.0) == 1090.0


def test_an_end_that_comes_sooner_is_told_sooner_and_only_if_it_was_not_told() -> None:
    it = telling()
    it.end_by(1150.0)
    assert it.deadline(Phase.SPEAKING, 1100.0) == 1120.0
    assert it.over(1120.0, muted=False) == Over(None, "30 s left")
    it.end_by(1140.0)
    assert it.closing == 1150.0
    it.goes_on()
    assert it.closing is None
    assert it.deadline(Phase.SPEAKING, 1130.0) == 1170.0
