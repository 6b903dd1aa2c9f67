"""PURE. The tables `[budget]`, `[hours]` and `[[groups]]` of the cloud's settings."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final

from msgspec import Meta

from device.messages.settings import Settings
from provisioning.spending.caps import Cap, Caps
from provisioning.spending.hours import Hours, hours
from provisioning.spending.prices import MICROS, not_negative

GROUP: Final = r"^[a-z0-9][a-z0-9-]{0,39}\Z"
"""The name of a group of robots."""

Group = Annotated[str, Meta(pattern=GROUP)]


class BudgetSettings(Settings, frozen=True):
    """The most that may be spent, in units of the currency; 0 for no limit. Days and months are those of UTC."""

    device_per_day: Decimal = Decimal(0)
    device_per_month: Decimal = Decimal(0)
    group_per_day: Decimal = Decimal(0)
    """Of each group that has no limit of its own."""
    group_per_month: Decimal = Decimal(0)
    fleet_per_day: Decimal = Decimal(0)
    fleet_per_month: Decimal = Decimal(0)
    trust_reports: bool = True
    """Charge what robots report, as far as their time allows it; otherwise what their time may have cost at most."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__[:-1]:
            not_negative(name, getattr(self, name))


class HoursSettings(Settings, frozen=True):
    """When conversations may begin."""

    time_zone: str = "UTC"
    open: tuple[str, ...] = ()
    """Lines such as "mon-fri 09:00-18:00"; at any time when there is none."""

    def __post_init__(self) -> None:
        self.as_hours()

    def as_hours(self) -> Hours:
        """Return them as they are reckoned with.

        Raises:
            ValueError: a line or the time zone is none.
        """
        return hours(self.time_zone, self.open)


class GroupSettings(Settings, frozen=True):
    """The limits of one group of robots, which count besides those of device and fleet."""

    name: Group
    per_day: Decimal | None = None
    """Instead of `group_per_day`; 0 for no limit."""
    per_month: Decimal | None = None
    hours: HoursSettings = HoursSettings()

    def __post_init__(self) -> None:
        for name in ("per_day", "per_month"):
            if getattr(self, name) is not None:
                not_negative(name, getattr(self, name))


def group_hours(groups: tuple[GroupSettings, ...]) -> dict[str, Hours]:
    """Return when conversations may begin in each group that has settings."""
    return {group.name: group.hours.as_hours() for group in groups}


def caps(budget: BudgetSettings, groups: tuple[GroupSettings, ...]) -> Caps:
    """Return every limit."""
    return Caps(
        device=Cap(_cap(budget.device_per_day), _cap(budget.device_per_month)),
        group=Cap(_cap(budget.group_per_day), _cap(budget.group_per_month)),
        fleet=Cap(_cap(budget.fleet_per_day), _cap(budget.fleet_per_month)),
        groups={
            group.name: Cap(
                _cap(budget.group_per_day if group.per_day is None else group.per_day),
                _cap(budget.group_per_month if group.per_month is None else group.per_month),
            )
            for group in groups
        },
    )


def _cap(amount: Decimal) -> int | None:
    return None if amount == 0 else int(amount * MICROS)
