"""What is spent today, for the console's pages."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any, Final

from device.errors import StoreError
from provisioning.console.desk import Desk
from provisioning.settings import CloudSettings
from provisioning.spending.caps import FLEET, Account, Spent, day_of
from provisioning.store import Store

LOOK_SECONDS: Final = 5.0


async def tell_spending(desk: Desk, settings: CloudSettings, store: Store) -> None:
    """Tell every page what is spent, again and again, and soon after a conversation has ended; for ever."""
    while True:
        with suppress(StoreError):
            desk.spent(await spent_today(settings, store, time.time()))
        desk.changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await desk.changed.wait()


async def spent_today(settings: CloudSettings, store: Store, now: float) -> dict[str, Any]:
    """Return what robots and the fleet have spent on the day (UTC) of `now`, with the limits, in micros."""
    async with store.transaction() as t:
        spent = await t.ledger.totals([day_of(now)])
    accounts = {account: used for (account, _), used in spent.items()}
    robots = {name.removeprefix("device:"): used for name, used in accounts.items() if name.startswith("device:")}
    return {
        "currency": settings.prices.currency,
        "robots": {name: _told(settings, f"device:{name}", used) for name, used in robots.items()},
        "fleet": _told(settings, FLEET, accounts.get(FLEET, Spent())),
        "robot_limit": settings.rules.caps.device.day,
    }


def _told(settings: CloudSettings, account: Account, used: Spent) -> dict[str, int | None]:
    return {"spent": used.settled, "reserved": used.reserved, "limit": settings.rules.caps.of(account).day}
