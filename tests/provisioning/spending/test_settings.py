"""The tables about money and hours: which limit each amount becomes, and what no amount is."""

from __future__ import annotations

import pytest

from device.errors import SettingsError
from device.messages.settings import Settings, read_settings
from provisioning.spending.caps import Cap
from provisioning.spending.settings import BudgetSettings, GroupSettings, HoursSettings, caps, group_hours

LIMITS = {
    "device_per_day": ("device:x", "day"),
    "device_per_month": ("device:x", "month"),
    "group_per_day": ("group:x", "day"),
    "group_per_month": ("group:x", "month"),
    "fleet_per_day": ("fleet", "day"),
    "fleet_per_month": ("fleet", "month"),
}


class Money(Settings, frozen=True):
    budget: BudgetSettings = BudgetSettings()
    groups: tuple[GroupSettings, ...] = ()
    hours: HoursSettings = HoursSettings()


def money(text: str) -> Money:
    return read_settings(text, "cloud.toml", Money)


@pytest.mark.parametrize(("key", "limit"), LIMITS.items())
def test_each_amount_is_one_limit_in_micros_and_no_other(key: str, limit: tuple[str, str]) -> None:
    found = caps(money(f"[budget]\n{key} = 1.25").budget, ())
    for account, period in LIMITS.values():
        wanted = 1_250_000 if (account, period) == limit else None
        assert getattr(found.of(account), period) == wanted


def test_nothing_is_no_limit() -> None:
    assert [caps(BudgetSettings(), ()).of(account) for account in ("device:x", "group:x", "fleet")] == [Cap()] * 3


def test_a_group_has_its_own_amounts_that_of_all_or_none() -> None:
    text = """
[budget]
group_per_day = 5
group_per_month = 100
[[groups]]
name = "own"
per_day = 1
per_month = 2
[[groups]]
name = "free"
per_day = 0
per_month = 0
[[groups]]
name = "half"
per_month = 3
"""
    read = money(text)
    found = caps(read.budget, read.groups)
    assert found.of("group:own") == Cap(1_000_000, 2_000_000)
    assert found.of("group:free") == Cap()
    assert found.of("group:half") == Cap(5_000_000, 3_000_000)
    assert found.of("group:other") == Cap(5_000_000, 100_000_000)


def test_the_smallest_limit_there_is_lets_nothing_through() -> None:
    assert caps(money("[budget]\nfleet_per_day = 0.0000001").budget, ()).fleet == Cap(day=0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[budget]\nfleet_per_day = -1", "fleet_per_day must be 0 or more"),
        ("[budget]\ndevice_per_month = nan", "device_per_month must be 0 or more"),
        ("[budget]\ngroup_per_day = inf", "group_per_day must be 0 or more"),
        ('[[groups]]\nname = "a"\nper_day = -0.01', "per_day must be 0 or more"),
        ('[[groups]]\nname = "a"\nper_month = -1', "per_month must be 0 or more"),
        ('[[groups]]\nname = "A"', "groups.name"),
        ('[[groups]]\nname = "-a"', "groups.name"),
        ('[[groups]]\nname = "a\\n"', "groups.name"),
        (f'[[groups]]\nname = "{"a" * 41}"', "groups.name"),
        ("[[groups]]\nper_day = 1", "groups.name"),
        ('[hours]\nopen = ["sometimes"]', "is not like"),
        ('[hours]\ntime_zone = "Mars/Olympus"', "no time zone"),
        ('[[groups]]\nname = "a"\nhours.open = ["mon 09:00-09:00"]', "no such hours"),
    ],
)
def test_what_is_no_amount_no_name_and_no_hour_is_told(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        money(text)


def test_hours_of_a_group_are_its_own() -> None:
    text = '[[groups]]\nname = "a"\nhours.open = ["daily 00:00-00:01"]\n[[groups]]\nname = "b"'
    found = group_hours(money(text).groups)
    assert found["a"].opens_in(12 * 3600.0) == 12 * 3600.0
    assert found["b"].opens_in(12 * 3600.0) == 0.0
