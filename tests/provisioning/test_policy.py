from __future__ import annotations

from typing import assert_never

from hypothesis import given
from hypothesis import strategies as st

from device.messages.minting import Refusal
from provisioning.policy import DAY, Allow, Allowance, Counts, Refuse, Status, decide, midnight

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
