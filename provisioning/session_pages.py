"""The pages about past sessions, for the operator's own browser: a day, and one session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Final

from aiohttp import web

from provisioning.observer.assets import load_assets
from provisioning.observer.headers import FOR_EVER, NEVER, SAFETY, page_policy
from provisioning.session_html import day_page, session_page
from provisioning.session_words import WORDS, Language, chosen
from provisioning.store import Store

DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Book:
    """What the pages are made from."""

    store: Store
    currency: str


def session_pages(book: Book) -> web.Application:
    """Return the application; it has no doorkeeper of its own (`one_time.serve_once`)."""
    pages = _Pages(book)
    app = web.Application()
    app.add_routes(
        [
            web.get(r"/day/{day:\d{4}-\d{2}-\d{2}}", pages.day),
            web.get("/session/{session:[0-9a-zA-Z]+}", pages.session),
            web.get("/static/{digest}/{path:.+}", pages.static),
        ]
    )
    return app


class _Pages:
    def __init__(self, book: Book) -> None:
        self._book, self._assets = book, load_assets()

    async def day(self, request: web.Request) -> web.Response:
        try:
            begin = datetime.strptime(request.match_info["day"], "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError:
            raise web.HTTPNotFound from None
        async with self._book.store.transaction() as t:
            past = await t.history.between(begin.timestamp(), (begin + DAY).timestamp())
        language = _language(request)
        return self._page(request, language, day_page(begin.date(), past, self._book.currency, language))

    async def session(self, request: web.Request) -> web.Response:
        async with self._book.store.transaction() as t:
            found = await t.history.find(request.match_info["session"])
        language = _language(request)
        if len(found) != 1:
            missing = f"<h1>{escape(WORDS[language]['missing'])}</h1>"
            return self._page(request, language, missing, status=404)
        return self._page(request, language, session_page(found[0], self._book.currency, language))

    async def static(self, request: web.Request) -> web.Response:
        asset = self._assets.files.get(request.match_info["path"])
        if asset is None or asset.content_type == "text/html":
            raise web.HTTPNotFound
        return web.Response(
            body=asset.body, content_type=asset.content_type, headers={**SAFETY, "Cache-Control": FOR_EVER}
        )

    def _page(self, request: web.Request, language: Language, body: str, status: int = 200) -> web.Response:
        words, other = WORDS[language], "ja" if language == "en" else "en"
        switch = (
            f'<a class="tool text" lang="{other}" href="{escape(request.path)}?lang={other}">{words["language"]}</a>'
        )
        values = {
            "language": language,
            "title": words["title"],
            "private": words["private"],
            "switch": switch,
            "body": body,
        }
        headers = {**SAFETY, "Content-Security-Policy": page_policy((), framed=False), "Cache-Control": NEVER}
        text = self._assets.page("sessions.html", values)
        return web.Response(text=text, content_type="text/html", status=status, headers=headers)


def _language(request: web.Request) -> Language:
    return chosen(request.query.get("lang", ""), request.headers.get("Accept-Language", ""))
