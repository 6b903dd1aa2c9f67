"""`kaiwa-cloud budget`: what was spent today and this month, what is put aside, and what may be spent."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

import typer
from rich.table import Table

from provisioning.cli.invocation import Invocation, JsonFlag, out, print_json
from provisioning.running import run
from provisioning.settings import CloudSettings
from provisioning.spending.caps import FLEET, Account, Spent, day_of, month_of
from provisioning.spending.prices import price_of, told
from provisioning.spending.rules import Rules
from provisioning.store import Store

_KINDS: Final = ("device", "group", FLEET)


def budget_command(context: typer.Context, *, json: JsonFlag = False) -> None:
    """Show what robots, groups and the fleet have spent today and this month (UTC), and what they may.

    "reserved" is put aside for conversations that go on, and counts until they end.
    """
    invocation: Invocation = context.obj
    settings = invocation.settings()
    found = run(_budget(settings, time.time()))
    if json:
        print_json({**_prices(settings), "accounts": found})
        return
    out.print(_table(found, settings.prices.currency))
    out.print(f"one conversation: {told(settings.reservation)} put aside; {_as_of(settings)}", markup=False)


async def _budget(settings: CloudSettings, now: float) -> list[dict[str, Any]]:
    async with Store(settings.store_url) as store, store.transaction() as t:
        spent = await t.ledger.totals([day_of(now), month_of(now)])
        members = await t.groups.members()
    who = {f"device:{name}" for name in members} | {f"group:{name}" for name in members.values() if name}
    who |= {account for account, _ in spent} | {f"group:{group.name}" for group in settings.groups} | {FLEET}
    return [_account(account, spent, settings.rules, now) for account in _sorted(who)]


def _sorted(who: Iterable[Account]) -> list[Account]:
    return sorted(who, key=lambda account: (_KINDS.index(account.partition(":")[0]), account))


def _account(account: Account, spent: Mapping[tuple[Account, str], Spent], rules: Rules, now: float) -> dict[str, Any]:
    today, month = (spent.get((account, period), Spent()) for period in (day_of(now), month_of(now)))
    cap = rules.caps.of(account)
    kind, _, name = account.partition(":")
    return {
        "kind": kind,
        "name": name,
        "today_micros": today.settled,
        "month_micros": month.settled,
        "reserved_micros": month.reserved,
        "day_limit_micros": cap.day,
        "month_limit_micros": cap.month,
    }


def _table(found: list[dict[str, Any]], currency: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("", "name"):
        table.add_column(heading)
    for heading in ("today", "limit", "month", "limit", "reserved"):
        table.add_column(f"{heading} {currency}" if heading == "today" else heading, justify="right")
    for each in found:
        amounts = ("today_micros", "day_limit_micros", "month_micros", "month_limit_micros", "reserved_micros")
        table.add_row(each["kind"], each["name"], *(_shown(each[amount]) for amount in amounts))
    return table


def _shown(micros: int | None) -> str:
    return "-" if micros is None else told(micros)


def _prices(settings: CloudSettings) -> dict[str, Any]:
    price = price_of(settings.openai.model, settings.prices)
    return {
        "currency": settings.prices.currency,
        "model": settings.openai.model,
        "prices_as_of": None if price is None else price.as_of.isoformat(),
        "reservation_micros": settings.reservation,
    }


def _as_of(settings: CloudSettings) -> str:
    price, model = price_of(settings.openai.model, settings.prices), settings.openai.model
    if price is None:
        return f"no price of {model} is known, so it counts as the dearest model (see [[prices.models]])"
    return f"prices of {model} as of {price.as_of}"
