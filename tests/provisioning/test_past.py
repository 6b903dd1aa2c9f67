from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.messages.reports import TurnFigures
from provisioning.past import Past, Spread, report, spread


def past(session: str = "s", **known: object) -> Past:
    """A session, of which some is known."""
    fields = {"id": session, "device": "hana", "group": "", "reason": "button", "began_at": 100.0, "ended_at": 160.0}
    fields |= {"end_reason": "button", "broadcast": True, "reserved": 3_000_000, "cost": 1_000_000}
    return Past(**(fields | known))  # type: ignore[arg-type]  # what is known is of any kind


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([], None),
        ([None], None),
        ([7], Spread(1, 7, 7)),
        ([3, None, 1], Spread(2, 1, 3)),
        (list(range(1, 21)), Spread(20, 10, 19)),
        (list(range(1, 101)), Spread(100, 50, 95)),
    ],
)
def test_half_are_at_most_p50_and_nineteen_of_twenty_at_most_p95(
    values: list[int | None], found: Spread | None
) -> None:
    assert spread(values) == found


@given(st.lists(st.integers(0, 10_000), min_size=1))
def test_a_spread_is_made_of_what_was_measured(values: list[int]) -> None:
    found = spread(values)
    assert found is not None
    assert {found.p50, found.p95} <= set(values)
    assert sum(value <= found.p50 for value in values) * 2 >= len(values)
    assert sum(value <= found.p95 for value in values) * 20 >= len(values) * 19


def test_a_report_takes_what_robots_have_told_and_passes_over_what_they_have_not() -> None:
    told = past("a", listening=900, turns=(TurnFigures(total=700, network=40, model=600, device=60),))
    slow = past("b", cost=None, ended_at=None, turns=(TurnFigures(total=1500),))
    found = report([told, slow, past("c")])
    assert (found.sessions, found.ended, found.cost) == (3, 2, 2_000_000)
    assert (found.start, found.on_air) == (Spread(1, 900, 900), None)
    assert (found.turn, found.network) == (Spread(2, 700, 1500), Spread(1, 40, 40))


def test_a_session_lasts_until_it_has_ended() -> None:
    assert past().lasted == 60.0
    assert past(ended_at=None).lasted is None
