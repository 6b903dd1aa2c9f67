"""What hands do to the session machine besides the press that starts and ends: holding, talking, muting."""

from __future__ import annotations

import pytest

from device import command as do
from device import phase as p
from device.agent import light
from device.felt import Felt
from device.messages.commands import Step
from device.messages.minting import Limits
from device.panel.gestures import DEBOUNCE, Gesture
from device.panel.patterns import Light
from device.phase import Chime, Phase
from tests.device.test_session import GONE, Robot, grant

TAP, HELD = p.LetGo(0.2), p.LetGo(2.0)
TALKING = Limits(longest=100, idle=20, push_to_talk=True)
TAKE, GIVE = do.TakeFloor("s1"), do.GiveFloor("s1")


@pytest.fixture
def robot() -> Robot:
    """A robot at rest, in reach of its cloud."""
    robot = Robot()
    robot(p.Ready(), p.BrokerUp())
    return robot


def live(robot: Robot, limits: Limits = TALKING, *before: p.Event) -> list[do.Command]:
    robot(p.Pressed(), *before, p.Granted("s1", grant("s1", limits=limits)))
    return robot(p.CallUp("s1"))


def floor(commands: list[do.Command]) -> list[do.Command]:
    return [command for command in commands if isinstance(command, do.TakeFloor | do.GiveFloor | do.Release)]


def test_gestures_become_events() -> None:
    felt = Felt()
    for gesture, at, told in (
        (Gesture.PRESS, 1.0, [p.Pressed()]),
        (Gesture.HOLD, 2.2, []),
        (Gesture.LONG_HOLD, 9.0, [p.ClaimWished()]),
        (Gesture.RELEASE, 10.0, [p.LetGo(9.0 - DEBOUNCE)]),
    ):
        assert list(felt.meaning(gesture, at)) == told


def test_by_push_to_talk_nobody_is_heard_but_who_holds_the_button(robot: Robot) -> None:
    live(robot, TALKING, TAP)
    assert (robot.session.hand.closed, light(robot.session)) == (True, Light.HOLD_TO_TALK)
    assert robot(p.Pressed()) == [do.Show(), TAKE]
    assert (robot.session.hand.closed, light(robot.session)) == (False, Light.LISTENING)
    assert robot(HELD) == [do.Show(), GIVE]
    assert robot.phase is Phase.LISTENING


def test_what_is_said_while_the_conversation_is_being_made_is_the_first_turn(robot: Robot) -> None:
    assert floor(live(robot)) == [do.TakeFloor("s1", fresh=False)]
    assert not robot.session.hand.closed
    assert floor(robot(HELD)) == [GIVE]


def test_what_was_said_before_the_conversation_was_there_is_answered(robot: Robot) -> None:
    assert floor(live(robot, TALKING, HELD)) == [do.TakeFloor("s1", fresh=False), GIVE]
    assert robot.session.hand.closed


def test_a_tap_that_begins_it_says_nothing(robot: Robot) -> None:
    assert floor(live(robot, TALKING, TAP)) == [do.GiveFloor("s1", answer=False)]


def test_a_tap_while_it_listens_ends_it(robot: Robot) -> None:
    live(robot, TALKING, TAP)
    assert floor(robot(p.Pressed(), TAP)) == [TAKE, do.Release("s1")]
    assert robot.phase is Phase.ENDING


@pytest.mark.parametrize("phase", [Phase.SPEAKING, Phase.THINKING])
def test_a_tap_while_it_speaks_only_silences_it(robot: Robot, phase: Phase) -> None:
    live(robot, TALKING, TAP)
    robot(p.Turn("s1", phase))
    assert floor(robot(p.Pressed(), p.Turn("s1", Phase.LISTENING), TAP)) == [TAKE, do.GiveFloor("s1", answer=False)]
    assert robot.phase is Phase.LISTENING


def test_a_press_opens_a_closed_microphone_and_is_heard_at_once(robot: Robot) -> None:
    live(robot, TALKING, TAP)
    robot(p.MuteWished(on=True))
    assert robot(p.Pressed()) == [do.Show(), do.Play(Chime.UNMUTED), TAKE]


def test_the_next_conversation_is_taken_turns_in_as_its_grant_says(robot: Robot) -> None:
    live(robot, TALKING, TAP)
    robot(p.StopOrdered("c1", "o"), p.Released("s1"), p.Pressed())
    robot(p.Granted("s2", grant("s2")), p.CallUp("s2"), TAP)
    assert not robot.session.hand.closed
    assert floor(robot(p.Pressed())) == [do.Release("s2")]


def test_pressed_while_it_said_goodbye_and_held_on_it_hears_the_first_turn(robot: Robot) -> None:
    live(robot, TALKING, TAP)
    robot(p.Pressed(), TAP, p.Pressed(), p.Released("s1"), p.Granted("s2", grant("s2", limits=TALKING)))
    assert floor(robot(p.CallUp("s2"))) == [do.TakeFloor("s2", fresh=False)]


def test_held_for_long_at_rest_it_leaves_to_wait_for_a_claim(robot: Robot) -> None:
    assert robot(p.ClaimWished()) == [do.Show(), do.Exit(claim=True)]
    assert robot.phase is Phase.STOPPED


def test_the_conversation_that_the_same_press_began_is_ended_first(robot: Robot) -> None:
    live(robot, Limits(longest=100, idle=20))
    assert do.Release("s1") in robot(p.ClaimWished())
    ended = robot(p.Released("s1"))
    assert do.ReportEnded("s1", "claim", 0.0) in ended
    assert ended[-1] == do.Exit(claim=True)


def test_the_conversation_that_the_press_ended_is_over_first(robot: Robot) -> None:
    live(robot, Limits(longest=100, idle=20), TAP)
    robot(p.Pressed(), p.ClaimWished())
    assert robot(p.Released("s1"))[-1] == do.Exit(claim=True)


def test_told_to_end_meanwhile_it_ends(robot: Robot) -> None:
    live(robot, Limits(longest=100, idle=20), TAP)
    robot(p.Pressed(), p.ClaimWished(), p.Quit())
    assert robot(p.Released("s1"))[-1] == do.Exit()


@pytest.mark.parametrize("limits", [TALKING, Limits(longest=100, idle=20)])
def test_whoever_talks_while_they_hold_the_button_wants_no_claim(robot: Robot, limits: Limits) -> None:
    live(robot, limits)
    robot(p.Speech("s1", began=True))
    assert robot(p.ClaimWished()) == []
    robot(HELD, p.StopOrdered("c1", "o"))
    assert not any(isinstance(command, do.Exit) for command in robot(p.Released("s1")))


def test_a_switch_closes_the_microphone_whatever_anybody_wishes(robot: Robot) -> None:
    live(robot, Limits(), TAP)
    assert robot(p.MuteSwitched(True)) == [do.Show(), do.Play(Chime.MUTED)]
    assert robot(p.MuteWished(on=False)) == []
    assert (robot.session.muted, light(robot.session)) == (True, Light.MUTED)
    assert robot(p.MuteSwitched(False)) == [do.Show(), do.Play(Chime.UNMUTED)]
    assert not robot.session.muted


def test_switched_off_a_press_ends_it_because_it_cannot_open_the_microphone(robot: Robot) -> None:
    live(robot, TALKING, TAP)
    robot(p.MuteSwitched(True))
    assert floor(robot(p.Pressed())) == [do.Release("s1")]


@pytest.mark.parametrize("end", [p.Pressed(), p.StopOrdered("c1", "o"), p.Quit(), p.CallLost("s1", None, "over")])
def test_a_microphone_that_is_switched_off_stays_so_until_all_is_given_back(robot: Robot, end: p.Event) -> None:
    """What is held of a call or a broadcast would carry the room to its last moment."""
    live(robot, Limits(), TAP)
    robot(p.MuteSwitched(True), end)
    assert robot.phase is Phase.ENDING
    assert robot.session.muted
    robot(p.Released("s1"))
    assert not robot.session.muted, "nor is the next conversation, once it is switched on again"


def test_pressed_while_it_ends_a_robot_that_is_switched_off_promises_nothing(robot: Robot) -> None:
    live(robot, Limits(), TAP)
    robot(p.MuteSwitched(True), p.Pressed())
    assert robot(p.Pressed()) == [do.Play(Chime.MUTED), do.Hurry()]
    robot(p.Released("s1"))
    assert robot.phase is Phase.IDLE


def test_switched_off_at_rest_it_shows_it_and_begins_nothing(robot: Robot) -> None:
    assert robot(p.MuteSwitched(True)) == [do.Show(), do.Play(Chime.MUTED)]
    assert light(robot.session) is Light.MUTED
    assert robot(p.Pressed()) == [do.Play(Chime.MUTED)]
    why = "the microphone is switched off at the robot"
    assert robot(p.StartOrdered("c1", "o")) == [do.Acknowledge("c1", Step.REJECTED, why)]
    robot(p.MuteSwitched(False), p.Pressed())
    assert robot.phase is Phase.PREPARING


def test_switched_off_during_the_announcement_nothing_begins(robot: Robot) -> None:
    robot(p.StartOrdered("c1", "o"), p.MuteSwitched(True))
    robot.wait()
    assert robot.phase is Phase.IDLE


def test_switched_off_before_it_was_ready_it_makes_no_noise() -> None:
    robot = Robot()
    assert robot(p.MuteSwitched(True)) == [do.Show()]
    robot(p.Ready(), GONE, p.SoundBack())
    assert robot.session.switched_off


def test_its_button_closes_and_opens_the_microphone_in_a_conversation_only(robot: Robot) -> None:
    assert robot(p.MuteSwitched(None)) == []
    live(robot, Limits(), TAP)
    assert robot(p.MuteSwitched(None)) == [do.Show(), do.Play(Chime.MUTED)]
    assert robot(p.MuteSwitched(None)) == [do.Show(), do.Play(Chime.UNMUTED)]
