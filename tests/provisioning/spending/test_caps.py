from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from device.messages.minting import Refusal
from provisioning.policy import DAY
from provisioning.spending.caps import (
    Cap,
    Caps,
    Spent,
    accounts,
    afford,
    day_of,
    month_of,
    next_month,
    settled,
)
from provisioning.spending.prices import DOCUMENTED, Tariff

TARIFF = Tariff(DOCUMENTED[0])
WHO = accounts("robot-1", "lobby")

times = st.floats(0, 4e9)
amounts = st.integers(0, 10**9)
limits = st.builds(Cap, st.none() | amounts, st.none() | amounts)
everything = st.builds(Caps, limits, limits, limits, st.dictionaries(st.just("lobby"), limits))
spendings = st.builds(Spent, amounts, amounts)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@settings(max_examples=40, deadline=None)
@given(times)
def test_days_and_months_are_those_of_the_calendar(now: float) -> None:
    moment = datetime.fromtimestamp(now, UTC)
    assert (day_of(now), month_of(now)) == (moment.date().isoformat(), moment.strftime("%Y-%m"))
    assert now < next_month(now) <= now + 31 * DAY
    first = datetime.fromtimestamp(next_month(now), UTC)
    assert (first.day, first.hour, first.minute, first.second) == (1, 0, 0, 0)
    assert month_of(next_month(now)) != month_of(now) == month_of((first - timedelta(seconds=1)).timestamp())


def test_the_edges_of_february_and_of_the_year() -> None:
    assert month_of(next_month(at("2028-02-29T23:59:59.9"))) == "2028-03"
    assert day_of(at("2028-02-28T23:59:59.9") + 0.2) == "2028-02-29"
    assert day_of(at("2027-02-28T23:59:59.9") + 0.2) == "2027-03-01"
    assert month_of(next_month(at("2026-12-31T23:59:59"))) == "2027-01"


@settings(max_examples=40, deadline=None)
@given(everything, st.lists(spendings, min_size=6, max_size=6), amounts, times)
def test_nothing_is_afforded_beyond_any_limit_and_everything_within(
    caps: Caps, parts: list[Spent], wish: int, now: float
) -> None:
    periods = (day_of(now), month_of(now))
    keys = [(account, period) for account in WHO for period in periods]
    spent = dict(zip(keys, parts, strict=True))
    after = {key: part.total + wish for key, part in spent.items()}
    caps_of = {(account, period): caps.of(account) for account, period in keys}
    broken = [
        key
        for key, total in after.items()
        if (limit := caps_of[key].day if len(key[1]) > 7 else caps_of[key].month) is not None and total > limit
    ]
    refusal = afford(caps, spent, WHO, wish, now)
    assert (refusal is not None) == bool(broken)
    if refusal is not None:
        assert refusal.refusal is Refusal.BUDGET
        assert refusal.retry_after is not None
        assert 0 < refusal.retry_after <= 31 * DAY
        assert any(account in refusal.text for account, _ in broken)


def test_a_day_comes_back_tomorrow_and_a_month_in_the_next() -> None:
    now = at("2028-02-28T18:00:00")
    spent = {("fleet", "2028-02-28"): Spent(90, 10), ("fleet", "2028-02"): Spent(100)}
    day = afford(Caps(fleet=Cap(day=100)), spent, WHO, 1, now)
    month = afford(Caps(fleet=Cap(day=100, month=100)), spent, WHO, 1, now)
    assert day is not None
    assert month is not None
    assert (day.retry_after, month.retry_after) == (6 * 3600, 30 * 3600)
    assert afford(Caps(fleet=Cap(day=100)), spent, WHO, 0, now) is None
    assert afford(Caps(fleet=Cap(day=100)), spent, WHO, 1, now + 6 * 3600) is None


def test_a_group_has_its_own_limit_or_that_of_all() -> None:
    caps = Caps(group=Cap(day=5), groups={"lobby": Cap(day=None)})
    now = at("2027-05-05T12:00:00")
    assert afford(caps, {}, accounts("robot-1", "lobby"), 6, now) is None
    assert afford(caps, {}, accounts("robot-1", "garden"), 6, now) is not None
    assert afford(caps, {}, accounts("robot-1", ""), 6, now) is None


usages = st.none() | st.dictionaries(
    st.sampled_from(["responses", "input_tokens", "input_audio_tokens", "cached_tokens", "output_audio_tokens", "x"]),
    st.integers(-(10**40), 10**40) | st.integers(0, 10**6),
)


@settings(max_examples=40, deadline=None)
@given(st.integers(-5, 10**9), st.floats(-100, 1e6), usages, st.booleans(), st.booleans())
def test_whatever_a_device_says_it_is_charged_from_nothing_to_what_was_reserved(
    reserved: int, seconds: float, usage: dict[str, int] | None, known: bool, trusted: bool
) -> None:
    cost = settled(TARIFF, reserved, seconds, usage, call_known=known, trusted=trusted)
    assert 0 <= cost <= max(0, reserved)
    if known or trusted:
        assert cost <= TARIFF.bound(seconds)


def charged(usage: dict[str, int] | None, *, known: bool = True, trusted: bool = True) -> int:
    return settled(TARIFF, 5_000_000, 60, usage, call_known=known, trusted=trusted)


def test_a_report_counts_as_far_as_the_time_allows_it() -> None:
    honest = {"responses": 1, "output_audio_tokens": 100}
    assert charged(honest) == 6400
    assert charged({"responses": 0}) == 0
    bound = TARIFF.bound(60)
    assert bound < 5_000_000
    assert charged(None) == charged({}) == charged({"responses": -1}) == bound
    assert charged({"responses": 9, "output_audio_tokens": 10**9}) == bound


def test_untrusted_a_session_costs_its_time_and_all_of_it_when_nobody_could_hang_up() -> None:
    assert charged({"responses": 0}, trusted=False) == TARIFF.bound(60)
    assert charged({"responses": 0}, trusted=False, known=False) == 5_000_000
