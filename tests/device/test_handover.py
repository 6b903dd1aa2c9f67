"""One call after another: what the session machine does about it, and that nothing is ever left or stuck."""

from __future__ import annotations

import itertools
from typing import Final

import pytest
from hypothesis import settings as rigour
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from device import command as do
from device import phase as p
from device.command import Command
from device.handover import AGAIN, INTERRUPTED, LAST_MOMENT, PAUSE, Stage
from device.messages.minting import CLOSING, BroadcastGrant, Grant, Limits, OpenAIGrant, Prompts
from device.messages.secret import Secret
from device.phase import AT_REST, LIVE, TALKING, Chime, Phase
from device.session import Session
from device.timing import Timing

HOUR: Final = 3600.0
LIMITS: Final = Limits(longest=4 * HOUR, idle=5 * HOUR)
TIMING: Final = Timing()


def grant(session: str, limits: Limits = LIMITS, prompts: Prompts | None = None) -> Grant:
    return Grant(
        session=session,
        openai=OpenAIGrant(base_url="http://localhost/v1", secret=Secret("ek_x"), expires_at=1e10, model="m"),
        broadcast=BroadcastGrant(signalling_urls=["ws://localhost/"], channel_id="c"),
        limits=limits,
        prompts=prompts or Prompts(),
    )


class Robot:
    """A session that talks and is on air, and its clock."""

    def __init__(self, limits: Limits = LIMITS, prompts: Prompts | None = None) -> None:
        ids = itertools.count(1)
        self.session = Session(lambda: f"s{next(ids)}", TIMING)
        self.now = self.began = 1000.0
        self(p.Ready(), p.BrokerUp(), p.Pressed(), p.Granted("s1", grant("s1", limits, prompts)))
        self(p.CallUp("s1"), p.OnAir("s1"))
        assert self.session.phase is Phase.LISTENING

    def __call__(self, *events: p.Event) -> list[Command]:
        return [command for event in events for command in self.session.handle(event, self.now)]

    def wait(self) -> list[Command]:
        assert self.session.deadline is not None
        self.now = self.session.deadline
        return self(p.Elapsed())

    @property
    def stage(self) -> Stage:
        assert self.session._handover is not None
        return self.session._handover.stage

    def asked(self) -> list[Command]:
        """Let time pass until a second call is asked for."""
        return self.wait()


def lost(call: int = 0, *, broke_off: bool = False, code: str | None = "media") -> p.CallLost:
    return p.CallLost("s1", code, "no sound for 4 s", call, renewable=True, broke_off=broke_off)


def test_a_second_call_is_asked_for_in_time_and_takes_over_in_a_pause_unnoticed() -> None:
    robot = Robot()
    assert robot.asked() == [do.Renew("s1", 1)]
    assert robot.now == robot.began + TIMING.renew
    robot.now += 2
    robot(p.Speech("s1", began=True))
    assert robot(p.SpareReady("s1", 1)) == []
    robot.now += 9
    robot(p.Speech("s1", began=False), p.Turn("s1", Phase.THINKING), p.Turn("s1", Phase.SPEAKING))
    robot.now += 9
    robot(p.Turn("s1", Phase.LISTENING), p.Spoken("s1"))
    quiet = robot.now
    assert robot.wait() == [do.Switch("s1", 1)]
    assert robot.now == quiet + PAUSE
    assert (robot.session.phase, robot.session.on_air, robot.stage) == (Phase.LISTENING, True, Stage.SINGLE)
    assert robot.session.deadline == robot.began + 2 * TIMING.renew, "the next one counts from when it was asked for"


def test_a_pause_that_began_before_the_second_call_was_there_counts() -> None:
    robot = Robot()
    robot.asked()
    robot.now += 3
    robot(p.SpareReady("s1", 1))
    assert robot.session.deadline is not None
    assert robot.session.deadline <= robot.now
    assert robot.wait() == [do.Switch("s1", 1)]


def test_what_the_call_before_tells_after_the_change_is_dropped() -> None:
    robot = Robot()
    robot.asked()
    robot(p.SpareReady("s1", 1))
    robot.wait()
    late = (
        p.Turn("s1", Phase.THINKING),
        p.Speech("s1", began=True),
        lost(0),
        p.Spoken("s1"),
        p.EndWished("s1", said=True),
    )
    assert robot(*late) == []
    assert (robot.session.phase, robot.session.dropped) == (Phase.LISTENING, len(late))
    robot(p.Turn("s1", Phase.THINKING, 1))
    assert robot.session.phase is Phase.THINKING


def test_a_prompt_is_not_left_with_the_call_that_is_left() -> None:
    robot = Robot()
    robot.asked()
    robot.now += 3
    robot(p.SpareReady("s1", 1), p.SayWished("hello", 1))
    assert robot.session.deadline == robot.now + PAUSE
    assert robot.wait() == [do.Switch("s1", 1), do.Prompt("s1", "hello", 1)], (
        "it was not answered, so the next is asked"
    )
    assert robot(p.Heeded("s1", 1, "", 0)) == [], "by the call that was left"
    assert robot(p.Heeded("s1", 1, "", 1)) == [do.Settle(1)]


def test_what_an_operator_wants_while_there_is_no_call_waits_for_the_next() -> None:
    robot = Robot()
    robot(lost())
    assert robot(p.SayWished("hello", 1), p.Written("where?", 2)) == []
    assert robot(p.SpareReady("s1", 1)) == [
        do.Show(),
        do.Switch("s1", 1),
        do.Prompt("s1", "hello", 1),
        do.Write("s1", "where?", 2),
    ]
    assert robot(lost(1)) == [do.Show(), do.Renew("s1", 2)], "and for the one after it"
    assert robot(p.SpareReady("s1", 2))[2:] == [do.Prompt("s1", "hello", 1), do.Write("s1", "where?", 2)]


def test_what_an_operator_wants_while_there_is_no_call_fails_when_none_comes() -> None:
    robot = Robot()
    robot(lost(), p.SayWished("hello", 1))
    assert do.Settle(1, "the conversation has ended: media") in robot(p.SpareLost("s1", 1, "BUDGET", "no money"))


def test_what_is_asked_in_writing_while_there_is_no_call_breaks_the_silence() -> None:
    robot = Robot(Limits(longest=4 * HOUR, idle=100), Prompts(warning="hm?", farewell="bye"))
    robot.wait()
    robot(lost(), p.Written("where?", 1))
    robot(p.SpareReady("s1", 1))
    assert robot.session.deadline == robot.now + 100, "and not the 12 s for an answer to the question"


def test_where_nobody_ever_pauses_it_changes_at_the_last_moment() -> None:
    robot = Robot()
    robot.asked()
    robot(p.Turn("s1", Phase.SPEAKING), p.SpareReady("s1", 1))
    assert robot.wait() == [do.Show(), do.Switch("s1", 1)]
    assert robot.now == robot.began + HOUR - LAST_MOMENT
    assert robot.session.phase is Phase.LISTENING


def test_the_silence_that_somebody_is_asked_about_goes_on_over_a_change() -> None:
    robot = Robot(Limits(longest=4 * HOUR, idle=TIMING.renew + 10))
    robot.asked()
    robot(p.SpareReady("s1", 1))
    robot.wait()
    assert robot.session.deadline == robot.began + TIMING.renew + 10


def test_a_session_that_ends_before_its_call_needs_no_other() -> None:
    robot = Robot(Limits(longest=HOUR, idle=2 * HOUR, notice=0))
    robot.wait()
    assert robot.now == robot.began + HOUR
    assert robot.session.phase is Phase.ENDING


def test_what_the_cloud_says_of_a_call_counts_where_it_is_less() -> None:
    robot = Robot(Limits(longest=HOUR, idle=HOUR, call=60.0))
    assert robot.asked() == [do.Renew("s1", 1)]
    assert robot.now == pytest.approx(robot.began + 55.0)


def test_a_second_call_that_fails_is_tried_again_while_there_is_time() -> None:
    robot = Robot()
    robot.asked()
    tries = 1
    while robot(p.SpareLost("s1", tries, "UPSTREAM", "503")) == []:
        assert robot.wait() == [do.Renew("s1", tries + 1)]
        tries += 1
    assert tries == 5
    assert robot.stage is Stage.LAST


@pytest.mark.parametrize("code", ["BUDGET", "QUOTA", "DENIED", "REVOKED"])
def test_refused_for_good_the_talk_goes_on_to_the_end_of_its_call_and_says_goodbye(code: str) -> None:
    robot = Robot()
    robot.asked()
    assert robot(p.SpareLost("s1", 1, code, "no more")) == [do.ReportFault("s1", "renewal", f"{code}: no more")]
    assert robot.session.phase is Phase.LISTENING
    assert robot.wait() == [do.Show(), do.Prompt("s1", CLOSING.replace("{seconds}", "30"))]
    assert (robot.now, robot.session.ends_at) == (
        robot.began + HOUR - LAST_MOMENT - 30,
        robot.began + HOUR - LAST_MOMENT,
    )
    assert robot.wait() == [do.Show(), do.Play(Chime.END), do.Release("s1")]
    assert robot.now == robot.began + HOUR - LAST_MOMENT
    assert [c.reason for c in robot(p.Released("s1")) if isinstance(c, do.ReportEnded)] == ["longest"]
    assert robot.session.fault is None


def test_an_end_that_was_told_is_none_where_another_call_comes_after_all() -> None:
    robot = Robot()
    robot.asked()
    robot(p.SpareLost("s1", 1, "BUDGET", "no more"))
    robot.wait()
    told = robot.session.ends_at
    assert told == robot.began + HOUR - LAST_MOMENT
    robot(lost(), p.SpareReady("s1", 2))
    assert robot.session.phase is Phase.LISTENING
    assert robot.session.ends_at is None


def test_a_call_that_dies_is_followed_by_another_while_the_broadcast_goes_on() -> None:
    robot = Robot()
    assert robot(lost()) == [do.Show(), do.Renew("s1", 1)]
    assert (robot.session.phase, robot.session.on_air, robot.session.fault) == (Phase.RECONNECTING, True, None)
    robot.now += 2
    assert robot(p.SpareReady("s1", 1)) == [do.Show(), do.Switch("s1", 1)]
    assert (robot.session.phase, robot.session.on_air) == (Phase.LISTENING, True)


def test_an_answer_that_was_broken_off_is_gone_on_with() -> None:
    robot = Robot()
    robot(lost(broke_off=True))
    assert robot(p.SpareReady("s1", 1))[1:] == [do.Switch("s1", 1), do.Prompt("s1", INTERRUPTED)]
    robot(lost(1))
    assert robot(p.SpareReady("s1", 2))[1:] == [do.Switch("s1", 2)]


def test_where_a_second_call_waits_the_one_that_dies_is_followed_at_once() -> None:
    robot = Robot()
    robot.asked()
    robot(p.Turn("s1", Phase.SPEAKING), p.SpareReady("s1", 1))
    assert robot(lost(broke_off=True)) == [do.Show(), do.Switch("s1", 1), do.Prompt("s1", INTERRUPTED)]
    assert robot.session.phase is Phase.LISTENING


def test_a_call_that_dies_while_a_second_is_brought_up_waits_for_that_one() -> None:
    robot = Robot()
    robot.asked()
    assert robot(lost()) == [do.Show()]
    assert robot.session.phase is Phase.RECONNECTING
    assert do.Switch("s1", 1) in robot(p.SpareReady("s1", 1))


def test_without_a_call_it_tries_again_and_again_and_then_fails_as_ever() -> None:
    robot = Robot()
    began = robot.now
    robot(lost())
    tries = 1
    while robot.session.phase is Phase.RECONNECTING:
        robot.now += 1
        robot(p.SpareLost("s1", tries, "broker", "no connection"))
        asked = robot.wait()
        tries += do.Renew("s1", tries + 1) in asked
    assert robot.now == began + TIMING.reconnect
    assert tries == pytest.approx(TIMING.reconnect / (AGAIN + 1), abs=1)
    assert (robot.session.phase, robot.session.fault) == (Phase.ENDING, "media")


def test_refused_while_it_has_no_call_it_fails_at_once() -> None:
    robot = Robot()
    robot(lost())
    commands = robot(p.SpareLost("s1", 1, "BUDGET", "no money"))
    assert commands == [
        do.Show(),
        do.ReportFault("s1", "media", "no sound for 4 s"),
        do.Play(Chime.ERROR),
        do.Release("s1"),
    ]


def test_a_press_while_it_has_no_call_ends_it() -> None:
    robot = Robot()
    robot(lost())
    assert robot(p.Pressed()) == [do.Show(), do.Play(Chime.END), do.Release("s1")]
    assert robot(p.SpareReady("s1", 1)) == []


def test_who_holds_the_button_while_the_call_dies_is_heard_by_the_next() -> None:
    robot = Robot(Limits(longest=4 * HOUR, idle=5 * HOUR, push_to_talk=True))
    robot(p.LetGo(0.1), p.Pressed(), lost())
    assert robot(p.SpareReady("s1", 1)) == [do.Show(), do.Switch("s1", 1), do.TakeFloor("s1", fresh=False)]
    assert robot(p.LetGo(2.0)) == [do.Show(), do.GiveFloor("s1")]


def test_who_takes_leave_needs_no_other_call() -> None:
    robot = Robot()
    robot(p.EndWished("s1", said=False))
    assert do.Release("s1") in robot(lost())
    assert [c.reason for c in robot(p.Released("s1")) if isinstance(c, do.ReportEnded)] == ["goodbye"]


def test_a_call_that_the_service_expires_ends_the_talk_unless_another_is_under_way() -> None:
    robot = Robot()
    assert robot(lost(code=None))[1:] == [do.Play(Chime.END), do.Release("s1")]
    robot = Robot()
    robot.asked()
    robot(lost(code=None))
    assert robot.session.phase is Phase.RECONNECTING


def test_a_call_that_took_over_and_was_gone_already_is_one_that_died() -> None:
    robot = Robot()
    robot.asked()
    robot(p.SpareReady("s1", 1))
    robot.wait()
    assert robot(p.SpareLost("s1", 1, "media", "gone")) == [do.Show(), do.Renew("s1", 2)]
    assert robot.session.phase is Phase.RECONNECTING


class World:
    """The hands of the machine, in simulated time: calls that come up or not, and die, whenever they like."""

    def __init__(self) -> None:
        self.call: int | None = None
        self.asked: int | None = None
        self.spare: int | None = None
        self.closed: list[int] = []
        self.opened: list[int] = []
        self.held = self.on_air = False

    def obey(self, command: Command) -> None:
        match command:
            case do.Mint():
                self.held, self.opened, self.closed = True, [], []
            case do.OpenCall():
                self.call = 0
                self.opened.append(0)
            case do.Renew(_, call):
                assert self.asked is None, "one at a time"
                assert self.spare is None
                self.asked = call
                self.opened.append(call)
            case do.Switch(_, call):
                assert call == self.spare
                self.close(self.call)
                self.call, self.spare = call, None
            case do.OpenBroadcast():
                self.on_air = True
            case do.CloseBroadcast():
                self.on_air = False
            case do.Release():
                for held in (self.call, self.spare, self.asked):
                    self.close(held)
                self.call = self.spare = self.asked = None
                self.held = self.on_air = False

    def close(self, call: int | None) -> None:
        if call is not None:
            self.closed.append(call)


class Life(RuleBasedStateMachine):
    """A robot whose calls last minutes, and whose world does what it likes: nothing is left, nothing is stuck."""

    def __init__(self) -> None:
        super().__init__()
        ids = itertools.count(1)
        self.session = Session(lambda: f"s{next(ids)}", Timing(renew=50, retry=5))
        self.world, self.now = World(), 0.0

    @property
    def id(self) -> str:
        return self.session.id or ""

    def happens(self, event: p.Event) -> None:
        for command in self.session.handle(event, self.now):
            self.world.obey(command)
            if isinstance(command, do.Release):
                self.happens(p.Released(command.session))

    @initialize()
    def begin(self) -> None:
        self.happens(p.Ready())
        self.happens(p.BrokerUp())
        self.somebody_talks()

    @precondition(lambda self: self.session.deadline is not None)
    @rule()
    def what_is_due_comes(self) -> None:
        self.now = max(self.now, self.session.deadline or 0.0)
        self.happens(p.Elapsed())

    @rule(seconds=st.floats(0.1, 30))
    def time_passes(self, seconds: float) -> None:
        end = self.now + seconds
        for _ in range(100):
            if self.session.deadline is None or self.session.deadline > end:
                break
            self.what_is_due_comes()
        else:
            raise AssertionError("what is due stays due")
        self.now = end

    @precondition(lambda self: self.session.phase in AT_REST)
    @rule()
    def somebody_talks(self) -> None:
        self.happens(p.Pressed())
        limits = Limits(longest=400, idle=300, call=100)
        self.happens(p.Granted(self.id, grant(self.id, limits, Prompts(warning="hm?", farewell="bye"))))
        self.happens(p.CallUp(self.id))

    @precondition(lambda self: self.session.phase in LIVE and self.world.call is not None)
    @rule(phase=st.sampled_from(sorted(LIVE)))
    def turn(self, phase: Phase) -> None:
        self.happens(p.Turn(self.id, phase, self.world.call or 0))

    @precondition(lambda self: self.session.phase is Phase.LISTENING and self.world.call is not None)
    @rule(began=st.booleans())
    def speech(self, began: bool) -> None:
        self.happens(p.Speech(self.id, began, self.world.call or 0))

    @precondition(lambda self: self.world.asked is not None)
    @rule()
    def another_comes_up(self) -> None:
        number, self.world.asked = self.world.asked or 0, None
        self.world.spare = number
        self.happens(p.SpareReady(self.id, number))

    @precondition(lambda self: self.world.asked is not None)
    @rule(code=st.sampled_from(["BUDGET", "UPSTREAM", "broker", "media"]))
    def another_is_refused(self, code: str) -> None:
        number, self.world.asked = self.world.asked or 0, None
        self.world.close(number)
        self.happens(p.SpareLost(self.id, number, code, ""))

    @precondition(lambda self: self.world.spare is not None)
    @rule()
    def the_spare_dies(self) -> None:
        number, self.world.spare = self.world.spare or 0, None
        self.world.close(number)
        self.happens(p.SpareLost(self.id, number, "media", ""))

    @precondition(lambda self: self.world.call is not None)
    @rule(broke_off=st.booleans(), code=st.sampled_from(["media", None]))
    def the_call_dies(self, broke_off: bool, code: str | None) -> None:
        number, self.world.call = self.world.call or 0, None
        self.world.close(number)
        self.happens(p.CallLost(self.id, code, "gone", number, renewable=True, broke_off=broke_off))

    @precondition(lambda self: self.session.phase in TALKING)
    @rule(event=st.sampled_from([p.Pressed(), p.BroadcastWished(on=False), p.SayWished("hello", 1)]))
    def somebody_wishes(self, event: p.Event) -> None:
        self.happens(event)

    @invariant()
    def what_is_open_is_known_and_what_is_known_has_an_end(self) -> None:
        world = self.world
        open_now = sorted(call for call in (world.call, world.spare, world.asked) if call is not None)
        assert sorted(set(world.opened) - set(world.closed)) == open_now
        assert len(world.closed) == len(set(world.closed))
        assert len(open_now) <= 2
        assert world.held is (self.session.phase in TALKING | {Phase.PREPARING})
        if self.session.phase in TALKING:
            assert self.session.deadline is not None
            assert self.session.deadline <= self.now + 400
        else:
            assert not open_now
            assert not world.on_air
        if self.session.phase in LIVE:
            assert world.call is not None
            assert world.call == self.session._call

    def teardown(self) -> None:
        """Whatever happened: with nobody and nothing to help it, it comes to rest by itself, with all given back."""
        for _ in range(500):
            if self.session.deadline is None:
                break
            self.what_is_due_comes()
        assert self.session.phase in AT_REST | {Phase.STARTING}
        assert set(self.world.opened) == set(self.world.closed)


TestLife = Life.TestCase
TestLife.settings = rigour(max_examples=60, stateful_step_count=40, deadline=None)
