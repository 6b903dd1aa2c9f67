"""PURE. What a session has cost so far, for people to see; what is charged is reckoned in the cloud."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Final

from device.messages.prices import TokenPrices, cost
from device.messages.reports import Spent

MICROS: Final = Decimal(1_000_000)
"""In one unit of the currency."""


def spent(prices: TokenPrices | None, usage: Mapping[str, int], seconds: float) -> Spent | None:
    """Return what `usage` and `seconds` of a session cost; None where no prices were told."""
    if prices is None:
        return None
    said = cost(prices, {"responses": 0} | dict(usage)) or Decimal(0)
    flat = prices.per_minute * MICROS * Decimal(max(0.0, seconds)) / 60
    return Spent(micros=int((said + flat).to_integral_value(ROUND_CEILING)), currency=prices.currency[:8])
