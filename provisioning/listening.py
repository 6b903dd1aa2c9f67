"""One aiohttp application on one address."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from device.errors import SettingsError


@asynccontextmanager
async def listening(
    app: web.Application, host: str, port: int, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Serve `app` while the context is open, and yield the port (a free one for 0).

    Raises:
        SettingsError: the address cannot be listened on.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, ssl_context=tls)
        try:
            await site.start()
        except OSError as error:
            raise SettingsError(f"{host}:{port}", f"cannot be listened on: {error.strerror}") from None
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
