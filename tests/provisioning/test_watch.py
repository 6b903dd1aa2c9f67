from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from device.messages.reports import DeviceState, Lifecycle
from provisioning.sessions import Session
from provisioning.watch import ABSENCE, BEGINNING, HEARD_SECONDS, OBEDIENCE, Ending, Watch
from tests.provisioning.naive_watch import Naive

START = 1000.0
DEADLINE = 1600.0
GRACE = 15.0


def watch() -> Watch:
    watched = Watch(GRACE)
    watched.keep(Session("s", "robot-1", "button", START, DEADLINE), START)
    return watched


def state(session: str | None, lifecycle: Lifecycle = Lifecycle.READY, device: str = "robot-1") -> DeviceState:
    return DeviceState(device=device, lifecycle=lifecycle, session=session)


def ending(watched: Watch, now: float) -> str | None:
    endings = watched.due(now)
    return endings[0].reason if endings else None


def test_a_session_ends_at_its_deadline_and_some_grace() -> None:
    watched = watch()
    assert watched.next_due() == DEADLINE + GRACE
    assert ending(watched, DEADLINE + GRACE - 1) is None
    assert ending(watched, DEADLINE + GRACE) == "deadline"
    assert watched.next_due() is None
    assert watched.due(DEADLINE * 2) == []


def test_what_is_known_of_a_session_stays_when_it_is_kept_again() -> None:
    watched = watch()
    watched.ended("robot-1", "s", 1010.0, "device: button")
    watched.keep(Session("s", "robot-1", "button", START, DEADLINE), START)
    assert ending(watched, 1010.0) == "device: button"


def test_the_call_to_hang_up_is_the_device_s_own() -> None:
    watched = watch()
    assert watched.answered("robot-2", "s", "rtc_x") is None
    assert watched.answered("robot-1", "other", "rtc_x") is None
    assert watched.answered("robot-1", "s", "rtc_1") == []
    (found,) = watched.due(DEADLINE + GRACE)
    assert (found.call_ids, found.session.id) == (("rtc_1",), "s")


def test_while_one_call_takes_over_from_another_both_are_known() -> None:
    watched = watch()
    for call in ("rtc_1", "rtc_2", "rtc_2"):
        assert watched.answered("robot-1", "s", call) == []
    assert not watched.left("robot-2", "s", "rtc_1")
    assert not watched.left("robot-1", "s", "rtc_9")
    (found,) = watched.due(DEADLINE + GRACE)
    assert found.call_ids == ("rtc_1", "rtc_2")


def test_a_call_that_was_left_is_forgotten_unless_it_is_the_only_one() -> None:
    watched = watch()
    watched.answered("robot-1", "s", "rtc_1")
    assert watched.left("robot-1", "s", "rtc_1")
    watched.answered("robot-1", "s", "rtc_2")
    assert watched.left("robot-1", "s", "rtc_1")
    (found,) = watched.due(DEADLINE + GRACE)
    assert found.call_ids == ("rtc_2",)


def test_a_third_call_leaves_no_room_for_the_first() -> None:
    watched = watch()
    watched.answered("robot-1", "s", "rtc_1")
    watched.answered("robot-1", "s", "rtc_2")
    assert watched.answered("robot-1", "s", "rtc_3") == ["rtc_1"]
    (found,) = watched.due(DEADLINE + GRACE)
    assert found.call_ids == ("rtc_2", "rtc_3")


def test_the_device_s_word_ends_its_own_session_only() -> None:
    watched = watch()
    watched.ended("robot-2", "s", 1010.0, "no")
    assert watched.due(1010.0) == []
    watched.ended("robot-1", "s", 1010.0, "device: button")
    assert ending(watched, 1010.0) == "device: button"


def test_goodbye_and_a_new_start_end_it_at_once() -> None:
    for lifecycle in (Lifecycle.INIT, Lifecycle.DISCONNECTED):
        watched = watch()
        watched.on_state(state(None, lifecycle, "robot-2"), 1010.0)
        assert watched.due(1010.0) == []
        watched.on_state(state(None, lifecycle), 1010.0)
        assert ending(watched, 1010.0) == f"device {lifecycle}"


def test_a_lost_device_may_come_back_with_it() -> None:
    watched = watch()
    watched.on_state(state("s", Lifecycle.LOST), 1010.0)
    watched.on_state(state("s"), 1011.0)
    assert watched.due(1010.0 + ABSENCE) == []
    watched.on_state(state("s", Lifecycle.LOST), 1050.0)
    assert ending(watched, 1050.0 + ABSENCE) == "device lost"


def test_a_device_that_says_nothing_of_it_is_without_it() -> None:
    watched = watch()
    watched.on_state(state(None), START + 1)
    watched.on_state(state("other"), START + 2)
    assert watched.next_due() == START + BEGINNING
    watched.on_state(state("s"), START + 3)
    assert watched.next_due() == DEADLINE + GRACE
    watched.on_state(state(None), START + 100)
    assert ending(watched, START + 100) == "the device is without it"


def test_an_operator_s_stop_leaves_a_moment_to_obey() -> None:
    watched = watch()
    watched.stop("robot-1", 1010.0)
    assert ending(watched, 1010.0) is None
    assert ending(watched, 1010.0 + OBEDIENCE) == "operator"


ACTS = st.one_of(
    st.tuples(st.just("state"), st.sampled_from(Lifecycle), st.sampled_from(["s", "t", None])),
    st.tuples(st.just("stop"), st.none(), st.none()),
    st.tuples(st.just("ended"), st.none(), st.sampled_from(["s", "t"])),
    st.tuples(st.just("due"), st.none(), st.none()),
)


@given(st.lists(st.tuples(st.floats(0, 300), ACTS), max_size=20))
def test_whatever_a_device_says_every_session_ends_once_and_in_time(
    acts: list[tuple[float, tuple[str, Lifecycle | None, str | None]]],
) -> None:
    watched = watch()
    now, ends = START, 0
    for pause, (act, lifecycle, session) in acts:
        now += pause
        match act:
            case "state":
                assert lifecycle is not None
                watched.on_state(state(session, lifecycle), now)
            case "stop":
                watched.stop("robot-1", now)
            case "ended":
                watched.ended("robot-1", session or "", now, "device")
            case _:
                ends += len(watched.due(now))
        due = watched.next_due()
        assert due is None or due <= DEADLINE + GRACE
    ends += len(watched.due(max(now, DEADLINE + GRACE)))
    assert ends == 1
    assert watched.next_due() is None


def granted_after(watched: Watch, now: float = 1001.0) -> str | None:
    """Grant the session at last, and return how it ends at once."""
    watched.granted(Session("s", "robot-1", "button", START, DEADLINE), now)
    return ending(watched, now)


def test_a_device_that_left_while_its_session_was_granted_does_not_hold_it() -> None:
    watched = Watch(GRACE)
    watched.on_state(state(None, Lifecycle.DISCONNECTED), START + 0.5)
    assert granted_after(watched) == "device disconnected"


def test_a_device_that_gave_its_session_up_while_it_was_granted_does_not_hold_it() -> None:
    watched = Watch(GRACE)
    watched.ended("robot-1", "s", START + 0.5, "device: button")
    watched.ended("robot-2", "s", START + 0.5, "no")
    watched.ended("robot-1", "the next", START + 0.6, "device: button again")
    assert granted_after(watched) == "device: button"


def test_a_device_that_left_before_it_asked_is_there_again() -> None:
    watched = Watch(GRACE)
    watched.on_state(state(None, Lifecycle.DISCONNECTED), START - 1.0)
    assert granted_after(watched) is None
    watched.on_state(state("s"), 1002.0)
    assert watched.next_due() == DEADLINE + GRACE


def test_a_device_that_says_nothing_of_a_granted_session_does_not_hold_it_for_long() -> None:
    watched = Watch(GRACE)
    assert granted_after(watched) is None
    assert watched.next_due() == START + BEGINNING


def test_a_device_whose_card_shows_the_session_before_it_is_granted_holds_it() -> None:
    watched = Watch(GRACE)
    watched.on_state(state("s"), START + 0.5)
    assert granted_after(watched) is None
    assert watched.next_due() == DEADLINE + GRACE


def test_a_device_lost_while_its_session_was_granted_is_given_a_moment() -> None:
    watched = Watch(GRACE)
    watched.on_state(state(None, Lifecycle.LOST), START + 0.5)
    assert granted_after(watched, 1001.0) is None
    assert watched.next_due() == 1001.0 + ABSENCE


def silent(patience: float = 60.0) -> Watch:
    watched = Watch(GRACE, patience)
    watched.keep(Session("s", "robot-1", "button", START, DEADLINE), START)
    return watched


def test_a_device_that_says_nothing_for_long_does_not_hold_its_session() -> None:
    watched = silent()
    assert watched.next_due() == START + 60
    watched.heard("robot-2", START + 50)
    watched.heard("robot-1", START + 50)
    assert ending(watched, START + 109) is None
    assert ending(watched, START + 110) == "device silent"


def test_nobody_is_silent_while_we_cannot_hear() -> None:
    watched = silent()
    watched.excuse(START + 59)
    assert watched.next_due() == START + 119


def test_what_costs_more_than_was_put_aside_ends_at_once_and_only_of_its_own_device() -> None:
    watched = watch()
    watched.overspent("robot-2", "s", 1010.0)
    watched.overspent("robot-1", "other", 1010.0)
    assert watched.due(1010.0) == []
    watched.overspent("robot-1", "s", 1010.0)
    assert ending(watched, 1010.0) == "budget"


def test_a_halt_ends_everything_and_tells_whether_there_was_anything() -> None:
    watched = watch()
    watched.keep(Session("t", "robot-2", "button", START, DEADLINE), START)
    assert watched.halt(1010.0, "halted: smoke")
    assert not watched.halt(1010.0, "halted: smoke")
    assert [found.reason for found in watched.due(1010.0)] == ["halted: smoke"] * 2
    assert not watched.halt(1011.0, "halted: smoke")


def test_a_revoked_device_loses_what_goes_on_at_once_and_nobody_else_does() -> None:
    watched = watch()
    watched.keep(Session("t", "robot-2", "button", START, DEADLINE), START)
    assert not watched.revoked("robot-3", 1010.0)
    assert watched.revoked("robot-1", 1010.0)
    assert not watched.revoked("robot-1", 1010.0)
    assert [(found.session.id, found.reason) for found in watched.due(1010.0)] == [("s", "revoked")]


def test_what_is_due_comes_in_the_order_of_its_times() -> None:
    watched = Watch(GRACE)
    for number, deadline in enumerate((30.0, 10.0, 20.0)):
        watched.keep(Session(str(number), f"robot-{number}", "button", START, deadline), START)
    assert [found.session.id for found in watched.due(DEADLINE)] == ["1", "2", "0"]


def test_what_a_device_said_long_ago_is_forgotten() -> None:
    watched = Watch(GRACE)
    watched.on_state(state(None, Lifecycle.DISCONNECTED), START)
    watched.on_state(state(None, Lifecycle.READY, "robot-2"), START + HEARD_SECONDS)
    assert len(watched._heard) == 1
    assert watched._heard.get("robot-1", START + HEARD_SECONDS) is None


DEVICES = st.sampled_from(["robot-1", "robot-2", "robot-3"])
SESSIONS = st.sampled_from(["s", "t", "u", "v"])
CARDS = st.builds(state, st.one_of(st.none(), SESSIONS), st.sampled_from(Lifecycle), DEVICES)
WATCHED = st.builds(
    lambda name, device, seconds: Session(name, device, "button", START, START + seconds),
    SESSIONS,
    DEVICES,
    st.integers(0, 200),
)
REASONS = st.sampled_from(["one", "another"])

Step = tuple[str, Sequence[Any]]


def acts(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(name), st.tuples(*arguments))


STEPS = st.one_of(
    acts("granted", WATCHED),
    acts("keep", WATCHED),
    acts("heard", DEVICES),
    acts("excuse"),
    acts("overspent", DEVICES, SESSIONS),
    acts("revoked", DEVICES),
    acts("ended", DEVICES, SESSIONS),
    acts("on_state", CARDS),
    acts("stop", DEVICES),
    acts("answered", DEVICES, SESSIONS, st.sampled_from(["rtc_1", "rtc_2", "rtc_3"])),
    acts("find", DEVICES, SESSIONS),
    acts("halt"),
)

TIMELESS = {"answered", "find"}
WITH_REASON = {"ended", "halt"}


def took(watched: Watch, step: Step, now: float, reason: str) -> Any:
    name, arguments = step
    method: Callable[..., Any] = getattr(watched, name)
    more = () if name in TIMELESS else (now, reason) if name in WITH_REASON else (now,)
    return method(*arguments, *more)


def told(endings: Sequence[Ending]) -> set[tuple[str, str, tuple[str, ...]]]:
    return {(found.session.id, found.reason, found.call_ids) for found in endings}


@given(st.lists(st.tuples(st.integers(0, 40), STEPS, REASONS), max_size=40))
def test_looking_at_few_finds_what_looking_at_all_does(steps: Sequence[tuple[int, Step, str]]) -> None:
    quick, naive, now = Watch(GRACE, 60.0), Naive(GRACE, 60.0), START
    for pause, step, reason in steps:
        now += pause
        assert took(quick, step, now, reason) == took(naive, step, now, reason)
        assert quick.next_due() == naive.next_due()
        endings = quick.due(now)
        assert told(endings) == told(naive.due(now))
        assert len({found.session.id for found in endings}) == len(endings)
    assert quick._kept.keys() == naive._kept.keys()
    assert {*quick._by_device} == {kept.session.device for kept in quick._kept.values()}
    assert len(quick._deadlines) == len(quick._kept)
