"""The page that plays a record back, its sounds, and what it is told."""

from __future__ import annotations

from html import escape

import msgspec
from aiohttp import web

from device.messages.record import CAPTIONS, Track
from provisioning.observer.assets import load_assets
from provisioning.observer.headers import FOR_EVER, NEVER, SAFETY, page_policy
from provisioning.replay.reading import Record
from provisioning.replay.telling import ReplayView


def replay_pages(record: Record, view: ReplayView) -> web.Application:
    """Return the application; it has no doorkeeper of its own (`one_time.serve_once`)."""
    pages = _Pages(record, view)
    app = web.Application()
    app.add_routes(
        [
            web.get("/", pages.page),
            web.get("/record.json", pages.told),
            web.get("/captions.vtt", pages.captions),
            web.get("/sound/{track}.ogg", pages.sound),
            web.get("/static/{digest}/{path:.+}", pages.static),
        ]
    )
    app.on_response_prepare.append(_make_safe)
    return app


class _Pages:
    def __init__(self, record: Record, view: ReplayView) -> None:
        self._record, self._view, self._assets = record, msgspec.json.encode(view), load_assets()

    async def page(self, _request: web.Request) -> web.StreamResponse:
        text = self._assets.page("replay.html", {"name": escape(self._record.manifest.device)})
        policy = {"Content-Security-Policy": page_policy((), framed=False)}
        return web.Response(text=text, content_type="text/html", headers=policy)

    async def told(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(body=self._view, content_type="application/json", charset="utf-8")

    async def captions(self, _request: web.Request) -> web.StreamResponse:
        path = self._record.folder / CAPTIONS
        if not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Content-Type": "text/vtt; charset=utf-8"})

    async def sound(self, request: web.Request) -> web.StreamResponse:
        """Answer with one sound; whoever jumps in it asks for a part (RFC 9110, section 14)."""
        track = request.match_info["track"]
        if track not in self._record.tracks:
            raise web.HTTPNotFound
        return web.FileResponse(self._record.folder / Track(track).file, headers={"Content-Type": "audio/ogg"})

    async def static(self, request: web.Request) -> web.StreamResponse:
        asset = self._assets.files.get(request.match_info["path"])
        if asset is None or asset.content_type == "text/html":
            raise web.HTTPNotFound
        return web.Response(body=asset.body, content_type=asset.content_type, headers={"Cache-Control": FOR_EVER})


async def _make_safe(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(SAFETY)
    response.headers.setdefault("Cache-Control", NEVER)
