"""An address on this computer that opens once: for pages that are nobody's business but that of who typed the command."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from provisioning.listening import listening

HOST: Final = "127.0.0.1"


class OneTime:
    """Lets one browser in: the one that comes with the key first; it is known by a cookie from then on.

    A key in an address ends up in histories and chats; used up, it is worth nothing there. Give `middleware` to the
    application.
    """

    def __init__(self) -> None:
        self._key, self._cookie = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._name = f"kaiwa-{secrets.token_hex(4)}"
        """Browsers share cookies among all ports of a host, so that each command needs a name of its own."""
        self._used = False

    def address(self, origin: str) -> str:
        """Return the address that opens what is at `origin` (`http://host:port`)."""
        return f"{origin}/?key={self._key}"

    def middleware(self, begin: str) -> Middleware:
        """Return what guards an application whose first page is at the path `begin`."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            if secrets.compare_digest(request.cookies.get(self._name, ""), self._cookie):
                return await handler(request)
            if self._used or not secrets.compare_digest(request.query.get("key", ""), self._key):
                raise web.HTTPForbidden(
                    text="This address has been opened already, or is not the one that was printed.\n"
                )
            self._used = True
            entered = web.Response(status=303, headers={"Location": begin, "Cache-Control": "no-store"})
            entered.set_cookie(self._name, self._cookie, httponly=True, samesite="Strict")
            return entered

        return guard


async def serve_once(
    app: web.Application, begin: str, tell: Callable[[str], None], until: asyncio.Event | None = None
) -> None:
    """Serve `app`, to one browser on this computer, until it is cancelled or `until` is set; `tell` gets the address.

    Raises:
        SettingsError: there is no free port.
    """
    door = OneTime()
    app.middlewares.append(door.middleware(begin))
    async with listening(app, HOST, 0) as port:
        tell(door.address(f"http://{HOST}:{port}"))
        await (until or asyncio.Event()).wait()
