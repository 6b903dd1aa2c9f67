from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import SettingsError
from device.messages.settings import read_settings
from provisioning.spending.prices import (
    DOCUMENTED,
    ModelPrice,
    PriceSettings,
    Tariff,
    dearest,
    price_of,
    tariff,
    told,
    unpriced,
)

TARIFF = Tariff(DOCUMENTED[0], per_minute=Decimal("0.06"))
REPORT = {
    "responses": 2,
    "input_tokens": 1500,
    "output_tokens": 250,
    "input_text_tokens": 500,
    "input_audio_tokens": 1000,
    "output_text_tokens": 50,
    "output_audio_tokens": 200,
}

seconds = st.floats(0, 7200)
prices = st.sampled_from(DOCUMENTED)


def test_tokens_are_priced_by_kind() -> None:
    assert TARIFF.cost(REPORT) == 500 * 4 + 1000 * 32 + 50 * 24 + 200 * 64
    cached = REPORT | {"cached_text_tokens": 400, "cached_audio_tokens": 600}
    assert TARIFF.cost(cached) == 100 * 4 + 160 + 400 * 32 + 240 + 50 * 24 + 200 * 64


def test_cached_tokens_of_no_kind_save_the_least_that_they_may() -> None:
    assert TARIFF.cost(REPORT | {"cached_tokens": 700}) == 200 + 200 * Decimal("0.4") + 800 * 32 + 50 * 24 + 200 * 64


def test_part_of_a_micro_is_a_whole_one() -> None:
    assert TARIFF.cost({"responses": 1, "input_tokens": 1, "input_text_tokens": 1, "cached_tokens": 1}) == 1


@pytest.mark.parametrize(
    "lie",
    [
        {},
        {"input_audio_tokens": 100},
        REPORT | {"output_audio_tokens": -1},
        REPORT | {"input_audio_tokens": 10**30},
        REPORT | {"input_tokens": 9_000_000},
        REPORT | {"output_tokens": 9_000_000},
        REPORT | {"cached_tokens": 1501},
        REPORT | {"cached_text_tokens": 501, "cached_audio_tokens": 0},
    ],
    ids=["nothing", "no responses", "negative", "huge", "kinds of input", "kinds of output", "cached", "cached text"],
)
def test_a_report_that_cannot_be_true_is_none(lie: dict[str, int]) -> None:
    assert TARIFF.cost(lie) is None


def test_half_an_hour_costs_what_the_documents_and_others_say() -> None:
    assert 5_000_000 < Tariff(DOCUMENTED[0]).bound(1800) < 8_000_000
    assert Tariff(DOCUMENTED[0], Decimal(1)).bound(60) - Tariff(DOCUMENTED[0]).bound(60) == 1_000_000


@settings(max_examples=40, deadline=None)
@given(prices, seconds, seconds)
def test_more_time_never_costs_less(price: ModelPrice, first: float, second: float) -> None:
    short, long = sorted((first, second))
    assert 0 < Tariff(price).bound(short) <= Tariff(price).bound(long)


@settings(max_examples=40, deadline=None)
@given(prices, st.integers(1, 300), st.integers(0, 5), st.integers(0, 5))
def test_a_conversation_in_turns_costs_no_more_than_its_time_allows(
    price: ModelPrice, turns: int, user: int, assistant: int
) -> None:
    heard, said = 10 * user, 20 * assistant
    audio = sum(turn * heard + (turn - 1) * said for turn in range(1, turns + 1))
    fresh = turns * heard + max(0, turns - 1) * said
    usage = {
        "responses": turns,
        "input_text_tokens": 1000 * turns,
        "input_audio_tokens": audio,
        "cached_text_tokens": 1000 * (turns - 1),
        "cached_audio_tokens": max(0, audio - fresh),
        "output_audio_tokens": turns * said,
        "output_text_tokens": turns * 5 * assistant,
    }
    cost = Tariff(price).cost(usage)
    assert cost is not None
    assert cost <= Tariff(price).bound(6.0 * turns + turns * (user + assistant))


def test_prices_of_one_s_own_come_first_and_an_unknown_model_is_the_dearest() -> None:
    text = """
[[models]]
model = "gpt-realtime-2.1"
as_of = 2027-01-01
audio_in = 40
cached_audio_in = 0.5
audio_out = 80.25
text_in = 5
cached_text_in = 0.5
text_out = 30
"""
    own_prices = read_settings(text, "x", PriceSettings)
    own = price_of("gpt-realtime-2.1", own_prices)
    assert own is not None
    assert (own.audio_out, own.cached_audio_in, own.as_of.year) == (Decimal("80.25"), Decimal("0.5"), 2027)
    assert price_of("gpt-realtime-9", own_prices) is None
    assert tariff("gpt-realtime-9", own_prices).price == dearest(own_prices)
    assert dearest(own_prices).audio_out == Decimal("80.25")


@pytest.mark.parametrize("amount", ["-1", "nan", "inf"])
def test_what_is_no_price_is_refused(amount: str) -> None:
    with pytest.raises(SettingsError, match="must be 0 or more"):
        read_settings(f"broadcast_per_minute = {amount}\n", "x", PriceSettings)


def test_amounts_as_people_read_them() -> None:
    assert [told(micros) for micros in (0, 1234, 1_000_000, 6_129_999)] == ["0.00", "0.0012", "1.00", "6.13"]


LIVE = tariff("gpt-live-1+gpt-5.6-luna", PriceSettings())


def test_a_live_session_costs_its_time_and_the_tokens_of_the_model_behind() -> None:
    assert LIVE.cost({"responses": 0, "live_seconds": 90}) == 75_000
    used = {"responses": 2, "input_text_tokens": 1000, "cached_text_tokens": 0, "output_text_tokens": 100}
    assert LIVE.cost({**used, "live_seconds": 90}) == 75_000 + 250 + 120


@pytest.mark.parametrize("usage", [{"responses": 0}, {"responses": 0, "live_seconds": 3}])
def test_opening_a_live_session_costs_15_seconds_however_short_it_is(usage: dict[str, int]) -> None:
    assert LIVE.cost(usage) == 12_500


def test_what_no_model_of_ours_uses_costs_nothing_else() -> None:
    assert TARIFF.cost({"responses": 0, "live_seconds": 3600}) == 0
    assert LIVE.cost({"responses": 1, "input_audio_tokens": 10, "output_audio_tokens": 10}) == 12_500


def test_half_an_hour_of_a_live_session_is_bounded() -> None:
    assert 1_500_000 < LIVE.bound(1800) < 8_000_000
    dear = tariff("gpt-live-1+gpt-9", PriceSettings())
    assert dear.bound(1800) > LIVE.bound(1800)
    assert dear.price.text_out == 24


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 3600), st.integers(0, 20))
def test_a_live_session_with_a_task_now_and_then_costs_no_more_than_its_time_allows(length: int, each: int) -> None:
    tasks = length // 10
    usage = {
        "responses": 2 * tasks,
        "input_text_tokens": 2 * tasks * (4000 + 3000 + each),
        "output_text_tokens": 2 * tasks * 1000,
        "live_seconds": length,
    }
    cost = LIVE.cost(usage)
    assert cost is not None
    assert cost <= LIVE.bound(length)


def test_models_without_a_price_are_named_and_the_dearest() -> None:
    assert unpriced("gpt-live-1+gpt-5.6-luna", PriceSettings()) == []
    assert unpriced("gpt-live-9+gpt-9", PriceSettings()) == ["gpt-live-9", "gpt-9"]
    assert tariff("gpt-live-9+gpt-5.6-luna", PriceSettings()).price.live_per_minute == Decimal("0.05")
