from __future__ import annotations

from typing import assert_never

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.messages.minting import Refusal
from provisioning.policy import DAY, Allow, Allowance, Counts, Refuse, Status, decide, go_on, midnight

counts = st.builds(Counts, live=st.integers(0, 3), today=st.integers(0, 200), minute=st.integers(0, 30))
allowances = st.builds(
    Allowance,
    session_seconds=st.floats(1, 3600),
    sessions_per_day=st.integers(1, 150),
    requests_per_minute=st.integers(1, 20),
)
times = st.floats(0, 4e9)
statuses = st.sampled_from(Status)


@given(statuses, times, counts, allowances, times)
def test_every_case_has_an_answer_and_every_grant_an_end(
    status: Status, until: float, used: Counts, allowance: Allowance, now: float
) -> None:
    answer = decide(status, until, used, allowance, now)
    match answer:
        case Allow(deadline):
            assert status is Status.ACTIVE
            assert now < until
            assert used.live == 0
            assert used.today < allowance.sessions_per_day
            assert used.minute < allowance.requests_per_minute
            assert now < deadline <= now + allowance.session_seconds
        case Refuse(_, text, retry_after):
            assert text
            assert retry_after is None or 0 < retry_after <= DAY
        case _:
            assert_never(answer)


@given(times, counts, allowances, times)
def test_status_comes_before_everything(until: float, used: Counts, allowance: Allowance, now: float) -> None:
    revoked = decide(Status.REVOKED, until, used, allowance, now)
    assert isinstance(revoked, Refuse)
    assert revoked.refusal is Refusal.REVOKED
    pending = decide(Status.PENDING, until, used, allowance, now)
    assert isinstance(pending, Refuse)
    assert pending.refusal is Refusal.DENIED


@given(counts, allowances, times)
def test_less_use_never_turns_a_grant_into_a_refusal(used: Counts, allowance: Allowance, now: float) -> None:
    if isinstance(decide(Status.ACTIVE, now + 1, used, allowance, now), Allow):
        fewer = Counts(live=0, today=used.today // 2, minute=used.minute // 2)
        assert isinstance(decide(Status.ACTIVE, now + 1, fewer, allowance, now), Allow)


@given(counts, allowances, times)
def test_the_daily_quota_returns_at_midnight(used: Counts, allowance: Allowance, now: float) -> None:
    answer = decide(Status.ACTIVE, now + 2 * DAY, used, allowance, now)
    if isinstance(answer, Refuse) and answer.refusal is Refusal.QUOTA:
        assert answer.retry_after is not None
        assert midnight(now + answer.retry_after + 0.01) > midnight(now)


def test_the_words_for_each_refusal() -> None:
    allowance = Allowance(session_seconds=60, sessions_per_day=2, requests_per_minute=3)

    def refusal(live: int, today: int, minute: int) -> Refusal | None:
        answer = decide(Status.ACTIVE, 2e9, Counts(live, today, minute), allowance, 1e9)
        return answer.refusal if isinstance(answer, Refuse) else None

    assert refusal(0, 1, 2) is None
    assert refusal(0, 1, 3) is Refusal.BUSY
    assert refusal(1, 1, 0) is Refusal.BUSY
    assert refusal(0, 2, 0) is Refusal.QUOTA
    expired = decide(Status.ACTIVE, 1e9, Counts(0, 0, 0), allowance, 1e9)
    assert isinstance(expired, Refuse)
    assert expired.refusal is Refusal.DENIED


ALLOWANCE = Allowance(session_seconds=60, sessions_per_day=2, requests_per_minute=3)
NOW = 10 * DAY + 3600.0
NONE = Counts(0, 0, 0)


def answer(
    used: Counts = NONE, status: Status = Status.ACTIVE, until: float = NOW + 1, now: float = NOW
) -> Allow | Refuse:
    return decide(status, until, used, ALLOWANCE, now)


def test_a_session_ends_when_its_time_is_over_and_no_later() -> None:
    assert answer() == Allow(NOW + 60)


def test_a_certificate_is_good_until_its_end_and_not_at_it() -> None:
    assert isinstance(answer(until=NOW + 0.001), Allow)
    for until in (NOW, NOW - 1):
        assert answer(until=until) == Refuse(
            Refusal.DENIED, "the certificate of this device has expired; enrol it again"
        )


def test_each_refusal_says_when_to_ask_again_if_ever() -> None:
    assert answer(Counts(0, 0, 3)) == Refuse(Refusal.BUSY, "3 requests in the last minute", 60.0)
    assert answer(Counts(1, 0, 0)) == Refuse(Refusal.BUSY, "another session of this device has not ended", 5.0)
    assert answer(Counts(0, 2, 0)) == Refuse(Refusal.QUOTA, "2 sessions today", 23 * 3600.0)
    assert answer(status=Status.REVOKED) == Refuse(Refusal.REVOKED, "this device has been revoked")
    pending = answer(status=Status.PENDING)
    assert isinstance(pending, Refuse)
    assert (pending.refusal, pending.retry_after) == (Refusal.DENIED, None)


def test_too_many_requests_count_before_anything_that_asking_again_would_help_against() -> None:
    everything = answer(Counts(1, 2, 3))
    assert isinstance(everything, Refuse)
    assert everything.retry_after == 60.0
    both = answer(Counts(1, 2, 0))
    assert isinstance(both, Refuse)
    assert both.refusal is Refusal.BUSY


@given(times)
def test_midnight_is_the_last_one(now: float) -> None:
    assert 0 <= now - midnight(now) < DAY
    assert midnight(now) % DAY == 0


def continued(
    used: Counts = NONE, deadline: float | None = NOW + 10, status: Status = Status.ACTIVE, until: float = NOW + 1
) -> Allow | Refuse:
    return go_on(status, until, used, ALLOWANCE, deadline, NOW)


def test_a_session_that_goes_on_ends_when_it_would_have_ended_anyway() -> None:
    assert continued() == Allow(NOW + 10)
    assert continued(Counts(live=1, today=1, minute=2)) == Allow(NOW + 10), "it is itself what has not ended"


@pytest.mark.parametrize("deadline", [None, NOW, NOW - 1])
def test_what_has_ended_does_not_go_on(deadline: float | None) -> None:
    assert continued(deadline=deadline) == Refuse(Refusal.DENIED, "no session of this device goes on by this name")


@given(statuses, times, counts, allowances, st.none() | times, times)
def test_going_on_is_never_easier_than_beginning(
    status: Status, until: float, used: Counts, allowance: Allowance, deadline: float | None, now: float
) -> None:
    anew = decide(status, until, Counts(0, used.today, used.minute), allowance, now)
    verdict = go_on(status, until, used, allowance, deadline, now)
    if isinstance(anew, Refuse):
        assert verdict == anew
    elif deadline is None or deadline <= now:
        assert isinstance(verdict, Refuse)
    else:
        assert verdict == Allow(deadline)
