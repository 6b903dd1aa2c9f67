"""The stand-in as one thing to enter and leave: its addresses, its faults, and everything it owns."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

import aiohttp
import msgspec
from aiohttp import web

from provisioning.local.imageflux.api import Api
from provisioning.local.imageflux.channels import Channel
from provisioning.local.imageflux.files import Files, forget_deleted, sweep
from provisioning.local.imageflux.settings import Faults, StandInSettings
from provisioning.local.imageflux.signalling import Signalling

_log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 5.0
SHUTDOWN_SECONDS: Final = 5.0
KEY_PATH: Final = "/stand-in/key"
"""Where the stand-in serves the keys of encrypted playlists itself, for whoever has no key server."""


class ImageFluxStandIn:
    """ImageFlux on this computer, from entering to leaving; raises OSError when it cannot listen."""

    def __init__(self, settings: StandInSettings | None = None) -> None:
        self.settings = settings or StandInSettings()
        self.faults = Faults()
        """Set its attributes at any time."""
        self._channels: dict[str, Channel] = {}
        self._stack = AsyncExitStack()
        self._signalling: Signalling | None = None
        self._listening = ""

    @property
    def api_url(self) -> str:
        """The endpoint of the HTTP API, what `ImageFlux` takes as its `url`."""
        return f"{self._http_url()}/"

    @property
    def key_uri(self) -> str:
        """What a channel can be created with as `encrypt_key_uri`; the service appends `&kid=` to it."""
        return f"{self._http_url()}{KEY_PATH}?of=stand-in"

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            root = self._root(stack)
            http = await stack.enter_async_context(aiohttp.ClientSession())
            self._signalling = Signalling(self._channels, self.settings, self.faults, root, self._http_url, http)
            await self._listen(stack, self._application(root, self._signalling))
            sweeper = asyncio.create_task(self._sweep(root), name="sweep ended playlists")
            stack.push_async_callback(_cancelled, sweeper)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self._stack.aclose()

    def drop(self) -> None:
        """Cut every signalling connection without a close frame, as a dead network would."""
        for connection in tuple(self._signalling.connections if self._signalling else ()):
            connection.abort()

    def _root(self, stack: AsyncExitStack) -> Path:
        if self.settings.directory:
            return Path(self.settings.directory)
        return Path(stack.enter_context(TemporaryDirectory(prefix="kaiwa-hls-", ignore_cleanup_errors=True)))

    def _application(self, root: Path, signalling: Signalling) -> web.Application:
        api = Api(self._channels, self.settings, self.faults, self._signalling_url)
        files = Files(root, self._channels)
        application = web.Application()
        application.add_routes(
            [
                web.post("/", api.handle),
                web.get("/signaling", signalling.handle),
                web.get("/hls/{channel}/{connection}/{file:.+}", files.handle),
                web.options("/hls/{tail:.*}", files.preflight),
                web.get(KEY_PATH, api.serve_key),
                web.put("/stand-in/faults", self._switch),
            ]
        )
        return application

    async def _listen(self, stack: AsyncExitStack, application: web.Application) -> None:
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        stack.callback(self._dismiss)
        await web.TCPSite(runner, self.settings.host, self.settings.port).start()
        host, port = runner.addresses[0][:2]
        self._listening = f"{host}:{port}"

    def _dismiss(self) -> None:
        for connection in tuple(self._signalling.connections if self._signalling else ()):
            connection.kick("SHUTDOWN")

    async def _sweep(self, root: Path) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            await asyncio.to_thread(sweep, root, self.settings.keep_seconds)
            forget_deleted(root, self._channels)

    async def _switch(self, request: web.Request) -> web.Response:
        try:
            wished = msgspec.json.decode(await request.read(), type=Faults)
        except msgspec.DecodeError as error:
            return web.Response(status=400, text=f"{error}\n")
        for name in Faults.__struct_fields__:
            setattr(self.faults, name, getattr(wished, name))
        _log.warning("faults are now %s", self.faults)
        return web.json_response(msgspec.to_builtins(self.faults))

    def _http_url(self) -> str:
        return f"http://{self.settings.public_address or self._listening}"

    def _signalling_url(self) -> str:
        return f"ws://{self.settings.public_address or self._listening}/signaling"


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
