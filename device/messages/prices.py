"""PURE. What reported tokens cost: for the cloud, which bills them, and for a robot, which shows it.

Money is counted in micros, millionths of the currency. A price per million tokens is, in the same number, the price of
one token in micros.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from device.messages.wire import Message

LIVE_SHORTEST: Final = 15
"""Seconds that a Live session is billed at least (developers.openai.com, "Cost optimization")."""

MOST_TOKENS: Final = 10**12
"""A report of more than this is no report."""


class TokenPrices(Message, frozen=True):
    """What one model costs, in units of the currency for a million tokens, and what a minute costs besides."""

    currency: str
    audio_in: Decimal
    cached_audio_in: Decimal
    audio_out: Decimal
    text_in: Decimal
    cached_text_in: Decimal
    text_out: Decimal
    per_minute: Decimal = Decimal(0)
    live_per_minute: Decimal = Decimal(0)
    """Of a Live session, silence included; the tokens are then those of the model behind it."""


def cost(prices: TokenPrices, usage: Mapping[str, int]) -> Decimal | None:
    """Return what reported tokens cost, in micros; None for a report that says nothing, or that cannot be true.

    Cached tokens are part of the others; where the report does not tell of which kind they were, they count as the
    kind of which being cached saves less.
    """
    if "responses" not in usage or not all(0 <= count <= MOST_TOKENS for count in usage.values()):
        return None
    text, audio = usage.get("input_text_tokens", 0), usage.get("input_audio_tokens", 0)
    if usage.get("input_tokens", 0) > text + audio or usage.get("output_tokens", 0) > _made(usage):
        return None
    cached_text, cached_audio = _cached(prices, text, audio, usage)
    if cached_text > text or cached_audio > audio:
        return None
    given = (text - cached_text) * prices.text_in + cached_text * prices.cached_text_in
    given += (audio - cached_audio) * prices.audio_in + cached_audio * prices.cached_audio_in
    return given + _answer(prices, usage) + _live(prices, usage)


def _live(prices: TokenPrices, usage: Mapping[str, int]) -> Decimal:
    if not prices.live_per_minute:
        return Decimal(0)
    return max(usage.get("live_seconds", 0), LIVE_SHORTEST) * prices.live_per_minute * 1_000_000 / 60


def _answer(prices: TokenPrices, usage: Mapping[str, int]) -> Decimal:
    text, audio = usage.get("output_text_tokens", 0), usage.get("output_audio_tokens", 0)
    return text * prices.text_out + audio * prices.audio_out


def _made(usage: Mapping[str, int]) -> int:
    return usage.get("output_text_tokens", 0) + usage.get("output_audio_tokens", 0)


def _cached(prices: TokenPrices, text: int, audio: int, usage: Mapping[str, int]) -> tuple[int, int]:
    """Return the cached tokens of text and of sound."""
    if "cached_text_tokens" in usage and "cached_audio_tokens" in usage:
        return usage["cached_text_tokens"], usage["cached_audio_tokens"]
    cached = usage.get("cached_tokens", 0)
    if prices.text_in - prices.cached_text_in <= prices.audio_in - prices.cached_audio_in:
        return min(cached, text), cached - min(cached, text)
    return cached - min(cached, audio), min(cached, audio)
