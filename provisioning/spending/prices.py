"""PURE. What a conversation costs: from the tokens or the minutes it used, or, at most, from the time it took.

Money is counted in whole micros, millionths of the currency, and rounded up. A price per million tokens is, in the same
number, the price of one token in micros.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import Final

from msgspec.structs import replace

from device.messages.prices import LIVE_SHORTEST, TokenPrices, cost
from device.messages.settings import Settings

MICROS: Final = 1_000_000
"""In one unit of the currency."""

USER_TOKENS_PER_SECOND: Final = 10
ASSISTANT_TOKENS_PER_SECOND: Final = 20
"""Tokens of sound (developers.openai.com, "Realtime costs": one per 100 ms of the user, one per 50 ms of the assistant)."""

TEXT_TOKENS_PER_SECOND: Final = 5
"""The words of what the assistant says; fast speech has four a second."""

TURN_SECONDS: Final = 6
"""The shortest turn reckoned with: question and answer. With each the whole conversation is billed again."""

INSTRUCTION_TOKENS: Final = 4000
"""Instructions and tools reckoned with, in every turn."""


DELEGATION_SECONDS: Final = 10
"""Between two tasks that a Live model gives to the model behind it, reckoned with as the shortest."""

DELEGATION_TOKENS: Final = 1000
"""What the model behind answers at most; sessions are opened with this limit (`provisioning/profiles/live.py`)."""

ANSWERS_PER_DELEGATION: Final = 2
"""One that calls a tool, and one that knows what came of it."""


class ModelPrice(Settings, frozen=True):
    """The prices of one model, in units of the currency for a million tokens, as they were published on a day.

    One that speaks in Live sessions has a price by the minute and no others; one behind it has those of text.
    """

    model: str
    as_of: date
    audio_in: Decimal
    cached_audio_in: Decimal
    audio_out: Decimal
    text_in: Decimal
    cached_text_in: Decimal
    text_out: Decimal
    live_per_minute: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        for name in (*_RATES, "live_per_minute"):
            not_negative(name, getattr(self, name))


_RATES: Final = ("audio_in", "cached_audio_in", "audio_out", "text_in", "cached_text_in", "text_out")


def not_negative(name: str, value: Decimal) -> None:
    """Refuse what is no amount of money.

    Raises:
        ValueError: negative, infinite or not a number.
    """
    if not value.is_finite() or value < 0:
        raise ValueError(f"{name} must be 0 or more")


_NONE: Final = ("0", "0", "0")


def _usd(
    model: str,
    audio: tuple[str, str, str],
    text: tuple[str, str, str],
    live: str = "0",
    as_of: date = date(2026, 11, 22),
) -> ModelPrice:
    audio_in, cached_audio_in, audio_out = map(Decimal, audio)
    text_in, cached_text_in, text_out = map(Decimal, text)
    return ModelPrice(
        model=model,
        as_of=as_of,
        audio_in=audio_in,
        cached_audio_in=cached_audio_in,
        audio_out=audio_out,
        text_in=text_in,
        cached_text_in=cached_text_in,
        text_out=text_out,
        live_per_minute=Decimal(live),
    )


_LATER: Final = date(2026, 11, 26)


DOCUMENTED: Final = (
    _usd("gpt-realtime-2.1", ("32", "0.40", "64"), ("4", "0.40", "24")),
    _usd("gpt-realtime-2", ("32", "0.40", "64"), ("4", "0.40", "24")),
    _usd("gpt-realtime-2.1-mini", ("10", "0.30", "20"), ("0.60", "0.06", "2.40")),
    _usd("gpt-realtime-1.5", ("32", "0.4", "64"), ("4", "0.4", "16")),
    _usd("gpt-live-1", _NONE, _NONE, "0.05", _LATER),
    _usd("gpt-live-1.1", _NONE, _NONE, "0.05", _LATER),
    _usd("gpt-5.6-luna", _NONE, ("0.25", "0.02", "1.20"), as_of=_LATER),
)
"""US dollars, from developers.openai.com/api/docs/models as of each date: audio in, cached, out; text in, cached, out.

Live sessions are billed by the second (0.05 a minute; standby, which costs less, is never asked for). What goes into a
model behind them is reckoned at 1.25 times its price, for so much costs what is written to the cache at the same time.
"""


class PriceSettings(Settings, frozen=True):
    """What things cost; models that are not named here have the `DOCUMENTED` prices."""

    currency: str = "USD"
    broadcast_per_minute: Decimal = Decimal(0)
    """Of the broadcast service; charged for every session, with a broadcast or without."""
    transcription_per_minute: Decimal = Decimal(0)
    """Of the visitors' captions, which are billed apart and not reported."""
    models: tuple[ModelPrice, ...] = ()

    def __post_init__(self) -> None:
        not_negative("broadcast_per_minute", self.broadcast_per_minute)
        not_negative("transcription_per_minute", self.transcription_per_minute)


def price_of(model: str, settings: PriceSettings) -> ModelPrice | None:
    """Return the price of a model; None when nobody has told it."""
    return next((price for price in (*settings.models, *DOCUMENTED) if price.model == model), None)


def dearest(settings: PriceSettings) -> ModelPrice:
    """Return a price at which no known model is dearer, for a model whose price nobody has told."""
    known = (*settings.models, *DOCUMENTED)
    rates = {name: max(getattr(price, name) for price in known) for name in _RATES}
    return ModelPrice(model="", as_of=min(price.as_of for price in known), **rates)


@dataclass(frozen=True, slots=True)
class Tariff:
    """How sessions are billed: by tokens and by the minute. Every amount is in whole micros."""

    price: ModelPrice
    per_minute: Decimal = Decimal(0)

    def flat(self, seconds: float) -> int:
        """Return what `seconds` cost, whatever is said in them."""
        return _micros(self.per_minute * MICROS * _length(seconds) / 60)

    def bound(self, seconds: float) -> int:
        """Return what `seconds` of conversation cost at most, with a device that keeps to the rules.

        Reckoned with: both talk all the time, a turn every `TURN_SECONDS`, everything said before billed again with each
        turn at the price of cached tokens, and `INSTRUCTION_TOKENS` likewise. That is some 0.20 USD a minute for
        gpt-realtime-2.1 in half an hour.
        """
        price, length = self.price, _length(seconds)
        turns = 1 + length / TURN_SECONDS
        if price.live_per_minute:
            return _live_bound(price, length) + self.flat(seconds)
        said = USER_TOKENS_PER_SECOND * price.audio_in + ASSISTANT_TOKENS_PER_SECOND * price.audio_out
        said += TEXT_TOKENS_PER_SECOND * price.text_out
        history = (USER_TOKENS_PER_SECOND + ASSISTANT_TOKENS_PER_SECOND) * length / 2 * price.cached_audio_in
        instructions = INSTRUCTION_TOKENS * (price.text_in + turns * price.cached_text_in)
        return _micros(said * length + history * turns + instructions) + self.flat(seconds)

    def cost(self, usage: Mapping[str, int]) -> int | None:
        """Return what reported tokens cost; None for a report that says nothing, or that cannot be true."""
        found = cost(token_prices(self.price), usage)
        return None if found is None else _micros(found)


def _live_bound(price: ModelPrice, length: Decimal) -> int:
    """Return what a Live session of so many seconds costs at most.

    Reckoned with: the whole of its time and what its creation is billed, a task for the model behind every
    `DELEGATION_SECONDS`, for each of its answers instructions, tools and all that was said as if it were new, and the
    longest answer.
    """
    whole = length + LIVE_SHORTEST
    answers = ANSWERS_PER_DELEGATION * (1 + whole / DELEGATION_SECONDS)
    given = 2 * INSTRUCTION_TOKENS + 2 * TEXT_TOKENS_PER_SECOND * whole / 2
    live = price.live_per_minute * MICROS * whole / 60
    return _micros(live + answers * (given * price.text_in + DELEGATION_TOKENS * price.text_out))


def tariff(model: str, settings: PriceSettings) -> Tariff:
    """Return how sessions with `model` are billed; a model without a price is billed as the dearest there is.

    `LIVE+BACKEND` is a Live model and the one behind it: the first by the minute, the second by tokens of text.
    """
    per_minute = settings.broadcast_per_minute + settings.transcription_per_minute
    voice, _, backend = model.partition("+")
    price = price_of(voice, settings) or dearest(settings)
    return Tariff(_live_price(voice, backend, settings) if backend else price, per_minute)


def unpriced(model: str, settings: PriceSettings) -> list[str]:
    """Return which of the models of `model` nobody has told a price for."""
    return [name for name in model.split("+") if price_of(name, settings) is None]


def _live_price(voice: str, backend: str, settings: PriceSettings) -> ModelPrice:
    known = price_of(voice, settings)
    most = max(price.live_per_minute for price in (*settings.models, *DOCUMENTED))
    behind = price_of(backend, settings) or dearest(settings)
    silent = dict.fromkeys(("audio_in", "cached_audio_in", "audio_out"), Decimal(0))
    return replace(behind, live_per_minute=(known and known.live_per_minute) or most, **silent)


def token_prices(price: ModelPrice, currency: str = "USD", per_minute: Decimal = Decimal(0)) -> TokenPrices:
    """Return a price as robots are told it, and as reported tokens are billed by it."""
    rates = {name: getattr(price, name) for name in (*_RATES, "live_per_minute")}
    return TokenPrices(currency=currency, per_minute=per_minute, **rates)


def _length(seconds: float) -> Decimal:
    return Decimal(max(0.0, seconds))


def _micros(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_CEILING))


def told(micros: int) -> str:
    """Return an amount as people read it, with two decimals, or four below one."""
    amount = Decimal(micros) / MICROS
    return f"{amount:.4f}" if 0 < abs(micros) < MICROS else f"{amount:.2f}"
