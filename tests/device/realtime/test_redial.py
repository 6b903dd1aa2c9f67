"""What is offered again, and what is not."""

from __future__ import annotations

import pytest

from device.errors import UpstreamError
from device.realtime.redial import Again, Redial


def refused(status: int | None, code: str) -> UpstreamError:
    return UpstreamError("openai", status, code, "")


def redial() -> Redial:
    return Redial(lambda _low, high: high)


def test_a_secret_that_is_not_accepted_is_replaced_once() -> None:
    again = redial()
    assert again.after(refused(401, "invalid_api_key")) == Again(0.0, fresh=True)
    assert again.after(refused(401, "invalid_api_key")) is None


@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "rate_limit_exceeded"), (500, "server_error"), (503, "unknown"), (502, "unknown"), (None, "connection")],
)
def test_what_passes_by_itself_is_tried_again_twice_and_ever_later(status: int | None, code: str) -> None:
    again = redial()
    assert [again.after(refused(status, code)) for _ in range(3)] == [Again(0.5, False), Again(1.5, False), None]


def test_the_jitter_leaves_at_least_half_of_each_wait() -> None:
    again = Redial(lambda low, _high: low)
    assert again.after(refused(500, "server_error")) == Again(0.25, fresh=False)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "invalid_offer"),
        (403, "forbidden"),
        (404, "model_not_found"),
        (429, "insufficient_quota"),
        (201, "invalid_answer"),
        (None, "timeout"),  # the service may have begun a call
    ],
)
def test_what_does_not_pass_is_not_tried_again(status: int | None, code: str) -> None:
    assert redial().after(refused(status, code)) is None


def test_one_kind_of_trouble_may_follow_another() -> None:
    again = redial()
    assert again.after(refused(500, "server_error")) == Again(0.5, fresh=False)
    assert again.after(refused(401, "invalid_api_key")) == Again(0.0, fresh=True)
    assert again.after(refused(429, "rate_limit_exceeded")) == Again(1.5, fresh=False)
    assert again.after(refused(401, "invalid_api_key")) is None


@pytest.mark.parametrize(("status", "again"), [(499, False), (500, True), (599, True), (None, False)])
def test_from_500_on_it_is_the_service_that_failed(status: int | None, again: bool) -> None:
    assert (redial().after(refused(status, "unknown")) is not None) is again


def test_the_jitter_is_drawn_from_half_of_each_wait_to_all_of_it() -> None:
    asked = list[tuple[float, float]]()

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    Redial(uniform)
    assert asked == [(0.25, 0.5), (0.75, 1.5)]
