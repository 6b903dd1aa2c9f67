"""The bill of one session: by its time where nothing is known, and never more than was put aside."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.billing import bill
from provisioning.sessions import Session, free, in_full
from provisioning.spending.prices import DOCUMENTED, PriceSettings, Tariff
from provisioning.spending.rules import Rules

DEAR, CHEAP = DOCUMENTED[0], DOCUMENTED[2]
RULES = Rules(tariff=Tariff(DEAR))
SESSION = Session(
    id="s", device="robot-1", reason="button", created_at=1000.0, deadline=1600.0, ended_at=1060.0, reserved=10**8
)
HEARD = {"responses": 1, "output_audio_tokens": 1000}


def test_what_was_reported_counts_where_reports_do() -> None:
    assert bill(RULES, HEARD)(replace(SESSION, call_id="rtc_1")) == 1000 * 64
    assert bill(RULES, {"responses": 0})(SESSION) == 0


def test_without_a_report_the_time_counts_that_it_took() -> None:
    assert bill(RULES, None)(replace(SESSION, call_id="rtc_1")) == Tariff(DEAR).bound(60)
    assert bill(RULES, {})(replace(SESSION, call_id="rtc_1")) == Tariff(DEAR).bound(60)


def test_one_whose_end_nobody_saw_has_taken_all_its_time() -> None:
    assert bill(RULES, None)(replace(SESSION, ended_at=None)) == Tariff(DEAR).bound(600)


@pytest.mark.parametrize(
    ("call_id", "call_known", "cost"),
    [(None, False, 10**8), ("rtc_1", False, Tariff(DEAR).bound(60)), (None, True, Tariff(DEAR).bound(60))],
)
def test_untrusted_a_call_that_nobody_could_hang_up_costs_all_that_was_put_aside(
    call_id: str | None, call_known: bool, cost: int
) -> None:
    wary = replace(RULES, trusted=False)
    assert bill(wary, {"responses": 0}, call_known=call_known)(replace(SESSION, call_id=call_id)) == cost


def test_no_call_is_known_unless_somebody_says_so() -> None:
    assert bill(replace(RULES, trusted=False), None)(SESSION) == SESSION.reserved


def test_the_model_of_the_session_is_what_it_is_billed_by() -> None:
    assert bill(RULES, HEARD)(replace(SESSION, model=CHEAP.model)) == 1000 * 20
    assert bill(RULES, HEARD)(replace(SESSION, model="gpt-nobody-knows")) == 1000 * 64, "as the dearest"
    minutes = replace(RULES, prices=PriceSettings(broadcast_per_minute=Decimal("0.5")))
    assert bill(minutes, HEARD)(replace(SESSION, model=CHEAP.model)) == 1000 * 20 + 500_000


@given(st.integers(0, 10**7), st.floats(0, 4000), st.none() | st.integers(0, 10**6), st.booleans(), st.booleans())
def test_no_bill_is_above_what_was_put_aside_or_below_nothing(
    reserved: int, seconds: float, tokens: int | None, known: bool, trusted: bool
) -> None:
    session = replace(SESSION, reserved=reserved, ended_at=1000.0 + seconds)
    usage = None if tokens is None else {"responses": 1, "output_audio_tokens": tokens}
    charged = bill(replace(RULES, trusted=trusted), usage, call_known=known)(session)
    assert free(session) <= charged <= in_full(session)


def test_the_calls_of_a_session_are_those_that_are_known_the_older_first() -> None:
    assert SESSION.calls == ()
    assert replace(SESSION, call_id="a").calls == ("a",)
    assert replace(SESSION, second_call_id="b").calls == ("b",)
    assert replace(SESSION, call_id="a", second_call_id="b").calls == ("a", "b")
