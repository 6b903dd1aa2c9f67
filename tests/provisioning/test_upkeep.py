"""The cloud's own certificates are renewed while it runs, under the eyes of a real broker and a real HTTPS server."""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path

from aiohttp import web
from cryptography import x509

from provisioning.authority import MINTER, Authority
from provisioning.link import connection
from provisioning.listening import listening
from provisioning.mosquitto import MosquittoProcess
from provisioning.upkeep import Upkeep

DAY = 86_400.0


async def shown(port: int, context: ssl.SSLContext) -> int:
    """Return the serial number of the certificate that is shown at `port`."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(der).serial_number


def written(path: Path) -> int:
    return x509.load_pem_x509_certificate(path.read_bytes()).serial_number


async def test_what_ends_soon_is_renewed_and_shown_without_a_restart(tmp_path: Path) -> None:
    long_ago = time.time() - 380 * DAY
    authority = Authority.open(tmp_path, ("127.0.0.1", "localhost"), long_ago)
    minter, server = authority.service(MINTER, long_ago), authority.server_context()
    operator, _ = authority.operator("admin", long_ago)
    tls = authority.client_context(minter)
    async with (
        MosquittoProcess(authority, tmp_path / "broker") as broker,
        listening(web.Application(), "127.0.0.1", 0, server) as port,
        connection(broker.endpoint, MINTER, tls) as link,
    ):
        before = {path: written(path) for path in (authority.server.certificate, operator.certificate)}
        upkeep = Upkeep(authority, ((server, authority.server), (tls, minter)), broker.reload)
        await upkeep.look(long_ago + 300 * DAY)
        assert await shown(broker.endpoint.port, tls) == await shown(port, tls) == before[authority.server.certificate]
        await upkeep.look(time.time())
        after = {path: written(path) for path in before}
        assert not set(before.values()) & set(after.values())
        assert await shown(broker.endpoint.port, tls) == await shown(port, tls) == after[authority.server.certificate]
        await link.publish("kaiwa/v1/robot-1/mint/res", b"still connected", qos=1)
        async with connection(broker.endpoint, MINTER, tls) as again:
            await again.publish("kaiwa/v1/robot-1/mint/res", b"let in with the new one", qos=1)


async def test_a_broker_that_did_not_read_is_told_again(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path, ("localhost",), time.time() - 380 * DAY)
    told = 0

    async def reload() -> None:
        nonlocal told
        told += 1
        if told == 1:
            raise OSError

    upkeep = Upkeep(authority, (), reload)
    for _ in range(3):
        try:
            await upkeep.look(time.time())
        except OSError:
            assert told == 1
    assert told == 2
