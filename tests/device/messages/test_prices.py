"""What reported tokens cost: each kind once, cached ones where they were cached, and no report that cannot be true."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.messages.prices import TokenPrices, cost

ONE_OF_EACH = TokenPrices(
    currency="USD",
    audio_in=Decimal(1_000),
    cached_audio_in=Decimal(100),
    audio_out=Decimal(10_000),
    text_in=Decimal(10),
    cached_text_in=Decimal(1),
    text_out=Decimal(100_000),
)
COUNTS = st.integers(0, 1000)


def report(**counts: int) -> dict[str, int]:
    return {"responses": 1, **counts}


@pytest.mark.parametrize(
    ("usage", "micros"),
    [
        (report(), 0),
        (report(input_text_tokens=1), 10),
        (report(input_audio_tokens=1), 1_000),
        (report(output_audio_tokens=1), 10_000),
        (report(output_text_tokens=1), 100_000),
        (report(input_text_tokens=2, cached_text_tokens=1, cached_audio_tokens=0), 11),
        (report(input_audio_tokens=2, cached_text_tokens=0, cached_audio_tokens=1), 1_100),
        (report(input_text_tokens=2, input_audio_tokens=2, cached_tokens=3), 2 + 1_100),
        (report(input_text_tokens=1, input_audio_tokens=1, input_tokens=2, output_tokens=0), 1_010),
        (report(total_tokens=10**12), 0),
    ],
)
def test_each_kind_of_token_has_its_price(usage: dict[str, int], micros: int) -> None:
    assert cost(ONE_OF_EACH, usage) == micros


@pytest.mark.parametrize(
    "usage",
    [
        {},
        {"input_text_tokens": 1},
        report(input_text_tokens=-1),
        report(total_tokens=10**12 + 1),
        report(input_tokens=1),
        report(input_tokens=3, input_text_tokens=1, input_audio_tokens=1),
        report(output_tokens=1),
        report(output_tokens=3, output_text_tokens=1, output_audio_tokens=1),
        report(input_text_tokens=1, cached_text_tokens=2, cached_audio_tokens=0),
        report(input_audio_tokens=1, cached_text_tokens=0, cached_audio_tokens=2),
        report(input_text_tokens=1, input_audio_tokens=1, cached_tokens=3),
    ],
)
def test_a_report_that_says_nothing_or_cannot_be_true_costs_nothing_that_is_known(usage: dict[str, int]) -> None:
    assert cost(ONE_OF_EACH, usage) is None


def test_minutes_cost_nothing_unless_somebody_says_so() -> None:
    assert ONE_OF_EACH.per_minute == 0


def test_where_one_half_of_the_cached_is_told_the_sum_counts() -> None:
    told = report(input_text_tokens=5, input_audio_tokens=5, cached_tokens=4, cached_text_tokens=1)
    assert cost(ONE_OF_EACH, told) == 4 * 1 + 1 * 10 + 5 * 1_000


def test_cached_tokens_of_no_kind_are_of_that_which_saves_less() -> None:
    dear_text = TokenPrices(
        currency="USD",
        audio_in=Decimal(10),
        cached_audio_in=Decimal(9),
        audio_out=Decimal(0),
        text_in=Decimal(10),
        cached_text_in=Decimal(0),
        text_out=Decimal(0),
    )
    assert cost(dear_text, report(input_text_tokens=4, input_audio_tokens=4, cached_tokens=5)) == 4 * 9 + 3 * 10


@given(COUNTS, COUNTS, COUNTS, COUNTS, st.data())
def test_what_was_cached_never_makes_it_dearer_nor_free(
    text: int, audio: int, said: int, spoken: int, data: st.DataObject
) -> None:
    whole = report(
        input_text_tokens=text, input_audio_tokens=audio, output_text_tokens=said, output_audio_tokens=spoken
    )
    cached = data.draw(st.integers(0, text + audio))
    full, less = cost(ONE_OF_EACH, whole), cost(ONE_OF_EACH, whole | {"cached_tokens": cached})
    assert full is not None
    assert less is not None
    assert full / 10 <= less <= full
    of_text = data.draw(st.integers(max(0, cached - audio), min(text, cached)))
    apart = cost(ONE_OF_EACH, whole | {"cached_text_tokens": of_text, "cached_audio_tokens": cached - of_text})
    assert apart is not None
    assert apart <= less, "told apart, it is never dearer than guessed"
