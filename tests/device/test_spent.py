from __future__ import annotations

from decimal import Decimal

from device.messages.prices import TokenPrices
from device.messages.reports import Spent
from device.spent import spent
from provisioning.spending.prices import DOCUMENTED, Tariff, token_prices

PRICES = token_prices(DOCUMENTED[0], "EUR", Decimal("0.06"))

USAGE = {
    "responses": 1,
    "input_text_tokens": 1000,
    "input_audio_tokens": 100,
    "cached_tokens": 900,
    "cached_text_tokens": 900,
    "cached_audio_tokens": 0,
    "output_text_tokens": 10,
    "output_audio_tokens": 50,
}


def test_a_robot_reckons_as_the_cloud_bills_and_adds_what_the_time_costs() -> None:
    tokens = 100 * 4 + 900 * Decimal("0.40") + 100 * 32 + 10 * 24 + 50 * 64
    assert spent(PRICES, USAGE, 30) == Spent(micros=int(tokens) + 30_000, currency="EUR")
    assert Tariff(DOCUMENTED[0]).cost(USAGE) == int(tokens)


def test_without_an_answer_only_the_time_costs_and_without_prices_nothing_is_told() -> None:
    assert spent(PRICES, {}, 60) == Spent(micros=60_000, currency="EUR")
    assert spent(None, USAGE, 30) is None


def test_prices_come_through_a_message_to_the_last_digit() -> None:
    assert isinstance(PRICES, TokenPrices)
    assert (PRICES.cached_audio_in, PRICES.text_out) == (Decimal("0.40"), Decimal(24))
