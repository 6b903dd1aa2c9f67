from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.messages.minting import Refusal
from provisioning.spending.hours import Hours, closed, hours

BERLIN = ZoneInfo("Europe/Berlin")

lines = st.sampled_from(
    ["mon-fri 09:00-18:00", "sat,sun 10:00-24:00", "daily 22:00-02:00", "sun 02:15-02:45", "fri-mon 00:00-00:01"]
)
zones = st.sampled_from(["UTC", "Asia/Tokyo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])


def at(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


def wait(when: Hours, text: str, fold: int = 0) -> float:
    return when.opens_in(at(text, fold=fold))


def test_always_open_without_a_line() -> None:
    assert hours("UTC", ()).opens_in(1.8e9) == 0


def test_weekdays_and_the_weekend_between() -> None:
    work = hours("Europe/Berlin", ("mon-fri 09:00-18:00",))
    assert wait(work, "2026-11-26T09:00:00") == 0
    assert wait(work, "2026-11-26T08:59:59") == 1
    assert wait(work, "2026-11-26T18:00:00") == 15 * 3600
    assert wait(work, "2026-11-27T18:00:00") == 63 * 3600


def test_an_evening_goes_past_midnight() -> None:
    night = hours("Europe/Berlin", ("fri 22:00-02:00",))
    assert wait(night, "2026-11-28T01:59:59") == 0
    assert wait(night, "2026-11-28T02:00:00") == (6 * 24 + 20) * 3600


def test_nine_is_nine_on_both_sides_of_a_change_of_clocks() -> None:
    daily = hours("Europe/Berlin", ("daily 09:00-10:00",))
    assert wait(daily, "2026-03-28T10:00:00") == 22 * 3600, "the night is an hour short"
    assert wait(daily, "2026-10-24T10:00:00") == 24 * 3600, "and in autumn an hour long"


def test_an_hour_that_the_change_skips_begins_as_much_later() -> None:
    skipped = hours("Europe/Berlin", ("daily 02:30-04:00",))
    assert wait(skipped, "2026-03-29T01:59:59") == 1801
    assert wait(skipped, "2026-03-29T03:30:00") == 0


def test_of_an_hour_that_happens_twice_the_first_counts() -> None:
    twice = hours("Europe/Berlin", ("daily 02:15-02:45",))
    assert wait(twice, "2026-10-25T02:30:00") == 0
    assert wait(twice, "2026-10-25T02:30:00", fold=1) > 3600


@settings(max_examples=40, deadline=None)
@given(zones, st.lists(lines, min_size=1, max_size=3), st.floats(1.7e9, 1.9e9))
def test_after_the_wait_it_is_open_and_not_before(zone: str, wanted: list[str], now: float) -> None:
    when = hours(zone, tuple(wanted))
    seconds = when.opens_in(now)
    assert 0 <= seconds <= 15 * 86_400
    assert when.opens_in(now + seconds + 0.001) == 0
    if seconds > 2:
        assert when.opens_in(now + seconds - 1) > 0
    refusal = closed("the fleet", when, now)
    assert (refusal is None) == (seconds == 0)
    assert refusal is None or (refusal.refusal, refusal.retry_after) == (Refusal.QUOTA, seconds)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "mon",
        "mon 9:00-10:00",
        "mon 09:00-09:00",
        "mon 25:00-26:00",
        "mon 24:00-25:00",
        "moon 09:00-10:00",
        "mon- 09:00-1",
    ],
)
def test_what_is_no_line_is_named(line: str) -> None:
    with pytest.raises(ValueError, match=r"is not like|no such hours|is no day"):
        hours("UTC", (line,))


@pytest.mark.parametrize("zone", ["Nowhere/Else", "", "../etc/passwd"])
def test_what_is_no_time_zone_is_named(zone: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        hours(zone, ())
