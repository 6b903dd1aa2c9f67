from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web

from device.errors import SettingsError
from provisioning.listening import listening


async def test_an_application_is_served_on_a_free_port() -> None:
    async def hello(_request: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", hello)
    async with listening(app, "127.0.0.1", 0) as port, aiohttp.ClientSession() as http:
        async with http.get(f"http://127.0.0.1:{port}/") as response:
            assert await response.text() == "hello"
        with pytest.raises(SettingsError, match=f"127.0.0.1:{port}.*in use"):
            async with listening(web.Application(), "127.0.0.1", port):
                pass
