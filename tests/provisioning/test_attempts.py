from __future__ import annotations

from provisioning.attempts import MOST_ADDRESSES, FailureLimit


def test_an_address_is_blocked_after_too_many_failures_and_for_a_while() -> None:
    limit = FailureLimit(most=3, seconds=60)
    for at in (0.0, 1.0, 2.0):
        assert not limit.blocked("a", at)
        limit.failed("a", at)
    assert limit.blocked("a", 2.0)
    assert limit.blocked("a", 59.9)
    assert not limit.blocked("a", 60.0)
    assert not limit.blocked("b", 2.0)


def test_memory_is_bounded() -> None:
    limit = FailureLimit(most=1)
    for number in range(MOST_ADDRESSES + 1):
        limit.failed(str(number), 0.0)
    assert not limit.blocked("0", 0.0)
    assert limit.blocked(str(MOST_ADDRESSES), 0.0)
