"""Taking an identity away: the minter refuses at once, the list tells the broker, the open connection is ended.

`revoke` runs in the operator's process, `follow` in the service that sees the list change.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import aiomqtt

from provisioning.authority import Authority
from provisioning.link import BrokerEndpoint, connection
from provisioning.store import Store

_log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
"""How often the list is looked at."""


async def revoke(store: Store, authority: Authority, device: str, now: float, operator: str) -> bool:
    """Revoke a device and its certificates, and write the list; False when there was nothing to revoke.

    The broker must then read the list again, and `end_connection` must be called.
    """
    async with store.transaction() as t:
        done = await t.devices.revoke(device, now)
        if done:
            await t.audit.add(now, operator, "revoked", device)
    if done:
        await publish_revocations(store, authority, now)
    return done


async def publish_revocations(store: Store, authority: Authority, now: float) -> None:
    """Write the list of revoked certificates as the store knows them."""
    async with store.transaction() as t:
        revoked = await t.devices.revoked()
    authority.revoke([(int(serial, 16), at) for serial, _, at in revoked], now)


async def end_connection(authority: Authority, broker: BrokerEndpoint, device: str, now: float) -> None:
    """End the connection that a device has open: a client of the same name takes its place, and leaves.

    Mosquitto looks at the list at handshakes only. The broker publishes the device's Last Will as it falls.
    """
    with tempfile.TemporaryDirectory() as folder:
        identity = authority.impersonate(device, Path(folder), now)
        try:
            async with asyncio.timeout(10), connection(broker, device, authority.client_context(identity)):
                _log.info("ended the connection of %s", device)
        except (aiomqtt.MqttError, TimeoutError) as error:
            _log.warning("the connection of %s could not be ended: %s", device, error)


async def follow(
    store: Store, authority: Authority, broker: BrokerEndpoint, reload: Callable[[], Awaitable[None]]
) -> None:
    """Whenever the list is written anew, have the broker read it, then end the connections of who has been revoked."""
    read, since = authority.revocations.stat().st_mtime_ns, time.time()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        written = authority.revocations.stat().st_mtime_ns
        if written == read:
            continue
        await reload()
        async with store.transaction() as t:
            gone = await t.devices.revoked_since(since)
        read, since = written, time.time()
        for device in gone:
            await end_connection(authority, broker, device, time.time())
