from __future__ import annotations

from decimal import Decimal

import pytest

from provisioning.profiles.estimate import TASK_TOKENS, TOOL_TOKENS, costs, estimate, live_usage, usage
from provisioning.profiles.persona import Profile
from provisioning.settings import replaced
from provisioning.spending.prices import DOCUMENTED, PriceSettings, Tariff, tariff

TARIFF, MINI = Tariff(DOCUMENTED[0]), Tariff(DOCUMENTED[2])
BARE = Profile(tools=())


def test_one_turn_is_reckoned_as_it_is_billed() -> None:
    assert usage(BARE, 100, 1) == {
        "responses": 1,
        "input_text_tokens": 100,
        "input_audio_tokens": 40,
        "cached_text_tokens": 0,
        "cached_audio_tokens": 0,
        "output_audio_tokens": 140,
        "output_text_tokens": 35,
    }
    assert costs(BARE, 100, TARIFF, 13) == 100 * 4 + 40 * 32 + 140 * 64 + 35 * 24
    assert usage(Profile(), 100, 1)["input_text_tokens"] == 100 + TOOL_TOKENS


def test_all_that_was_said_is_billed_again_and_what_was_there_before_as_cached() -> None:
    one, two = usage(BARE, 100, 1), usage(BARE, 100, 2)
    assert two["input_audio_tokens"] - one["input_audio_tokens"] == 40 + 140 + 40
    assert (two["cached_text_tokens"], two["cached_audio_tokens"]) == (100, 40)
    assert two["input_text_tokens"] - one["input_text_tokens"] == 100 + 35


def test_a_shorter_memory_makes_a_long_talk_cheaper_if_little_of_it_is_kept() -> None:
    kept = {share: replaced(BARE, history_tokens=8000, history_kept=share) for share in (0.3, 0.8)}
    little, much, all_of_it = (costs(profile, 1000, TARIFF, 1800) for profile in (kept[0.3], kept[0.8], BARE))
    assert little < all_of_it < much


def test_no_conversation_is_dearer_than_what_is_put_aside_for_it() -> None:
    for profile in (BARE, replaced(BARE, history_tokens=8000), replaced(BARE, history_tokens=2000)):
        found = estimate(profile, 1000, TARIFF, 1800)
        assert found.per_minute * 3 == pytest.approx(found.conversation, rel=0.01)
        assert found.conversation < found.longest < found.put_aside


def test_the_smaller_model_costs_a_third_and_minutes_cost_besides() -> None:
    assert 2.8 < costs(BARE, 500, TARIFF, 180) / costs(BARE, 500, MINI, 180) < 3.6
    by_time = Tariff(DOCUMENTED[0], Decimal("0.01"))
    assert costs(BARE, 500, by_time, 180) - costs(BARE, 500, TARIFF, 180) == 30_000


def test_a_live_session_costs_its_time_and_a_task_now_and_then() -> None:
    profile = replaced(BARE, opening="live", model="gpt-live-1")
    billed = tariff(profile.billed, PriceSettings())
    assert live_usage(100, 8, 104.0) == {
        "responses": 4,
        "input_text_tokens": 4 * (100 + TOOL_TOKENS + 260),
        "output_text_tokens": 4 * TASK_TOKENS,
        "live_seconds": 104,
    }
    found = estimate(profile, 1000, billed, 1800)
    assert 150_000 < found.conversation < 200_000, "0.05 USD a minute, and little besides"
    assert found.conversation < found.longest < found.put_aside
