"""The session machine: every start and every end, and what holds whatever happens."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import command as do
from device import phase as p
from device.command import Command
from device.diagram import document
from device.messages.commands import Step
from device.messages.minting import BroadcastGrant, Grant, Limits, OpenAIGrant, Prompts
from device.messages.secret import Secret
from device.patience import PARTING, TAIL
from device.phase import AT_REST, LIVE, TALKING, Chime, Phase
from device.session import TABLE, Session
from device.timing import Timing

TIMING = Timing(announce=3, prepare=30, release=15, fault=4, standstill=3)


def grant(
    session: str, *, broadcast: bool = True, limits: Limits | None = None, prompts: Prompts | None = None
) -> Grant:
    return Grant(
        session=session,
        openai=OpenAIGrant(base_url="http://localhost/v1", secret=Secret("ek_x"), expires_at=1e10, model="m"),
        broadcast=BroadcastGrant(signalling_urls=["ws://localhost/"], channel_id="c") if broadcast else None,
        limits=limits or Limits(longest=100, idle=20),
        prompts=prompts or Prompts(),
    )


class Robot:
    """A session machine with its clock, and everything it has asked for."""

    def __init__(self) -> None:
        ids = itertools.count(1)
        self.session = Session(lambda: f"s{next(ids)}", TIMING)
        self.now = 1000.0
        self.asked: list[Command] = []

    def __call__(self, *events: p.Event) -> list[Command]:
        commands = [command for event in events for command in self.session.handle(event, self.now)]
        self.asked += commands
        return commands

    def wait(self) -> list[Command]:
        assert self.session.deadline is not None
        self.now = self.session.deadline
        return self(p.Elapsed())

    @property
    def phase(self) -> Phase:
        return self.session.phase


@pytest.fixture
def robot() -> Robot:
    robot = Robot()
    robot(p.Ready(), p.BrokerUp())
    assert robot.phase is Phase.IDLE
    return robot


def live(robot: Robot) -> Robot:
    robot(p.Pressed(), p.Granted("s1", grant("s1")), p.CallUp("s1"), p.OnAir("s1"))
    assert robot.phase is Phase.LISTENING
    return robot


def test_a_press_sounds_at_once_keeps_the_first_word_and_asks_for_the_session(robot: Robot) -> None:
    assert robot(p.Pressed()) == [do.Show(), do.Play(Chime.START), do.Keep(), do.Mint("s1", "button")]


def test_a_grant_opens_call_and_broadcast(robot: Robot) -> None:
    robot(p.Pressed())
    given_grant = grant("s1")
    assert robot(p.Granted("s1", given_grant)) == [do.OpenCall("s1", given_grant), do.OpenBroadcast("s1", given_grant)]


def test_a_grant_without_broadcast_opens_only_the_call(robot: Robot) -> None:
    robot(p.Pressed())
    given_grant = grant("s1", broadcast=False)
    assert robot(p.Granted("s1", given_grant)) == [do.OpenCall("s1", given_grant)]


def test_the_conversation_is_live_when_the_model_hears(robot: Robot) -> None:
    robot(p.Pressed(), p.Granted("s1", grant("s1")))
    commands = robot(p.CallUp("s1"))
    assert robot.phase is Phase.LISTENING
    assert do.Play(Chime.LIVE) in commands
    assert do.ReportStarted("s1", "button") in commands


def test_turns_move_between_the_live_phases(robot: Robot) -> None:
    live(robot)
    for phase in (Phase.THINKING, Phase.SPEAKING, Phase.LISTENING):
        assert robot(p.Turn("s1", phase)) == [do.Show()]
        assert robot.phase is phase


def test_a_press_while_live_ends_and_reports_once_all_is_released(robot: Robot) -> None:
    live(robot)
    robot.now += 12
    assert robot(p.Pressed()) == [do.Show(), do.Play(Chime.END), do.Release("s1")]
    assert do.ReportEnded("s1", "button", 12.0) in robot(p.Released("s1"))
    assert robot.phase is Phase.IDLE


def test_a_second_press_during_start_up_calls_it_off(robot: Robot) -> None:
    robot(p.Pressed())
    assert do.Release("s1") in robot(p.Pressed())
    assert robot(p.Granted("s1", grant("s1"))) == []
    robot(p.Released("s1"))
    assert robot.phase is Phase.IDLE


def test_a_late_grant_for_an_ended_session_is_dropped(robot: Robot) -> None:
    robot(p.Pressed(), p.Pressed(), p.Released("s1"), p.Pressed())
    assert robot.session.id == "s2"
    assert robot(p.Granted("s1", grant("s1"))) == []
    assert robot.session.dropped == 1


def test_a_press_while_ending_starts_anew_when_all_is_released(robot: Robot) -> None:
    live(robot)
    robot(p.Pressed())
    assert robot(p.Pressed()) == [do.Play(Chime.START), do.Hurry()]
    assert do.Mint("s2", "button") in robot(p.Released("s1"))
    assert robot.phase is Phase.PREPARING


@pytest.mark.parametrize("code", ["BUDGET", "UPSTREAM", "DENIED", "BUSY", "clock", "broker"])
def test_a_refusal_is_heard_and_shown_and_passes(robot: Robot, code: str) -> None:
    robot(p.Pressed())
    commands = robot(p.Refused("s1", code, "no"))
    assert do.Play(Chime.ERROR) in commands
    assert do.ReportFault("s1", code, "no") in commands
    robot(p.Released("s1"))
    assert (robot.phase, robot.session.fault) == (Phase.FAULT, code)
    robot.wait()
    assert (robot.phase, robot.session.fault) == (Phase.IDLE, None)


def test_a_press_during_a_fault_starts_at_once(robot: Robot) -> None:
    robot(p.Pressed(), p.Refused("s1", "BUSY", "later"), p.Released("s1"))
    assert do.Mint("s2", "button") in robot(p.Pressed())
    assert robot.session.fault is None


def test_a_start_that_takes_too_long_is_a_fault(robot: Robot) -> None:
    robot(p.Pressed())
    assert do.Play(Chime.ERROR) in robot.wait()
    assert robot.session.fault == "timeout"


def test_a_lost_call_ends_audibly(robot: Robot) -> None:
    live(robot)
    commands = robot(p.CallLost("s1", "media", "no sound for 4 s"))
    assert do.Play(Chime.ERROR) in commands
    assert do.Release("s1") in commands


def test_a_call_that_the_server_ends_properly_is_no_fault(robot: Robot) -> None:
    live(robot)
    assert do.Play(Chime.END) in robot(p.CallLost("s1", None, "closed by the server"))
    robot(p.Released("s1"))
    assert robot.phase is Phase.IDLE


def test_a_lost_broadcast_leaves_the_conversation_alone(robot: Robot) -> None:
    live(robot)
    commands = robot(p.OffAir("s1", "refused"))
    assert robot.phase is Phase.LISTENING
    assert not robot.session.on_air
    assert commands == [do.Show(), do.Play(Chime.OFF_AIR), do.ReportFault("s1", "broadcast", "refused")]


def test_silence_ends_the_session_but_a_long_answer_does_not(robot: Robot) -> None:
    live(robot)
    robot(p.Turn("s1", Phase.SPEAKING))
    assert robot.session.deadline == 1000 + 100
    robot.now += 30
    robot(p.Turn("s1", Phase.LISTENING))
    assert robot.session.deadline == robot.now + 20
    robot.wait()
    assert do.ReportEnded("s1", "idle", 50.0) in robot(p.Released("s1"))


def test_somebody_who_speaks_for_long_is_not_silent(robot: Robot) -> None:
    live(robot)
    idle = robot.session.deadline
    robot(p.Speech("s1", began=True))
    assert idle is not None
    assert robot.session.deadline == robot.now + 100
    robot.now = idle + 1
    robot(p.Speech("s1", began=False))
    assert robot.session.deadline == robot.now + 20


def test_no_session_outlasts_its_limit(robot: Robot) -> None:
    live(robot)
    for _ in range(9):
        robot.now += 11
        robot(p.Turn("s1", Phase.LISTENING))
    assert robot.session.deadline == 1100
    robot.wait()
    assert do.ReportEnded("s1", "longest", 100.0) in robot(p.Released("s1"))


def closing(robot: Robot) -> Robot:
    """Return a robot in a conversation that ends 120 s after 1000 and tells so 30 s before."""
    limits = Limits(longest=120, idle=200, notice=30)
    robot(p.Pressed(), p.Granted("s1", grant("s1", limits=limits, prompts=Prompts(closing="{seconds} s left"))))
    robot(p.CallUp("s1"))
    return robot


def test_before_it_has_lasted_as_long_as_it_may_that_is_said_and_shown(robot: Robot) -> None:
    assert closing(robot).session.ends_at is None
    assert robot.wait() == [do.Show(), do.Prompt("s1", "30 s left")]
    assert (robot.now, robot.session.ends_at) == (1090.0, 1120.0)
    assert robot.phase is Phase.LISTENING
    robot(p.Turn("s1", Phase.SPEAKING), p.Turn("s1", Phase.LISTENING), p.Speech("s1", began=True))
    robot.wait()
    assert (robot.now, robot.phase) == (1120.0, Phase.ENDING)
    assert [c.reason for c in robot(p.Released("s1")) if isinstance(c, do.ReportEnded)] == ["longest"]
    assert robot.session.ends_at is None


def test_whoever_talks_when_the_end_is_told_is_not_silent_afterwards(robot: Robot) -> None:
    limits = Limits(longest=400, idle=20, notice=100)
    robot(p.Pressed(), p.Granted("s1", grant("s1", limits=limits, prompts=Prompts(closing="soon"))), p.CallUp("s1"))
    robot.now = 1290.0
    robot(p.Turn("s1", Phase.SPEAKING), p.Turn("s1", Phase.LISTENING), p.Speech("s1", began=True))
    assert robot.wait() == [do.Show(), do.Prompt("s1", "soon")]
    robot.wait()
    assert robot.now == 1400.0, "and not when the idle limit is over"


def test_a_call_that_is_gone_when_the_end_is_due_to_be_told_is_no_reason_not_to_tell_it(robot: Robot) -> None:
    closing(robot).now = 1085.0
    robot(p.CallLost("s1", "media", "gone", renewable=True))
    robot.now = 1095.0
    assert do.Switch("s1", 1) in robot(p.SpareReady("s1", 1))
    assert robot.wait() == [do.Show(), do.Prompt("s1", "25 s left")]
    assert robot.now == 1095.0


def test_a_remote_start_is_announced_and_acknowledged_in_steps(robot: Robot) -> None:
    commands = robot(p.StartOrdered("c1", "operator-a"))
    assert do.Play(Chime.ANNOUNCE) in commands
    robot.wait()
    robot(p.Granted("s1", grant("s1")), p.CallUp("s1"))
    steps = [command.step for command in robot.asked if isinstance(command, do.Acknowledge)]
    assert steps == [Step.ACCEPTED, Step.IN_PROGRESS, Step.SUCCEEDED]
    assert do.Mint("s1", "remote:c1") in robot.asked


def test_a_press_during_the_announcement_rejects_it(robot: Robot) -> None:
    robot(p.StartOrdered("c1", "operator-a"))
    commands = robot(p.Pressed())
    assert [c.step for c in commands if isinstance(c, do.Acknowledge)] == [Step.REJECTED]
    assert robot.phase is Phase.IDLE


def test_a_remote_start_while_busy_is_rejected(robot: Robot) -> None:
    live(robot)
    assert robot(p.StartOrdered("c1", "o")) == [do.Acknowledge("c1", Step.REJECTED, "busy: listening")]


def test_a_remote_start_that_fails_says_why(robot: Robot) -> None:
    robot(p.StartOrdered("c1", "o"))
    robot.wait()
    assert do.Acknowledge("c1", Step.FAILED, "QUOTA: enough for today") in robot(
        p.Refused("s1", "QUOTA", "enough for today")
    )


def test_a_remote_stop_succeeds_when_all_is_released(robot: Robot) -> None:
    live(robot)
    assert do.Acknowledge("c9", Step.ACCEPTED, "ending: listening") in robot(p.StopOrdered("c9", "o"))
    assert do.Acknowledge("c9", Step.SUCCEEDED, "released") in robot(p.Released("s1"))


def test_a_remote_stop_with_nothing_to_stop_is_rejected(robot: Robot) -> None:
    assert robot(p.StopOrdered("c9", "o")) == [do.Acknowledge("c9", Step.REJECTED, "nothing to stop: idle")]


def test_what_cannot_be_released_ends_the_process_as_failed(robot: Robot) -> None:
    live(robot)
    robot(p.StopOrdered("c9", "o"))
    commands = robot.wait()
    assert do.Acknowledge("c9", Step.FAILED, "not released after 15 s") in commands
    assert do.Exit(failed=True) in commands


def test_without_a_broker_it_shows_so_and_still_answers_a_press(robot: Robot) -> None:
    robot(p.BrokerDown())
    assert robot.phase is Phase.OFFLINE
    assert do.Play(Chime.START) in robot(p.Pressed())


def test_a_broker_lost_while_live_is_felt_only_afterwards(robot: Robot) -> None:
    live(robot)
    assert robot(p.BrokerDown()) == []
    robot(p.Pressed(), p.Released("s1"))
    assert robot.phase is Phase.OFFLINE


GONE = p.SoundLost("the sound card is gone: USB Phone")


def test_without_a_sound_card_nothing_begins_until_it_is_back(robot: Robot) -> None:
    assert robot(GONE) == [do.Show(), do.ReportFault(None, "sound", GONE.text)]
    assert (robot.phase, robot.session.fault, robot.session.deadline) == (Phase.FAULT, "sound", None)
    assert robot(p.Pressed()) == [do.ReportFault(None, "sound", "pressed, but there is no sound card")]
    assert robot(p.StartOrdered("c1", "admin")) == [do.Acknowledge("c1", Step.REJECTED, "there is no sound card")]
    assert robot(p.SoundBack()) == [do.Show()]
    assert (robot.phase, robot.session.fault) == (Phase.IDLE, None)
    assert do.Mint("s1", "button") in robot(p.Pressed())


def test_a_robot_that_begins_without_a_sound_card_shows_it_as_soon_as_it_has_begun() -> None:
    session = Session(lambda: "s1")
    assert session.handle(GONE, 0.0) == [do.Show(), do.ReportFault(None, "sound", GONE.text)]
    session.handle(p.Ready(), 1.0)
    assert (session.phase, session.fault, session.deadline) == (Phase.FAULT, "sound", None)
    session.handle(p.BrokerUp(), 2.0)
    session.handle(p.SoundBack(), 3.0)
    assert (session.phase, session.fault) == (Phase.IDLE, None)


def test_a_conversation_outlives_its_sound_card(robot: Robot) -> None:
    live(robot)
    assert robot(GONE) == [do.Show(), do.ReportFault("s1", "sound", GONE.text)]
    assert robot.phase is Phase.LISTENING
    assert robot.session.deaf
    assert robot(p.SoundBack()) == [do.Show()]
    assert (robot.phase, robot.session.fault, robot.session.deaf) == (Phase.LISTENING, None, False)


def test_a_conversation_that_ends_without_a_sound_card_leaves_the_fault_standing(robot: Robot) -> None:
    live(robot)
    robot(GONE)
    robot.wait()
    assert robot.phase is Phase.ENDING
    robot(p.Pressed(), p.Released("s1"))
    assert (robot.phase, robot.session.fault, robot.session.deadline) == (Phase.FAULT, "sound", None)


def test_a_sound_card_that_goes_and_comes_while_another_fault_ends_a_conversation_does_not_hide_it(
    robot: Robot,
) -> None:
    live(robot)
    robot(p.CallLost("s1", "media", "silent"), GONE, p.SoundBack(), p.Released("s1"))
    assert (robot.phase, robot.session.fault) == (Phase.FAULT, "media")
    robot(GONE)
    assert (robot.phase, robot.session.fault, robot.session.deadline) == (Phase.FAULT, "sound", None)


def test_a_sound_card_that_comes_back_does_not_hide_that_something_stands_still(robot: Robot) -> None:
    robot(STALLED, GONE, p.SoundBack())
    assert (robot.phase, robot.session.fault) == (Phase.FAULT, "standstill")


def test_an_announced_start_fails_when_the_sound_card_goes_meanwhile(robot: Robot) -> None:
    robot(p.StartOrdered("c1", "admin"), GONE)
    assert do.Acknowledge("c1", Step.FAILED, "there is no sound card") in robot.wait()
    assert robot.phase is Phase.FAULT


STALLED = p.Stalled("nothing is captured any more")


def test_what_stands_still_is_told_heard_and_shown_and_then_the_process_begins_anew(robot: Robot) -> None:
    commands = robot(STALLED)
    assert commands == [do.Show(), do.ReportFault(None, "standstill", STALLED.text), do.Play(Chime.ERROR)]
    assert (robot.phase, robot.session.fault) == (Phase.FAULT, "standstill")
    assert robot.session.deadline == robot.now + TIMING.standstill
    [rejected] = robot(p.StartOrdered("c1", "o"))
    assert rejected == do.Acknowledge("c1", Step.REJECTED, "the robot is out of order")
    assert robot(p.BrokerDown(), GONE, p.SoundBack(), p.BrokerUp())
    assert robot.phase is Phase.FAULT, "nothing but a new process mends it"
    assert robot.wait()[-1] == do.Exit(failed=True)


def test_what_stands_still_in_a_conversation_is_shown_once_everything_is_given_back(robot: Robot) -> None:
    live(robot)
    assert robot(STALLED)[-2:] == [do.Play(Chime.ERROR), do.Release("s1")]
    robot(p.Pressed(), p.Released("s1"))
    assert (robot.phase, robot.session.fault) == (Phase.FAULT, "standstill")
    assert robot(p.Pressed())[-1] == do.Exit(failed=True), "whoever presses need not wait"


def test_what_stands_still_while_a_conversation_ends_is_shown_after_it(robot: Robot) -> None:
    live(robot)
    robot(p.Pressed())
    assert robot(STALLED) == [do.ReportFault("s1", "standstill", STALLED.text)]
    robot(p.Released("s1"))
    assert robot.phase is Phase.FAULT
    assert robot(p.Quit())[-1] == do.Exit(failed=True)


def test_a_start_that_was_announced_by_a_robot_that_stands_still_fails(robot: Robot) -> None:
    robot(p.StartOrdered("c1", "o"), STALLED)
    assert do.Acknowledge("c1", Step.FAILED, "shutting down") in robot.wait()


def test_quit_while_live_releases_first(robot: Robot) -> None:
    live(robot)
    commands = robot(p.Quit())
    assert do.Exit() not in commands
    assert do.Hurry() in commands, "nobody waits for what only observers would miss"
    assert do.Exit() in robot(p.Released("s1"))
    assert robot.phase is Phase.STOPPED


def test_before_silence_ends_it_the_robot_asks_and_takes_leave(robot: Robot) -> None:
    words = Prompts(warning="anybody there?", farewell="goodbye")
    robot(p.Pressed(), p.Granted("s1", grant("s1", prompts=words)), p.CallUp("s1"))
    assert robot.wait() == [do.Prompt("s1", "anybody there?")]
    robot(p.Turn("s1", Phase.THINKING), p.Turn("s1", Phase.SPEAKING), p.Turn("s1", Phase.LISTENING), p.Spoken("s1"))
    assert robot.wait() == [do.Prompt("s1", "goodbye")]
    robot(p.Turn("s1", Phase.SPEAKING))
    robot.now += 2
    robot(p.Turn("s1", Phase.LISTENING), p.Spoken("s1"))
    assert robot.session.deadline == robot.now + TAIL
    robot.wait()
    assert [c.reason for c in robot(p.Released("s1")) if isinstance(c, do.ReportEnded)] == ["idle"]


def test_whoever_answers_the_question_goes_on_talking(robot: Robot) -> None:
    robot(p.Pressed(), p.Granted("s1", grant("s1", prompts=Prompts(warning="anybody there?"))), p.CallUp("s1"))
    robot.wait()
    robot(p.Speech("s1", began=True), p.Speech("s1", began=False))
    assert robot.session.deadline == robot.now + 20
    assert robot.wait() == [do.Prompt("s1", "anybody there?")]


def test_the_models_end_waits_until_its_goodbye_was_heard(robot: Robot) -> None:
    live(robot)
    robot(p.EndWished("s1", said=False))
    assert robot.session.deadline == robot.now + PARTING
    robot(p.Turn("s1", Phase.THINKING), p.Turn("s1", Phase.SPEAKING))
    assert robot.session.deadline == 1100
    robot.now += 3
    robot(p.Turn("s1", Phase.LISTENING), p.Spoken("s1"))
    assert robot.session.deadline == robot.now + TAIL
    robot.wait()
    assert robot.phase is Phase.ENDING
    assert [c.reason for c in robot(p.Released("s1")) if isinstance(c, do.ReportEnded)] == ["goodbye"]


def test_a_goodbye_in_the_same_answer_is_waited_for_too(robot: Robot) -> None:
    live(robot)
    robot(p.Turn("s1", Phase.SPEAKING), p.EndWished("s1", said=True))
    assert robot.session.deadline == 1100
    robot(p.Turn("s1", Phase.LISTENING), p.Spoken("s1"))
    assert robot.session.deadline == robot.now + TAIL


def test_a_goodbye_that_was_heard_before_the_wish_came_is_not_waited_for(robot: Robot) -> None:
    live(robot)
    robot(p.EndWished("s1", said=True))
    assert robot.session.deadline == robot.now + TAIL


def test_who_interrupts_the_goodbye_is_listened_to(robot: Robot) -> None:
    live(robot)
    robot(p.EndWished("s1", said=False), p.Turn("s1", Phase.SPEAKING))
    robot(p.Turn("s1", Phase.LISTENING), p.Speech("s1", began=True))
    assert robot.session.deadline == 1100
    robot(p.Speech("s1", began=False), p.Turn("s1", Phase.THINKING), p.Turn("s1", Phase.SPEAKING))
    robot(p.Turn("s1", Phase.LISTENING), p.Spoken("s1"))
    assert robot.session.deadline == robot.now + 20


def test_a_muted_robot_shows_it_and_listens_again_at_a_press(robot: Robot) -> None:
    live(robot)
    assert robot(p.MuteWished(on=True)) == [do.Show(), do.Play(Chime.MUTED)]
    assert robot.session.muted
    assert robot(p.Pressed()) == [do.Show(), do.Play(Chime.UNMUTED)]
    assert not robot.session.muted
    assert do.Release("s1") in robot(p.Pressed())


def test_the_next_conversation_is_not_muted(robot: Robot) -> None:
    live(robot)
    robot(p.MuteWished(on=True), p.StopOrdered("c9", "o"))
    assert robot.session.muted, "until nothing of it is left"
    robot(p.Released("s1"))
    assert robot(p.MuteWished(on=True)) == []
    assert not robot.session.muted


def test_only_a_robot_that_speaks_can_be_hushed(robot: Robot) -> None:
    live(robot)
    assert robot(p.Hushed()) == []
    robot(p.Turn("s1", Phase.SPEAKING))
    assert robot(p.Hushed()) == [do.Interrupt("s1")]


def test_the_broadcast_stops_and_begins_at_a_wish_while_the_talk_goes_on(robot: Robot) -> None:
    live(robot)
    assert robot(p.BroadcastWished(on=False)) == [do.Show(), do.Play(Chime.OFF_AIR), do.CloseBroadcast("s1")]
    assert not robot.session.on_air
    assert robot(p.OnAir("s1")) == [], "said before it heard of the wish"
    assert not robot.session.on_air
    assert robot(p.BroadcastWished(on=False)) == []
    [opened] = robot(p.BroadcastWished(on=True))
    assert isinstance(opened, do.OpenBroadcast)
    assert robot(p.OnAir("s1")) == [do.Show(), do.Play(Chime.ON_AIR)]
    assert robot(p.OnAir("s1")) == [], "it is on air already"
    assert robot.phase is Phase.LISTENING


def test_a_hand_cuts_the_broadcast_only_while_it_is_on_air(robot: Robot) -> None:
    assert robot(p.CutWished()) == []
    live(robot)
    assert robot(p.CutWished()) == [do.Cut("s1")]
    robot(p.Turn("s1", Phase.SPEAKING))
    assert robot(p.CutWished()) == [do.Cut("s1")], "again and again"
    robot(p.OffAir("s1", "lost"))
    assert robot(p.CutWished()) == []


def test_a_robot_that_may_not_broadcast_does_not_at_a_wish(robot: Robot) -> None:
    robot(p.Pressed(), p.Granted("s1", grant("s1", broadcast=False)), p.CallUp("s1"))
    assert robot(p.BroadcastWished(on=True)) == []


def test_an_answer_that_fails_is_heard_and_shown_until_somebody_speaks(robot: Robot) -> None:
    live(robot)
    commands = robot(p.AnswerFailed("s1", "rate_limit_exceeded", "too fast"))
    assert commands == [
        do.Show(),
        do.ReportFault("s1", "rate_limit_exceeded", "too fast"),
        do.Play(Chime.ERROR),
        do.Excuse("rate_limit_exceeded", "en"),
    ]
    assert (robot.phase, robot.session.trouble) == (Phase.LISTENING, "rate_limit_exceeded")
    assert do.FallSilent() in robot(p.Speech("s1", began=True)), "nobody has to listen to excuses"
    assert robot.session.trouble is None
    assert do.FallSilent() not in robot(p.Speech("s1", began=False), p.Speech("s1", began=True))
    robot(p.Turn("s1", Phase.SPEAKING))
    cut = robot(p.AnswerFailed("s1", "content_filter", ""))
    assert not [command for command in cut if isinstance(command, do.Excuse)], "half of the answer is being heard"
    robot(p.Pressed(), p.Released("s1"))
    assert (robot.phase, robot.session.trouble) == (Phase.IDLE, None)


def test_without_money_the_conversation_ends_audibly(robot: Robot) -> None:
    live(robot)
    commands = robot(p.AnswerFailed("s1", "insufficient_quota", "no money"))
    assert do.Play(Chime.ERROR) in commands
    assert do.Release("s1") in commands
    robot(p.Released("s1"))
    assert (robot.phase, robot.session.fault) == (Phase.FAULT, "insufficient_quota")


@pytest.mark.parametrize("event", [p.Ready(), p.Pressed()])
def test_an_operator_may_use_a_tool_at_any_time(robot: Robot, event: p.Event) -> None:
    robot(event)
    assert robot(p.ToolOrdered("c5", "o", "lamp", '{"on":true}')) == [
        do.Acknowledge("c5", Step.ACCEPTED, "lamp"),
        do.UseTool("c5", "lamp", '{"on":true}'),
    ]


def test_what_an_operator_wants_said_is_said_in_a_conversation_only(robot: Robot) -> None:
    assert robot(p.SayWished("hello", 1)) == []
    assert live(robot)(p.SayWished("hello", 2)) == [do.Prompt("s1", "hello", 2)]
    assert robot(p.Heeded("s1", 2)) == [do.Settle(2)]


def test_what_an_operator_wants_said_has_failed_when_the_conversation_ends_before(robot: Robot) -> None:
    live(robot)(p.SayWished("hello", 1))
    assert do.Settle(1, "the conversation has ended: button") in robot(p.Pressed())
    assert robot(p.Heeded("s1", 1)) == []


def test_a_question_in_writing_is_put_to_the_model_and_breaks_the_silence(robot: Robot) -> None:
    assert robot(p.Written("where?", 1)) == []
    robot(p.Pressed(), p.Granted("s1", grant("s1", prompts=Prompts(warning="hm?", farewell="bye"))), p.CallUp("s1"))
    assert do.Prompt("s1", "hm?") in robot.wait()
    asked_about = robot.session.deadline
    assert robot(p.Written("where?", 2)) == [do.Write("s1", "where?", 2)]
    assert asked_about is not None
    assert robot.session.deadline is not None
    assert robot.session.deadline > asked_about, "nobody says goodbye to whoever has just asked"
    assert do.Prompt("s1", "hm?") in robot.wait(), "but asks again"


FINAL = {Step.REJECTED, Step.SUCCEEDED, Step.FAILED}

EVENTS: Sequence[p.Event] = (
    p.BrokerUp(),
    p.BrokerDown(),
    p.Pressed(),
    p.StartOrdered("c", "o"),
    p.StopOrdered("d", "o"),
    *(p.Granted(f"s{n}", grant(f"s{n}", prompts=Prompts(warning="hm?", farewell="bye"))) for n in (1, 2)),
    *(p.Refused(f"s{n}", "BUSY", "") for n in (1, 2)),
    *(p.CallUp(f"s{n}") for n in (1, 2)),
    p.CallLost("s1", "media", ""),
    p.CallLost("s2", None, ""),
    *(p.CallLost("s1", code, "", call, renewable=True) for code in ("media", None) for call in (0, 1)),
    *(p.SpareReady("s1", spare) for spare in (1, 2)),
    *(p.SpareLost("s1", spare, code, "") for spare, code in ((1, "UPSTREAM"), (1, "BUDGET"), (2, "media"))),
    *(p.Speech("s1", began) for began in (True, False)),
    *(p.Turn("s1", phase) for phase in sorted(LIVE)),
    p.Spoken("s1"),
    *(kind(text, wish) for wish in (1, 2) for kind, text in ((p.SayWished, "hello"), (p.Written, "where?"))),
    *(p.Heeded("s1", wish, "", call) for wish in (1, 2) for call in (0, 1)),
    p.AnswerFailed("s1", "rate_limit_exceeded", ""),
    p.AnswerFailed("s2", "insufficient_quota", ""),
    *(p.MuteWished(on) for on in (True, False)),
    *(p.MuteSwitched(off) for off in (True, False, None)),
    *(p.LetGo(seconds) for seconds in (0.1, 3.0)),
    p.ClaimWished(),
    p.Granted("s1", grant("s1", limits=Limits(longest=100, idle=20, push_to_talk=True))),
    p.Hushed(),
    *(p.BroadcastWished(on) for on in (True, False)),
    *(p.EndWished("s1", said) for said in (True, False)),
    p.OnAir("s1"),
    p.OffAir("s1", ""),
    GONE,
    p.SoundBack(),
    p.CutWished(),
    p.Stalled("nothing is captured any more"),
    *(p.Released(f"s{n}") for n in (1, 2)),
    p.Elapsed(),
    p.Quit(),
)


@given(st.lists(st.sampled_from(EVENTS), max_size=60))
def test_whatever_happens_what_is_opened_is_released_and_orders_are_answered(events: list[p.Event]) -> None:
    robot = Robot()
    robot(p.Ready())
    orders = set()
    for number, asked in enumerate(events):
        event, before = asked, robot.phase
        if isinstance(event, p.StartOrdered | p.StopOrdered) and before is not Phase.STOPPED:
            event = type(event)(f"order{number}", "o")
            orders.add(event.command)
        row = TABLE.get((before, type(event)))
        robot.now += 1
        robot(event)
        assert robot.phase is before or (row is not None and robot.phase in row.leads_to)
        held = {c.session for c in robot.asked if isinstance(c, do.Mint)}
        released = [c.session for c in robot.asked if isinstance(c, do.Release)]
        assert len(released) == len(set(released))
        assert held - set(released) <= {robot.session.id}
        assert {c.session for c in robot.asked if isinstance(c, do.OpenCall)} <= held
        if robot.phase in AT_REST:
            assert held <= set(released)
            assert not robot.session.on_air
            assert not robot.session.muted
            assert robot.session.trouble is None
    put = {c.wish for c in robot.asked if isinstance(c, do.Prompt | do.Write) and c.wish}
    settled = {c.wish for c in robot.asked if isinstance(c, do.Settle)}
    assert robot.phase in TALKING or put <= settled, "an operator waits for ever"
    told = [c.command for c in robot.asked if isinstance(c, do.Acknowledge) and c.step in FINAL]
    assert len(told) == len(set(told))
    if robot.phase in {Phase.IDLE, Phase.OFFLINE, Phase.FAULT, Phase.STOPPED}:
        assert set(told) == orders


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_who_is_told_to_quit_does_not_stay_to_show_that_something_stands_still(
    robot: Robot, order: tuple[int, int]
) -> None:
    events = (p.Stalled("nothing is captured any more"), p.Quit())
    robot(p.Pressed(), *(events[number] for number in order))
    assert do.Exit() in robot(p.Released("s1"))
    assert robot.phase is Phase.STOPPED


@given(st.lists(st.sampled_from(EVENTS), max_size=40))
def test_whatever_happens_quit_ends_it(events: list[p.Event]) -> None:
    robot = Robot()
    robot(p.Ready(), *events, p.Quit())
    if robot.phase is Phase.ENDING:
        robot(p.Released(robot.session.id or ""))
    assert robot.phase is Phase.STOPPED
    assert any(isinstance(command, do.Exit) for command in robot.asked)


def test_the_diagram_in_the_docs_is_drawn_from_the_table() -> None:
    assert Path("docs/session.md").read_text(encoding="utf-8") == document()


@pytest.mark.parametrize("online", [True, False])
def test_at_rest_it_makes_way_for_another_version(robot: Robot, online: bool) -> None:
    if not online:
        robot(p.BrokerDown())
    assert robot(p.UpdateStaged("0.2.0")) == [do.Show(), do.Exit(update=True)]
    assert robot.phase is Phase.STOPPED


def test_while_somebody_talks_it_does_not(robot: Robot) -> None:
    live(robot)
    assert robot(p.UpdateStaged("0.2.0")) == []
    robot(p.Pressed())
    assert robot(p.UpdateStaged("0.2.0")) == []
    robot(p.Released("s1"))
    assert do.Exit(update=True) in robot(p.UpdateStaged("0.2.0"))


def test_whoever_pressed_before_is_not_sent_away(robot: Robot) -> None:
    robot(p.Pressed())
    assert robot(p.UpdateStaged("0.2.0")) == []
    assert robot.phase is Phase.PREPARING
