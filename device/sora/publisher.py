"""The owner of one connection that broadcasts: websocket and peer connection around the signalling machine."""

from __future__ import annotations

import asyncio
import logging
import platform
from importlib.metadata import version
from typing import Any, Final, Self

import aiohttp

from device.audio.block import Samples
from device.audio.opus import Application
from device.errors import MediaError, SignallingError
from device.messages.minting import BroadcastGrant
from device.picture.skin import HEIGHT, WIDTH
from device.rtc.flow import Flow
from device.rtc.pictures import Motif, PictureSender, PictureSettings
from device.rtc.sending import OpusSender
from device.sora.ends import End
from device.sora.media import Media
from device.sora.settings import BroadcastSettings, programme
from device.sora.signaling import Signaling, connect_message
from device.sora.steps import (
    WEBSOCKET,
    Apply,
    CloseSocket,
    CollectStats,
    Command,
    Event,
    Leave,
    MediaDown,
    OnAir,
    Open,
    Over,
    Reapply,
    Send,
)
from device.sora.websocket import Websocket

_log = logging.getLogger(__name__)

CLIENT: Final = f"Kaiwa {version('kaiwa')}"
WATCH_SECONDS: Final = 0.5
"""How often it is looked whether the programme goes out."""

ENVIRONMENT: Final = f"Python {platform.python_version()}; {platform.system()} {platform.machine()}"


class _Done(Exception):  # noqa: N818 - ends the task group, no mistake
    pass


class Publisher:
    """One connection that sends the programme, from `connect` to its end; enter it to be on air, leave it to say goodbye.

    Args:
        grant: where to connect, and as what.
        http: for the websocket; owned by the caller.
        settings: quality and time limits, which bound entering and leaving.
        motif: what its picture shows; None for sound alone.
        attempt: which of the relays in the service's offer to use: 0 the fastest, then around.

    Entering raises:
        SignallingError: unreachable, refused, or closed before it was on air.
        MediaError: the peer connection did not come up in time.
    """

    def __init__(
        self,
        grant: BroadcastGrant,
        *,
        http: aiohttp.ClientSession,
        settings: BroadcastSettings,
        motif: Motif[Any] | None = None,
        attempt: int = 0,
    ) -> None:
        self.programme = OpusSender(programme(settings), Application.AUDIO)
        """Takes the mixed programme."""
        self.picture = None if motif is None else PictureSender(motif, _picture_settings(settings))
        """Sends the picture, if there is one."""
        self.connection_id = ""
        """The service's name for this connection, once on air; it names the playlist too."""
        self.end: End | None = None
        """Why the connection is over, once it is."""
        self._inbox: asyncio.Queue[Event] = asyncio.Queue()
        self._websocket = Websocket(http, self._inbox.put_nowait)
        self._media = Media(self.programme, attempt, self._inbox.put_nowait, self.picture)
        connect = connect_message(grant, settings, client=CLIENT, environment=ENVIRONMENT, picture=motif is not None)
        self._signaling = Signaling(connect, grant.signalling_urls, settings)
        self._settled, self._over = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="sora publisher")
        try:
            await self._settled.wait()
        except asyncio.CancelledError:
            await self._cancelled(self._task)
            raise
        if self._over.is_set():
            await self._task
            raise self._error()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        if self._task is not None:
            self._inbox.put_nowait(Leave())
            try:
                await asyncio.shield(self._task)
            except asyncio.CancelledError:
                await self._cancelled(self._task)
                raise

    def push(self, samples: Samples) -> None:
        """Send one block of the programme, shape (960,)."""
        self.programme.push(samples)

    def counters(self) -> dict[str, float]:
        """Return the counters of the sound, and of the picture if there is one."""
        return self.programme.counters() | ({} if self.picture is None else self.picture.counters())

    async def ended(self) -> str:
        """Wait for the end and return its reason, fit for a person."""
        await self._over.wait()
        return str(self.end)

    def _error(self) -> SignallingError | MediaError:
        return self.end.error() if self.end else SignallingError(0, "left before it was on air")

    async def _cancelled(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._drive(tasks)
        except* _Done:
            pass
        finally:
            await self._websocket.close()
            await self._media.close()
            self._over.set()
            self._settled.set()

    async def _drive(self, tasks: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        commands = self._signaling.start(loop.time())
        while True:
            for command in commands:
                await self._carry_out(command, tasks)
            event = await self._next_event()
            now = loop.time()
            commands = self._signaling.wake(now) if event is None else self._signaling.handle(event, now)

    async def _next_event(self) -> Event | None:
        try:
            async with asyncio.timeout_at(self._signaling.deadline):
                return await self._inbox.get()
        except TimeoutError:
            return None

    def _rise(self, connection_id: str, tasks: asyncio.TaskGroup) -> None:
        _log.info("on air as %s", connection_id)
        self.connection_id = connection_id
        if self.picture is not None:
            tasks.create_task(_shown(self.picture))
        tasks.create_task(self._watch(), name="watch the broadcast")
        self._settled.set()

    async def _watch(self) -> None:
        """Give up a connection that looks healthy while nothing goes out, or nothing comes in at the far end."""
        loop = asyncio.get_running_loop()
        flow = Flow(loop.time())
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            stopped = flow.stopped(self.programme.counters(), loop.time())
            if stopped is not None:
                self._inbox.put_nowait(MediaDown(stopped))
                return

    async def _carry_out(self, command: Command, tasks: asyncio.TaskGroup) -> None:
        match command:
            case Open(number, url):
                await self._websocket.close()
                tasks.create_task(self._websocket.run(number, url))
            case Send(message, channel) if channel == WEBSOCKET:
                await self._websocket.send(message)
                self._media.prepare()
            case Send(message, channel):
                self._media.send(message, channel)
            case Apply():
                tasks.create_task(self._media.apply(command))
            case Reapply():
                tasks.create_task(self._media.reapply(command))
            case CollectStats(channel):
                tasks.create_task(self._media.report(channel))
            case CloseSocket():
                tasks.create_task(self._websocket.close())
            case OnAir(connection_id):
                self._rise(connection_id, tasks)
            case Over(end):
                _log.info("off air: %s", end)
                self.end = end
                raise _Done


def _picture_settings(settings: BroadcastSettings) -> PictureSettings:
    return PictureSettings(
        WIDTH, HEIGHT, settings.picture_rate, settings.picture_bit_rate, encoder=settings.picture_encoder
    )


async def _shown(picture: PictureSender) -> None:
    try:
        await picture.run()
    except Exception:  # noqa: BLE001 - the edge of the picture: whatever breaks in it, the sound goes on
        _log.exception("the picture has failed; the sound goes on")
