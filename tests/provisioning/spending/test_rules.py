"""The rules in force: whose limits count, whose hours, and what a session that goes on may have used."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from device.messages.minting import Refusal
from provisioning.spending.caps import Cap, Caps, Spent
from provisioning.spending.hours import Hours, hours
from provisioning.spending.prices import DOCUMENTED, ModelPrice, PriceSettings, Tariff
from provisioning.spending.rules import Rules

NOW = 1_800_000_000.0  # 2027-01-15 08:00 UTC, a Friday
DEAR, CHEAP = DOCUMENTED[0], DOCUMENTED[2]
SHUT, LATER = hours("UTC", ("sat 09:00-10:00",)), hours("UTC", ("mon 09:00-10:00",))
OPEN = Hours(ZoneInfo("UTC"))


def test_without_settings_everything_is_allowed_and_billed_by_the_documents() -> None:
    rules = Rules()
    assert rules.closed("", NOW) is None
    assert rules.limited("robot-1", "lobby") == []
    assert rules.afford({}, "robot-1", "lobby", 10**12, NOW) is None
    assert rules.reservation(60.0) == Tariff(DEAR).bound(60.0)


@pytest.mark.parametrize(
    ("fleet", "group", "whose", "wait"),
    [
        (SHUT, None, "the fleet", 25 * 3600),
        (OPEN, SHUT, "the group lobby", 25 * 3600),
        (SHUT, LATER, "the group lobby", 73 * 3600),
        (LATER, SHUT, "the fleet", 73 * 3600),
    ],
)
def test_the_hours_of_fleet_and_group_both_count_and_the_later_is_told(
    fleet: Hours, group: Hours | None, whose: str, wait: float
) -> None:
    rules = Rules(fleet_hours=fleet, group_hours={} if group is None else {"lobby": group})
    refusal = rules.closed("lobby", NOW)
    assert refusal is not None
    assert refusal.refusal is Refusal.QUOTA
    assert (whose in refusal.text, refusal.retry_after) == (True, wait)
    assert rules.closed("garden", NOW) == (None if fleet is OPEN else Rules(fleet_hours=fleet).closed("", NOW))


@pytest.mark.parametrize(
    ("caps", "limited"),
    [
        (Caps(device=Cap(day=1)), ["device:robot-1"]),
        (Caps(group=Cap(month=1)), ["group:lobby"]),
        (Caps(fleet=Cap(day=0)), ["fleet"]),
        (Caps(groups={"lobby": Cap(day=5)}), ["group:lobby"]),
        (Caps(group=Cap(day=1), groups={"lobby": Cap()}), []),
        (Caps(Cap(1), Cap(1), Cap(1)), ["device:robot-1", "group:lobby", "fleet"]),
    ],
)
def test_only_accounts_with_a_limit_are_looked_at(caps: Caps, limited: list[str]) -> None:
    assert Rules(caps=caps).limited("robot-1", "lobby") == limited


def test_a_robot_without_a_group_has_no_limit_of_one() -> None:
    assert Rules(caps=Caps(group=Cap(day=1))).limited("robot-1", "") == []


def test_of_several_limits_that_are_reached_the_one_that_lasts_longest_is_told() -> None:
    rules = Rules(caps=Caps(device=Cap(day=10), fleet=Cap(month=10)))
    spent = {("device:robot-1", "2027-01-15"): Spent(5, 5), ("fleet", "2027-01"): Spent(10)}
    refusal = rules.afford(spent, "robot-1", "", 1, NOW)
    assert refusal is not None
    assert "fleet for this month" in refusal.text
    assert refusal.retry_after == 16 * 86_400 + 16 * 3600


def test_each_model_is_billed_by_its_own_price_and_minutes_besides() -> None:
    settings = PriceSettings(broadcast_per_minute=Decimal("0.01"), transcription_per_minute=Decimal("0.02"))
    rules = Rules(prices=settings)
    assert rules.tariff_of("") is rules.tariff
    assert rules.tariff_of(CHEAP.model) == Tariff(CHEAP, Decimal("0.03"))
    assert rules.reservation(60.0, CHEAP.model) == Tariff(CHEAP).bound(60.0) + 30_000


USED = {"responses": 1, "output_audio_tokens": 1000}


@pytest.mark.parametrize(
    ("reserved", "seconds", "usage", "over"),
    [
        (64_000, 0.0, USED, False),
        (63_999, 0.0, USED, True),
        (64_000, 60.0, USED, True),
        (124_000, 60.0, USED, False),
        (0, 60.0, USED, False),
        (1, 0.0, {}, False),
        (1, 0.0, {"responses": -1}, False),
    ],
)
def test_a_session_has_used_too_much_when_it_cost_more_than_was_put_aside(
    reserved: int, seconds: float, usage: dict[str, int], over: bool
) -> None:
    rules = Rules(tariff=Tariff(DEAR, Decimal("0.06")))
    assert rules.overspent(reserved, seconds, usage) is over


def test_too_much_is_judged_by_the_model_of_the_session() -> None:
    assert Rules().overspent(30_000, 0.0, USED)
    assert not Rules().overspent(30_000, 0.0, USED, CHEAP.model)


def test_a_price_of_one_s_own_comes_before_the_documented_one() -> None:
    own: ModelPrice = replace_price(DEAR, audio_out=Decimal(1))
    rules = Rules(prices=PriceSettings(models=(own,)))
    assert rules.charge(10**9, 1.0, USED, call_known=True, model=DEAR.model) == 1000
    assert replace(rules, trusted=False).charge(10**9, 1.0, USED, call_known=False, model=DEAR.model) == 10**9


def replace_price(price: ModelPrice, **changes: Decimal) -> ModelPrice:
    fields = {name: getattr(price, name) for name in price.__struct_fields__}
    return ModelPrice(**(fields | changes))
