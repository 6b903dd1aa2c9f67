"""The console as a whole: in which order it is started, and ended in reverse."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from device.errors import SettingsError
from provisioning.app import open_authority
from provisioning.console.desk import Desk, Pen
from provisioning.console.door import Door
from provisioning.console.spending import tell_spending
from provisioning.console.web import Console, Leases
from provisioning.link import BrokerEndpoint, Link
from provisioning.listening import listening
from provisioning.operators import robots_of
from provisioning.settings import CloudSettings, reachable
from provisioning.store import Store

LOOPBACK: Final = "127.0.0.1"
"""The only address that it listens on: a console in public would be a microphone in public."""


@asynccontextmanager
async def console_of(settings: CloudSettings, operator: str, port: int = 0) -> AsyncIterator[str]:
    """Serve an operator's console while the context is open, and yield the link that opens it once.

    Raises:
        SettingsError: there is no such operator, or the port is taken.
        StoreError: the store cannot be opened.
    """
    authority = open_authority(settings, time.time())
    if operator not in authority.operators:
        raise SettingsError("--operator", f"no operator {operator!r}; there are: {', '.join(authority.operators)}")
    files, signer = authority.operator(operator, time.time())
    desk = Desk(Pen(signer, authority.mandate(operator)), robots_of(authority).get(operator, ()))
    broker = BrokerEndpoint(reachable(settings.broker.host), settings.broker.port)
    link = Link(broker, signer.kid, authority.client_context(files), desk.handlers())
    desk.attach(link)
    door = Door(time.monotonic())
    async with Store(settings.store_url) as store, asyncio.TaskGroup() as tasks:
        works = [tasks.create_task(link.run(), name="broker")]
        works.append(tasks.create_task(tell_spending(desk, settings, store), name="spending"))
        async with asyncio.TaskGroup() as leased:
            leases = Leases(desk, leased)
            console = Console(desk, door, leases, operator)
            async with listening(console.app(), LOOPBACK, port) as chosen:
                console.port = chosen
                yield f"http://{LOOPBACK}:{chosen}/enter?key={door.key}"
            leases.give_up()
        for work in works:
            work.cancel()
