"""What is pushed must go out, and what goes out must come in: each of the two is noticed when just that one stops."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.rtc.flow import ACKNOWLEDGED_SECONDS, SENT_SECONDS, Flow

ALIVE = {"pushed": 50.0, "packets": 50.0, "acknowledged": 1.0}


def watched(seconds: float, still: set[str], begin: dict[str, float]) -> str | None:
    """Return what a watch says that looks twice a second while everything grows but what is `still`."""
    flow, counts, said = Flow(0.0), dict(begin), None
    for look in range(round(2 * seconds) + 1):
        said = flow.stopped(counts, look / 2)
        counts = {name: count + (name not in still) for name, count in counts.items()}
    return said


@pytest.mark.parametrize(
    ("still", "seconds", "word"),
    [
        (set(), 100.0, None),
        ({"packets"}, SENT_SECONDS - 0.5, None),
        ({"packets"}, SENT_SECONDS + 0.5, "nothing was sent"),
        ({"acknowledged"}, ACKNOWLEDGED_SECONDS - 0.5, None),
        ({"acknowledged"}, ACKNOWLEDGED_SECONDS + 0.5, "the far end has told of nothing"),
        ({"pushed", "packets"}, 100.0, None),
        ({"pushed", "packets", "acknowledged"}, 100.0, None),
        ({"packets", "acknowledged"}, SENT_SECONDS + 0.5, "nothing was sent"),
    ],
)
def test_only_what_something_was_done_for_can_stop(still: set[str], seconds: float, word: str | None) -> None:
    said = watched(seconds, still, ALIVE)
    assert said is None if word is None else said is not None and word in said


def test_a_far_end_that_never_reports_need_not() -> None:
    assert watched(100.0, {"acknowledged"}, ALIVE | {"acknowledged": 0.0}) is None


def test_a_pause_in_what_is_sent_is_no_silence_of_the_far_end() -> None:
    flow, counts = Flow(0.0), dict(ALIVE)
    for look in range(200):
        if 10 <= look < 150:  # nothing is pushed
            assert flow.stopped(counts, look / 2) is None
            continue
        counts |= {"pushed": counts["pushed"] + 25, "packets": counts["packets"] + 25}
        if look % 8 == 0:
            counts["acknowledged"] += 1
        assert flow.stopped(counts, look / 2) is None, look


@given(st.lists(st.sampled_from(["pushed", "packets", "acknowledged"]), max_size=60))
def test_nothing_is_found_before_its_time(grown: list[str]) -> None:
    flow, counts = Flow(0.0), dict(ALIVE)
    for look, name in enumerate(grown):
        counts[name] += 1
        assert flow.stopped(counts, look * SENT_SECONDS / 61) is None
