"""The console's web server, on this computer's own address only.

| address | what |
|---|---|
| `/enter?key=…` | the link that is printed: sets the cookie, once |
| `/` | the page |
| `/events?robot=…` | everything of one robot as server-sent events |
| `/order` | POST: one order, as JSON; from the page alone |
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web

from device.errors import BrokerError
from provisioning.console.desk import Ask, Desk
from provisioning.console.door import LASTS_SECONDS, Door, addressed, own
from provisioning.console.pages import Page
from provisioning.observer.assets import Assets, load_assets
from provisioning.observer.headers import ASK_AGAIN, NEVER, SAFETY, page_policy
from provisioning.observer.sse import HEARTBEAT, OPENING

STATIC: Final = Path(__file__).parent / "static"

HEARTBEAT_SECONDS: Final = 1.0
"""Between two signs of life on a quiet stream; also how soon a page that was closed is noticed."""

LONGEST_BODY: Final = 8192
"""Bytes of one order."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def load_console() -> Assets:
    """Return the console's files together with those of the observer's page, whose look they share."""
    look, mine = load_assets(), load_assets(STATIC)
    digest = sha256(f"{look.digest} {mine.digest}".encode()).hexdigest()[:16]
    return Assets({**look.files, **mine.files}, digest)


class Leases:
    """A task for each robot that is looked at, which holds the lease on its events."""

    def __init__(self, desk: Desk, tasks: asyncio.TaskGroup) -> None:
        self._desk, self._tasks = desk, tasks
        self._held: dict[str, asyncio.Task[None]] = {}

    def follow(self, device: str) -> None:
        """Hold the lease on a robot exactly while a page looks at it."""
        looked_at, held = self._desk.pages.looking_at(device), self._held.get(device)
        if looked_at and held is None:
            self._held[device] = self._tasks.create_task(self._desk.lease(device), name=f"lease {device}")
        elif held is not None and not looked_at:
            self._held.pop(device).cancel()

    def give_up(self) -> None:
        """Give every lease up."""
        for held in self._held.values():
            held.cancel()
        self._held.clear()


class Console:
    """Serves one operator's page; `port` is that of the server, once it is known."""

    def __init__(self, desk: Desk, door: Door, leases: Leases, operator: str) -> None:
        self.port = 0
        self._desk, self._door, self._leases, self._operator = desk, door, leases, operator
        self._assets = load_console()

    def app(self) -> web.Application:
        """Return what answers."""
        app = web.Application(middlewares=[self._guard], client_max_size=LONGEST_BODY)
        app.router.add_get("/enter", self.enter)
        app.router.add_get("/", self.page)
        app.router.add_get("/events", self.events)
        app.router.add_post("/order", self.order)
        app.router.add_get("/static/{digest}/{path:.+}", self.static)
        app.on_shutdown.append(self._shut_down)
        return app

    @property
    def _cookie(self) -> str:
        """The cookie's name; browsers do not tell ports apart, so it does."""
        return f"kaiwa-console-{self.port}"

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let nobody in who is not meant, and send every answer with the headers that keep it so."""
        try:
            self._check(request)
            response = await handler(request)
        except web.HTTPException as error:
            error.headers.update(SAFETY)
            error.headers["Cache-Control"] = NEVER
            raise
        if not response.prepared:
            response.headers.update(SAFETY)
        return response

    def _check(self, request: web.Request) -> None:
        if not addressed(request.host, self.port):
            raise web.HTTPMisdirectedRequest(text="The console answers to its own address only.\n")
        public = request.path == "/enter" or request.path.startswith("/static/")
        if not public and not self._door.knows(request.cookies.get(self._cookie, ""), time.monotonic()):
            raise web.HTTPForbidden(text="Run kaiwa-cloud console again, and open the link that it prints.\n")
        if request.method == "POST" and not own(request.headers.get("Origin"), request.host):
            raise web.HTTPForbidden(text="Orders come from the console's own page only.\n")

    async def enter(self, request: web.Request) -> web.StreamResponse:
        """Take the key, once, for a cookie."""
        session = self._door.enter(request.query.get("key", ""), time.monotonic())
        if session is None:
            raise web.HTTPForbidden(text="This link was used, or is too old. Run kaiwa-cloud console again.\n")
        response = web.Response(status=303, headers={"Location": "/", "Cache-Control": NEVER})
        response.set_cookie(self._cookie, session, httponly=True, samesite="Strict", max_age=int(LASTS_SECONDS))
        return response

    async def page(self, _request: web.Request) -> web.StreamResponse:
        """Return the page."""
        headers = {"Content-Security-Policy": page_policy((), framed=False), "Cache-Control": NEVER}
        text = self._assets.page("console.html", {"operator": self._operator})
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def static(self, request: web.Request) -> web.StreamResponse:
        """Return a file of the page."""
        asset = self._assets.files.get(request.match_info["path"])
        if asset is None or asset.content_type == "text/html":
            raise web.HTTPNotFound
        headers = {"Cache-Control": ASK_AGAIN}
        return web.Response(body=asset.body, content_type=asset.content_type, charset="utf-8", headers=headers)

    async def order(self, request: web.Request) -> web.StreamResponse:
        """Send an order, and return its id."""
        try:
            ask = msgspec.json.decode(await request.read(), type=Ask)
            sent = await self._desk.order(ask)
        except msgspec.DecodeError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from None
        except BrokerError as error:
            raise web.HTTPServiceUnavailable(text=f"{error}\n") from None
        return web.json_response({"id": sent}, headers={"Cache-Control": NEVER})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Show a robot, as long as the page is open."""
        device = request.query.get("robot", "")[:64]
        headers = {"Cache-Control": NEVER, "Content-Type": "text/event-stream", **SAFETY}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        async with self._desk.looking(device) as page:
            if device:
                self._leases.follow(device)
            try:
                await self._show(response, page)
            except ConnectionError:
                pass  # it was closed
            finally:
                page.end()
        if device:
            self._leases.follow(device)
        return response

    async def _show(self, response: web.StreamResponse, page: Page) -> None:
        await response.write(OPENING)
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    data = await page.read()
            except TimeoutError:
                data = HEARTBEAT
            if data is None:
                return
            await response.write(data)

    async def _shut_down(self, _app: web.Application) -> None:
        self._desk.pages.end()
