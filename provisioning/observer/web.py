"""The observer's web server: pages, a small JSON API, and server-sent events. Nothing here needs an account.

| address | what |
|---|---|
| `/` | the list of robots; with exactly one, the way to it |
| `/r/{device}` | one robot's page; `?embed` for other sites' frames |
| `/api/robots` | the list as JSON |
| `/api/events` | the list, then each robot that changes, as server-sent events |
| `/r/{device}/qr.svg` | the address of that page as a QR code |
| `/api/robots/{device}` | one robot as JSON |
| `/api/robots/{device}/captions.vtt` | what was said in the conversation that is shown, while it is |
| `/api/robots/{device}/events` | a snapshot, then every change, as server-sent events |
| `/healthz` | `ok` |
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, suppress
from html import escape
from typing import Final

import msgspec
from aiohttp import HttpVersion11, web

from provisioning.observer.assets import Asset, Assets, load_assets
from provisioning.observer.feed import Feed, FullHouseError, Subscription
from provisioning.observer.headers import ASK_AGAIN, FOR_EVER, NEVER, SAFETY, checked_origins, page_policy
from provisioning.observer.qr import qr_code
from provisioning.observer.sse import HEARTBEAT, OPENING
from provisioning.observer.webvtt import webvtt

HEARTBEAT_SECONDS: Final = 15.0
"""Between two signs of life on a quiet stream; common proxies give up after 60 s."""

WRITE_SECONDS: Final = 30.0
"""A reader that takes nothing for this long is let go."""

LEFT_SECONDS: Final = 1.0
"""How long a page that was closed may still count; otherwise only the next write would tell."""

MOST_BUFFERED: Final = 16_384
"""Bytes that may wait in a connection; a page that is further behind waits for its turn."""

_DEVICE: Final = r"{device:[A-Za-z0-9_.-]{1,64}}"


def create_app(
    feed: Feed,
    *,
    media_origins: Sequence[str] = (),
    public_url: str = "",
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
    write_seconds: float = WRITE_SECONDS,
) -> web.Application:
    """Return the observer's application.

    Args:
        feed: what is public of the robots; its streams are ended when the application shuts down.
        media_origins: where playlists and segments may come from besides this host, such as
            `https://*.imageflux.jp`; they go into the Content-Security-Policy.
        public_url: what observers type, for the QR codes; when empty, the host that each request names.
        heartbeat_seconds: longest silence on an event stream.
        write_seconds: longest wait for a reader to take what was written.

    Raises:
        MediaOriginError: one of `media_origins` is not an origin.
    """
    site = _Site(feed, checked_origins(media_origins), public_url, heartbeat_seconds, write_seconds)
    app = web.Application()
    app.add_routes(
        [
            web.get("/", site.index),
            web.get(f"/r/{_DEVICE}", site.robot),
            web.get(f"/r/{_DEVICE}/qr.svg", site.qr),
            web.get("/api/robots", site.list_robots),
            web.get("/api/events", site.list_events),
            web.get(f"/api/robots/{_DEVICE}", site.one_robot),
            web.get(f"/api/robots/{_DEVICE}/events", site.events),
            web.get(f"/api/robots/{_DEVICE}/captions.vtt", site.captions),
            web.get("/static/{digest}/{path:.+}", site.static),
            web.get("/favicon.ico", site.icon),
            web.get("/healthz", _healthz),
        ]
    )
    app.on_response_prepare.append(_make_safe)
    app.cleanup_ctx.append(site.seeing_off)
    app.on_shutdown.append(site.shut_down)
    return app


class _Site:
    def __init__(
        self,
        feed: Feed,
        media_origins: Sequence[str],
        public_url: str,
        heartbeat_seconds: float,
        write_seconds: float,
    ) -> None:
        self._feed, self._media_origins, self._public_url = feed, media_origins, public_url.rstrip("/")
        self._heartbeat, self._patience = heartbeat_seconds, write_seconds
        self._assets: Assets = load_assets()
        self._open: dict[Subscription, web.Request] = {}

    async def index(self, request: web.Request) -> web.StreamResponse:
        robots = self._feed.robots()
        if len(robots) == 1 and "all" not in request.query:
            return web.Response(status=302, headers={"Location": f"/r/{robots[0].device}", "Cache-Control": NEVER})
        return self._page("index.html", {})

    async def robot(self, request: web.Request) -> web.StreamResponse:
        snapshot = self._feed.snapshot(request.match_info["device"])
        status = 404 if snapshot.state.lifecycle is None else 200
        values = {"device": escape(snapshot.device), "name": escape(snapshot.name)}
        return self._page("robot.html", values, framed="embed" in request.query, status=status)

    async def list_robots(self, _request: web.Request) -> web.StreamResponse:
        return _json(msgspec.json.encode({"robots": self._feed.robots()}))

    async def one_robot(self, request: web.Request) -> web.StreamResponse:
        snapshot = self._feed.snapshot(request.match_info["device"])
        return _json(msgspec.json.encode(snapshot), 404 if snapshot.state.lifecycle is None else 200)

    async def qr(self, request: web.Request) -> web.StreamResponse:
        url = f"{self._public_url or request.url.origin()}/r/{request.match_info['device']}"
        return web.Response(body=qr_code(url), content_type="image/svg+xml", headers={"Cache-Control": ASK_AGAIN})

    async def captions(self, request: web.Request) -> web.StreamResponse:
        snapshot = self._feed.snapshot(request.match_info["device"])
        if not snapshot.captions:
            raise web.HTTPNotFound(headers={"Cache-Control": NEVER})
        headers = {"Cache-Control": NEVER, "Content-Disposition": 'attachment; filename="conversation.vtt"'}
        text = webvtt(snapshot.captions, snapshot.name)
        return web.Response(text=text, content_type="text/vtt", headers=headers)

    async def events(self, request: web.Request) -> web.StreamResponse:
        return await self._streamed(request, self._feed.watch(request.match_info["device"]))

    async def list_events(self, request: web.Request) -> web.StreamResponse:
        return await self._streamed(request, self._feed.watch_list())

    async def _streamed(
        self, request: web.Request, watching: AbstractContextManager[Subscription]
    ) -> web.StreamResponse:
        try:
            with watching as subscription:
                self._open[subscription] = request
                try:
                    return await self._stream(request, subscription)
                finally:
                    del self._open[subscription]
        except FullHouseError as error:
            raise web.HTTPServiceUnavailable(text=str(error), headers={"Retry-After": "10"}) from None

    async def static(self, request: web.Request) -> web.StreamResponse:
        asset = self._assets.files.get(request.match_info["path"])
        if asset is None or asset.content_type == "text/html":
            raise web.HTTPNotFound
        current = request.match_info["digest"] == self._assets.digest
        return _asset(request, asset, FOR_EVER if current else ASK_AGAIN)

    async def icon(self, request: web.Request) -> web.StreamResponse:
        return _asset(request, self._assets.files["icon.svg"], ASK_AGAIN)

    async def seeing_off(self, _app: web.Application) -> AsyncIterator[None]:
        """End the streams of pages that were closed, as long as the application runs."""
        async with asyncio.TaskGroup() as tasks:
            sweeper = tasks.create_task(self._see_off(), name="closed pages")
            yield
            sweeper.cancel()

    async def _see_off(self) -> None:
        while True:
            await asyncio.sleep(LEFT_SECONDS)
            for subscription, request in self._open.items():
                if request.transport is None or request.transport.is_closing():
                    subscription.end()

    async def shut_down(self, _app: web.Application) -> None:
        self._feed.end_streams()

    async def _stream(self, request: web.Request, subscription: Subscription) -> web.StreamResponse:
        headers = {"Cache-Control": NEVER, "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        response = web.StreamResponse(headers=headers)
        if request.version >= HttpVersion11:
            response.enable_chunked_encoding()
        await response.prepare(request)
        with suppress(ConnectionError):
            await response.write(OPENING)
            if request.version >= HttpVersion11:
                subscription.sends = _past_the_writer(request)
            while data := await self._next(subscription):
                await self._write(request, response, data)
            await response.write_eof()
        return response

    async def _write(self, request: web.Request, response: web.StreamResponse, data: bytes) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await response.write(data)
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionAbortedError("the reader takes nothing") from None

    async def _next(self, subscription: Subscription) -> bytes:
        try:
            async with asyncio.timeout(self._heartbeat):
                return await subscription.read()
        except TimeoutError:
            return HEARTBEAT

    def _page(
        self, name: str, values: dict[str, str], *, framed: bool = False, status: int = 200
    ) -> web.StreamResponse:
        response = web.Response(text=self._assets.page(name, values), content_type="text/html", status=status)
        response.headers["Content-Security-Policy"] = page_policy(self._media_origins, framed=framed)
        response.headers["Cache-Control"] = ASK_AGAIN
        return response


def _past_the_writer(request: web.Request) -> Callable[[bytes], bool]:
    """Return what writes one chunk (RFC 9112 section 7.1) straight to the connection, while that has room."""

    def send(data: bytes) -> bool:
        transport = request.transport
        if transport is None or transport.is_closing() or transport.get_write_buffer_size() > MOST_BUFFERED:
            return False
        transport.write(b"%x\r\n%b\r\n" % (len(data), data))
        return True

    return send


def _json(body: bytes, status: int = 200) -> web.Response:
    headers = {"Cache-Control": NEVER}
    return web.Response(body=body, content_type="application/json", charset="utf-8", headers=headers, status=status)


def _asset(request: web.Request, asset: Asset, cache: str) -> web.Response:
    headers = {"Cache-Control": cache, "Vary": "Accept-Encoding"}
    body = asset.body
    if asset.gzipped is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
        body = asset.gzipped
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=body, content_type=asset.content_type, charset="utf-8", headers=headers)


async def _healthz(_request: web.Request) -> web.StreamResponse:
    return web.Response(text="ok\n", headers={"Cache-Control": NEVER})


async def _make_safe(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(SAFETY)
