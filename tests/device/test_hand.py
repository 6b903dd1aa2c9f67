"""The button by push-to-talk, whatever a hand does: who is heard, and whether what was said is answered."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device import command as do
from device.command import Command
from device.hand import Hand
from device.phase import Phase

TAP = 0.4
TAKE, SAME_TAKE = do.TakeFloor("s"), do.TakeFloor("s", fresh=False)
GIVE, FORGET = do.GiveFloor("s", answer=True), do.GiveFloor("s", answer=False)


def begun(*, down: bool, push_to_talk: bool = True) -> tuple[Hand, list[Command]]:
    """A conversation whose call has just come up."""
    hand = Hand(TAP)
    hand.begin(down=down)
    return hand, list(hand.up("s", push_to_talk=push_to_talk))


def test_whoever_still_holds_the_button_is_being_heard_since_the_press() -> None:
    hand, commands = begun(down=True)
    assert (commands, hand.talking, hand.closed) == ([SAME_TAKE], True, False)
    assert hand.let_go("s", 3.0) == ([GIVE], False)
    assert (hand.talking, hand.closed) == (False, True)


@pytest.mark.parametrize(("seconds", "commands"), [(TAP, [SAME_TAKE, GIVE]), (TAP - 0.001, [FORGET])])
def test_what_was_said_before_the_call_was_up_is_answered_and_a_tap_is_not(
    seconds: float, commands: list[Command]
) -> None:
    hand = Hand(TAP)
    hand.begin(down=True)
    assert hand.let_go("s", seconds) == ([], False), "there is no call yet"
    assert list(hand.up("s", push_to_talk=True)) == commands
    assert (hand.talking, hand.closed) == (False, True)


def test_started_from_afar_it_waits_for_the_button() -> None:
    hand, commands = begun(down=False)
    assert (commands, hand.closed) == ([FORGET], True)


def test_where_the_service_hears_whose_turn_it_is_the_button_takes_no_floor() -> None:
    for down in (True, False):
        hand, commands = begun(down=down, push_to_talk=False)
        assert (commands, hand.talking, hand.closed) == ([], False, False)


@pytest.mark.parametrize("phase", [Phase.LISTENING, Phase.THINKING, Phase.SPEAKING])
@pytest.mark.parametrize("seconds", [TAP - 0.01, TAP])
def test_a_tap_ends_the_conversation_only_while_the_robot_listens(phase: Phase, seconds: float) -> None:
    hand, _ = begun(down=False)
    assert list(hand.press("s", phase)) == [TAKE]
    commands, ends = hand.let_go("s", seconds)
    assert commands == [GIVE if seconds >= TAP else FORGET]
    assert ends is (phase is Phase.LISTENING and seconds < TAP)


def test_a_tap_that_began_the_conversation_does_not_end_it() -> None:
    hand, _ = begun(down=True)
    assert hand.let_go("s", 0.1) == ([FORGET], False)


def test_the_next_conversation_knows_nothing_of_the_last_one() -> None:
    hand, _ = begun(down=True)
    hand.over()
    assert (hand.talking, hand.closed, hand.push_to_talk) == (False, False, False)
    hand.begin(down=False)
    assert list(hand.up("s", push_to_talk=True)) == [FORGET]


ACTS = st.one_of(
    st.tuples(st.just("press"), st.sampled_from([Phase.LISTENING, Phase.THINKING, Phase.SPEAKING])),
    st.tuples(st.just("let go"), st.floats(0, 5)),
)


@settings(max_examples=40)
@given(st.booleans(), st.lists(ACTS, max_size=20))
def test_the_floor_is_taken_and_given_by_turns_whatever_a_hand_does(
    down: bool, acts: list[tuple[str, Phase | float]]
) -> None:
    hand, commands = begun(down=down)
    for _, detail in acts:
        if isinstance(detail, Phase):
            if not hand.down:
                commands += hand.press("s", detail)
        elif hand.down:
            found, ends = hand.let_go("s", detail)
            commands += found
            assert not ends or detail < TAP
        assert hand.talking is hand.down is not hand.closed
    took = [isinstance(command, do.TakeFloor) for command in commands]
    first = 0 if down else 1  # without a hand at it, the floor is given once at first
    assert took[first:] == [number % 2 == 0 for number in range(len(took) - first)]
