"""One process of the bench: the whole cloud, the two services stood in for, or a responder that does nothing.

It prints one line of JSON when others may use it, and runs until it is ended.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

from device.messages import topics
from provisioning.app import open_authority, running, running_part
from provisioning.authority import MINTER
from provisioning.link import BrokerEndpoint, Link
from provisioning.local.imageflux.server import ImageFluxStandIn
from provisioning.mint_service import MintService
from provisioning.roles import Place, Role
from provisioning.settings import CloudSettings
from tests.bench.mint.place import Upstream, Where, settings
from tests.provisioning.realtime_service import realtime_service


class Empty:
    """Answers at once, with as many bytes as a grant has."""

    async def answer(self, _data: bytes, _device: str, _now: float) -> bytes | None:
        return b"x" * 1200


async def cloud(wanted: CloudSettings) -> None:
    """Be what `kaiwa-cloud serve` is."""
    async with running(wanted) as there:
        await there.connected.wait()
        await ready({"enrol": there.enrol_address})


async def minter(wanted: CloudSettings, number: int) -> None:
    """Be what `kaiwa-cloud serve --role mint` is."""
    async with running_part(wanted, Place(Role.MINT, number)) as connected:
        await connected.wait()
        await ready({})


async def floor(wanted: CloudSettings) -> None:
    """Take requests and answer them as the cloud does, and do nothing in between."""
    authority = open_authority(wanted, time.time())
    service = MintService(Empty())
    tls = authority.client_context(authority.service(MINTER, time.time()))
    endpoint = BrokerEndpoint(wanted.broker.host, wanted.broker.port)
    link = Link(endpoint, MINTER, tls, {topics.MINTERS: service.deliver})
    async with asyncio.TaskGroup() as group:
        group.create_task(service.run(link.publish))
        group.create_task(link.run())
        await link.connected.wait()
        await ready({})


async def upstream() -> None:
    """Be both services."""
    async with AsyncExitStack() as stack:
        realtime = await stack.enter_async_context(realtime_service())
        imageflux = await stack.enter_async_context(ImageFluxStandIn())
        await ready({"realtime": realtime.base_url, "imageflux": imageflux.api_url})


async def ready(what: dict[str, str]) -> None:
    """Tell, and go on for ever."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def main(kind: str, *arguments: str) -> None:
    """Run one of them; a minter's number follows its kind."""
    if kind == "upstream":
        asyncio.run(upstream())
    folder, broker, enrol, realtime, imageflux, store = arguments
    wanted = settings(Where(Path(folder), int(broker), int(enrol), store), Upstream(realtime, imageflux))
    if kind.startswith("minter"):
        asyncio.run(minter(wanted, int(kind.removeprefix("minter"))))
    asyncio.run(cloud(wanted) if kind == "cloud" else floor(wanted))


if __name__ == "__main__":
    main(*sys.argv[1:])
