"""`/metrics` and `/healthz` of one process, on an address of their own: not for robots, and not for observers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final

from aiohttp import web

from device.errors import MessageError, SettingsError, StoreError
from device.messages.envelope import Envelope
from device.messages.minting import MintAnswer
from device.messages.wire import decode
from provisioning.listening import listening
from provisioning.metrics import CONTENT_TYPE, Metrics
from provisioning.mint_service import Answering
from provisioning.settings import MonitorSettings
from provisioning.store import Store

PATIENCE: Final = 2.0
"""Seconds that the store may take to answer before this process is not well."""

Gauge = tuple[str, Callable[[], float]]
"""What a number is, and where it comes from."""


class Counted:
    """Counts what the minter answers, by its own answers: they say in the clear whether they grant."""

    def __init__(self, minter: Answering, metrics: Metrics) -> None:
        self._minter, self._metrics = minter, metrics

    async def answer(self, data: bytes, device: str, now: float) -> bytes | None:
        """Return what the minter does."""
        began = time.perf_counter()
        answer = await self._minter.answer(data, device, now)
        self._metrics.answered(outcome(answer), time.perf_counter() - began)
        return answer


def outcome(answer: bytes | None) -> str:
    """Return `granted`, the code of a refusal, or `unanswered` for what deserved no answer."""
    if answer is None:
        return "unanswered"
    try:
        refusal = decode(decode(answer, Envelope).payload, MintAnswer).refusal
    except MessageError:
        return "unknown"
    return "granted" if refusal is None else str(refusal)


class Monitor:
    """Tells how one process is."""

    def __init__(self, store: Store, connected: asyncio.Event, metrics: Metrics, gauges: Mapping[str, Gauge]) -> None:
        self._store, self._connected, self._metrics, self._gauges = store, connected, metrics, gauges

    def app(self) -> web.Application:
        """Return what answers."""
        app = web.Application()
        app.router.add_get("/metrics", self.metrics)
        app.router.add_get("/healthz", self.health)
        return app

    async def metrics(self, _request: web.Request) -> web.Response:
        """Handle GET /metrics; what the store cannot tell now is left out."""
        gauges = {name: (meaning, read()) for name, (meaning, read) in self._gauges.items()}
        gauges["kaiwa_broker_connected"] = ("Whether the broker is connected.", float(self._connected.is_set()))
        if (live := await self._live()) is not None:
            gauges["kaiwa_sessions_live"] = ("Sessions of the fleet that have not ended.", live)
        return web.Response(body=self._metrics.text(gauges).encode(), headers={"Content-Type": CONTENT_TYPE})

    async def health(self, _request: web.Request) -> web.Response:
        """Handle GET /healthz: 200, or 503 with what is missing."""
        missing = [] if self._connected.is_set() else ["the broker is not connected"]
        if await self._live() is None:
            missing.append("the store does not answer")
        return web.Response(status=503 if missing else 200, text=("; ".join(missing) or "well") + "\n")

    async def _live(self) -> float | None:
        try:
            async with asyncio.timeout(PATIENCE), self._store.transaction() as t:
                return float(await t.sessions.count_live())
        except (StoreError, TimeoutError):
            return None


@asynccontextmanager
async def standing_by(where: MonitorSettings) -> AsyncIterator[None]:
    """Tell, while the context is open, that this process lives and waits for another to end; nothing if that has the port."""
    app = web.Application()
    app.router.add_get("/metrics", _waiting)
    app.router.add_get("/healthz", _not_yet)
    async with AsyncExitStack() as stack:
        if where.port:
            with suppress(SettingsError):
                await stack.enter_async_context(listening(app, where.host, where.port))
        yield


async def _waiting(_request: web.Request) -> web.Response:
    text = Metrics().text({"kaiwa_standing_by": ("Whether this process waits for another to end.", 1.0)})
    return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})


async def _not_yet(_request: web.Request) -> web.Response:
    return web.Response(status=503, text="waits until the other leash has ended\n")
