"""PURE. The rules of spending in force: prices, limits and hours in one piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from provisioning.policy import Refuse
from provisioning.spending.caps import Account, Cap, Caps, Spent, accounts, afford, settled
from provisioning.spending.hours import Hours, closed
from provisioning.spending.prices import DOCUMENTED, PriceSettings, Tariff, tariff


def _always() -> Hours:
    return Hours(ZoneInfo("UTC"))


@dataclass(frozen=True, slots=True)
class Rules:
    """What a session costs, what may be spent, and when; `trusted` tells whether devices' reports of usage count."""

    tariff: Tariff = field(default_factory=lambda: Tariff(DOCUMENTED[0]))
    caps: Caps = field(default_factory=Caps)
    fleet_hours: Hours = field(default_factory=_always)
    group_hours: Mapping[str, Hours] = field(default_factory=dict)
    trusted: bool = True
    prices: PriceSettings = field(default_factory=PriceSettings)

    def tariff_of(self, model: str) -> Tariff:
        """Return how sessions with a model are billed; with none that is named, as the settings' own model is."""
        return tariff(model, self.prices) if model else self.tariff

    def reservation(self, seconds: float, model: str = "") -> int:
        """Return what is put aside for a session of `seconds` at most with `model`, in micros."""
        return self.tariff_of(model).bound(seconds)

    def closed(self, group: str, now: float) -> Refuse | None:
        """Return why devices of a group may start nothing now; the hours of fleet and group both count."""
        refusals = [closed("the fleet", self.fleet_hours, now)]
        if group in self.group_hours:
            refusals.append(closed(f"the group {group}", self.group_hours[group], now))
        return max((found for found in refusals if found), key=lambda found: found.retry_after or 0.0, default=None)

    def limited(self, device: str, group: str) -> list[Account]:
        """Return the accounts of a device that have a limit, and so have to be looked at."""
        return [account for account in accounts(device, group) if self.caps.of(account) != Cap()]

    def afford(
        self, spent: Mapping[tuple[Account, str], Spent], device: str, group: str, wish: int, now: float
    ) -> Refuse | None:
        """Return why a device cannot spend `wish` micros more now."""
        return afford(self.caps, spent, accounts(device, group), wish, now)

    def charge(
        self, reserved: int, seconds: float, usage: Mapping[str, int] | None, *, call_known: bool, model: str = ""
    ) -> int:
        """Return what a session of `seconds` with `model` costs in the end, in micros; see `settled`."""
        billed = self.tariff_of(model)
        return settled(billed, reserved, seconds, usage, call_known=call_known, trusted=self.trusted)

    def overspent(self, reserved: int, seconds: float, usage: Mapping[str, int], model: str = "") -> bool:
        """Tell whether a session that goes on has used more than was put aside for it."""
        billed = self.tariff_of(model)
        cost = billed.cost(usage)
        return cost is not None and cost + billed.flat(seconds) > reserved > 0
