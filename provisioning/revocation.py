"""Taking an identity away: the minter refuses at once, the list tells the broker, the open connection is ended.

`revoke` runs in the operator's process, `follow` in the service that sees the list change.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Final

import aiomqtt

from device.errors import KaiwaError
from provisioning.authority import Authority
from provisioning.link import BrokerEndpoint, connection
from provisioning.store import Store

_log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
"""How often the list is looked at."""

AT_ONCE: Final = 4
"""Connections that are ended at the same time; each takes a thread of the few there are, for its handshake."""


async def revoke(store: Store, authority: Authority, device: str, now: float, operator: str, why: str = "") -> bool:
    """Revoke a device and its certificates, and write the list; False when there was nothing to revoke.

    The list is written even then: an earlier try may have failed at just that. The broker must read it again, and
    `end_connection` must be called.

    Raises:
        SettingsError: the list cannot be written; the minter refuses the device all the same.
    """
    async with store.transaction() as t:
        done = await t.devices.revoke(device, now)
        if done:
            await t.audit.add(now, operator, "revoked", device, why=why)
    await publish_revocations(store, authority, now)
    return done


async def publish_revocations(store: Store, authority: Authority, now: float) -> None:
    """Write the list of revoked certificates as the store knows them; whoever writes later knows all of it.

    Raises:
        SettingsError: it cannot be written.
    """
    async with store.transaction() as t:
        await t.devices.lock_revocations()
        revoked = await t.devices.revoked(now)
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


async def end_connections(authority: Authority, broker: BrokerEndpoint, devices: Iterable[str]) -> None:
    """End the connections of several devices, several at a time: none is spared for long because others are many."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def end(device: str) -> None:
        async with slots:
            await end_connection(authority, broker, device, time.time())

    await asyncio.gather(*map(end, devices))


async def follow(
    store: Store, authority: Authority, broker: BrokerEndpoint, reload: Callable[[], Awaitable[None]]
) -> None:
    """Whenever the list is written anew, have the broker read it, then end the connections of who has been revoked.

    What fails is logged and tried again a second later.
    """
    known = await _revoked(store, authority)
    read = authority.revocations.stat().st_mtime_ns
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            written = authority.revocations.stat().st_mtime_ns
            if written == read:
                continue
            await reload()
            revoked = await _revoked(store, authority)
            await end_connections(authority, broker, {revoked[serial] for serial in revoked.keys() - known.keys()})
        except (KaiwaError, OSError) as error:
            _log.warning("revocations are not in force at the broker yet: %s", error)
        else:
            read, known = written, revoked


async def _revoked(store: Store, authority: Authority) -> dict[str, str]:
    """Return the device or operator of every certificate that was taken away, by serial."""
    async with store.transaction() as t:
        devices = {serial: device for serial, device, _ in await t.devices.taken_away(time.time())}
    return devices | {f"{serial:x}": name for serial, name in authority.revoked_operators.items()}
