"""What an operator hears, what makes a version one for this board, and when a robot is well: decisions only."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.messages.commands import Step
from device.messages.releases import Release, order_of
from device.update.course import OFTEN, SELDOM, STILL, UNHEARD, Course, Seen
from device.update.fitness import MARGIN, Board, objection, room
from device.update.guard import Outcome, Trial
from device.update.health import Health

TRIAL = Trial("a1", "0.2.0", "updates/0.2.0", "versions/0.1.0")
NOTHING = Seen()


def ended(order: str = "a1", *, kept: bool = True) -> Seen:
    return Seen(outcome=Outcome(order, "0.2.0", kept, "" if kept else "it was not well", 0.0))


def test_from_the_first_word_to_the_last() -> None:
    course = Course("a1", 0.0)
    assert course.look(NOTHING, 0.0) == (Step.IN_PROGRESS, "handed over")
    assert course.look(Seen(text="1 of 80 MiB", at=1.0), OFTEN) == (Step.IN_PROGRESS, "1 of 80 MiB")
    assert course.look(Seen(text="2 of 80 MiB", at=2.0), OFTEN + 1) is None
    assert course.look(Seen(staged=TRIAL), 2 * OFTEN) == (Step.IN_PROGRESS, "0.2.0 begins when nobody talks")
    assert course.look(Seen(trial=TRIAL), 3 * OFTEN) == (Step.IN_PROGRESS, "0.2.0 is on trial")
    assert course.look(ended(), 3 * OFTEN + 1) == (Step.SUCCEEDED, "0.2.0 runs")


def test_a_version_that_was_gone_back_from_has_failed_and_why() -> None:
    assert Course("a1", 0.0).look(ended(kept=False), 0.0) == (Step.FAILED, "it was not well")


def test_the_end_of_another_order_is_not_ours() -> None:
    assert Course("a1", 0.0).look(ended("a0"), 0.0) == (Step.IN_PROGRESS, "handed over")


def test_who_waits_hears_again_that_it_goes_on() -> None:
    course = Course("a1", 0.0)
    course.look(Seen(staged=TRIAL), 0.0)
    assert course.look(Seen(staged=TRIAL), SELDOM - 1) is None
    assert course.look(Seen(staged=TRIAL), SELDOM) is not None


def test_a_version_that_waits_for_the_end_of_a_talk_waits_as_long_as_that_takes() -> None:
    course = Course("a1", 0.0)
    for hour in range(5):
        assert course.look(Seen(staged=TRIAL), hour * 3600.0) == (Step.IN_PROGRESS, "0.2.0 begins when nobody talks")


def test_where_nobody_takes_the_request_up_it_has_failed() -> None:
    course = Course("a1", 0.0)
    assert course.look(NOTHING, UNHEARD - 1) is not None
    step, reason = course.look(NOTHING, UNHEARD) or (Step.ACCEPTED, "")
    assert step is Step.FAILED
    assert "kaiwa-device-update.path" in reason


def test_what_stands_still_has_failed_and_what_is_slow_has_not() -> None:
    slow, stuck = Course("a1", 0.0), Course("a1", 0.0)
    for minute in range(30):
        told = slow.look(Seen(text="1 of 80 MiB", at=float(minute)), minute * 60.0)
        assert told == (Step.IN_PROGRESS, "1 of 80 MiB")
    stuck.look(Seen(text="1 of 80 MiB", at=1.0), 0.0)
    assert stuck.look(Seen(text="1 of 80 MiB", at=1.0), STILL) == (Step.FAILED, "it stands still: 1 of 80 MiB")


def loading(number: int) -> Seen:
    return Seen(text=f"{number} of 80 MiB", at=float(number))


@pytest.mark.parametrize(("seconds", "told"), [(4.9, None), (5.0, "2 of 80 MiB")])
def test_what_is_new_is_told_after_five_seconds(seconds: float, told: str | None) -> None:
    course = Course("a1", 0.0)
    assert course.look(loading(1), 0.0) == (Step.IN_PROGRESS, "1 of 80 MiB")
    assert course.look(loading(2), seconds) == (None if told is None else (Step.IN_PROGRESS, told))


@pytest.mark.parametrize(("seconds", "told"), [(19.9, False), (20.0, True)])
def test_what_is_not_new_is_told_again_after_twenty(seconds: float, told: bool) -> None:
    course = Course("a1", 0.0)
    course.look(loading(1), 0.0)
    assert (course.look(loading(1), seconds) is not None) is told


@pytest.mark.parametrize(("seconds", "step"), [(59.9, Step.IN_PROGRESS), (60.0, Step.FAILED)])
def test_somebody_has_a_minute_to_take_a_request_up(seconds: float, step: Step) -> None:
    found = Course("a1", 0.0).look(NOTHING, seconds)
    assert found is not None
    assert found[0] is step


@pytest.mark.parametrize(("seconds", "step"), [(599.9, Step.IN_PROGRESS), (600.0, Step.FAILED)])
def test_a_step_has_ten_minutes_to_go_on_from_when_it_last_did(seconds: float, step: Step) -> None:
    course = Course("a1", 0.0)
    course.look(loading(1), 0.0)
    course.look(loading(2), 100.0)
    found = course.look(loading(2), 100.0 + seconds)
    assert found is not None
    assert found[0] is step
    later = Course("a1", 0.0)
    later.look(loading(1), 0.0)
    assert later.look(Seen(text="1 of 80 MiB", at=2.0), 600.0) == (Step.IN_PROGRESS, "1 of 80 MiB"), (
        "it was written anew"
    )


def test_the_version_of_another_order_says_nothing_of_ours_but_that_something_goes_on() -> None:
    other = Trial("a0", "0.9.0", "updates/0.9.0", "versions/0.1.0")
    course = Course("a1", 0.0)
    for seen in (Seen(staged=other), Seen(trial=other)):
        assert course.look(seen, 1000.0) in {(Step.IN_PROGRESS, "handed over"), None}
    assert course.look(Seen(trial=TRIAL, staged=other), 2000.0) == (Step.IN_PROGRESS, "0.2.0 is on trial")


@given(st.lists(st.floats(0, 5), max_size=200))
def test_nobody_is_told_more_often_than_they_can_read(pauses: list[float]) -> None:
    course, now, told = Course("a1", 0.0), 0.0, list[float]()
    for number, pause in enumerate(pauses):
        now += pause
        if course.look(Seen(text=f"{number} of 80 MiB", at=now), now) is not None:
            told.append(now)
    assert all(later - earlier >= OFTEN for earlier, later in itertools.pairwise(told))


# A version for this board ---------------------------------------------------------------------------------------------

BOARD = Board("0.2.0", "arm64", "3.11")
VERSION = st.lists(st.integers(0, 30), min_size=2, max_size=4).map(lambda numbers: ".".join(map(str, numbers)))


def release(version: str = "0.3.0", back_from: str | None = None, **changes: str) -> Release:
    words = {"product": "kaiwa-device", "architecture": "arm64", "python": "3.11"} | changes
    return Release(
        version=version, size=10, unpacked=30, sha256="0" * 64, released_at=0.0, back_from=back_from, **words
    )


@pytest.mark.parametrize(
    ("offered", "why"),
    [
        (release(), ""),
        (release("0.10.0"), ""),
        (release("0.2.0"), "is what runs here"),
        (release("0.1.9"), "older than 0.2.0"),
        (release("0.1.9", "0.2.0"), ""),
        (release("0.1.9", "0.1.10"), "up to 0.1.10 only"),
        (release(product="kaiwa-cloud"), "not kaiwa-device"),
        (release(architecture="amd64"), "made for amd64"),
        (release(python="3.13"), "made for Python 3.13"),
    ],
)
def test_which_release_a_board_becomes(offered: Release, why: str) -> None:
    reason = objection(offered, BOARD)
    assert why in reason
    assert bool(why) is bool(reason)


def test_root_on_the_board_may_go_back_but_not_to_what_does_not_fit() -> None:
    assert objection(release("0.1.0"), BOARD, downgrade=True) == ""
    assert objection(release("0.1.0", python="3.13"), BOARD, downgrade=True)


@given(VERSION, VERSION)
def test_of_two_versions_one_replaces_the_other_and_never_both(one: str, other: str) -> None:
    forward = objection(release(one), replace(BOARD, version=other))
    back = objection(release(other), replace(BOARD, version=one))
    assert bool(forward) or bool(back)
    assert (not forward or not back) is (order_of(one) != order_of(other))


@given(st.integers(0, 2**40))
def test_room_is_for_package_and_contents_and_a_rest(free: int) -> None:
    assert bool(room(release(), free)) is (free < 40 + MARGIN)


def test_what_is_needed_is_told_as_more_than_what_is_free() -> None:
    assert room(release(), 40 + MARGIN) == ""
    assert room(release(), 39 + MARGIN) == "65 MiB are needed, 64 are free"
    assert room(release(), 0) == "65 MiB are needed, 0 are free"


# Well -----------------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(0.1, 10), st.booleans()), max_size=60))
def test_well_is_who_lacked_nothing_for_all_of_the_time(looks: list[tuple[float, bool]]) -> None:
    health, now, since = Health(20.0), 0.0, None
    for pause, lacking in looks:
        now += pause
        since = None if lacking else now if since is None else since
        assert health.well(["online"] if lacking else [], now) is (since is not None and now - since >= 20.0)
