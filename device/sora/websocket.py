"""The signalling websocket of a publisher, one at a time, told as events."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import aiohttp

from device.sora.steps import Event, Opened, Received, SocketClosed

ABNORMAL: Final = 1006
"""RFC 6455 section 7.1.5: closed without a close frame."""
_LARGEST: Final = 1_000_000
_CLOSE: Final = aiohttp.ClientWSTimeout(ws_close=1.0)
"""A goodbye was said and waited for before; this is for a dead network."""


class Websocket:
    """Opens websockets with `http` and posts what happens there."""

    def __init__(self, http: aiohttp.ClientSession, post: Callable[[Event], None]) -> None:
        self._http, self._post = http, post
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._number = 0

    async def run(self, number: int, url: str) -> None:
        """Open `url`, post each text, and post the close; returns when it is closed.

        The highest number counts: a socket that opens only after a later one was asked for is closed without a word.
        """
        self._number = max(self._number, number)
        try:
            async with self._http.ws_connect(url, timeout=_CLOSE, max_msg_size=_LARGEST) as socket:
                if number < self._number:
                    return
                self._socket = socket
                self._post(Opened(number))
                code, reason = await self._read(socket)
        except (aiohttp.ClientError, OSError) as error:
            code, reason = 0, f"{url}: {error}"
        self._post(SocketClosed(number, code, reason))

    async def send(self, message: Mapping[str, Any]) -> None:
        """Send one message; when the socket is gone, its close tells so."""
        if self._socket is not None:
            with suppress(ConnectionError):
                await self._socket.send_str(json.dumps(message))

    async def close(self) -> None:
        """Close the socket there is; waits for the other side, but not for long."""
        if self._socket is not None:
            await self._socket.close()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> tuple[int, str]:
        while True:
            frame = await socket.receive()
            if frame.type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
                self._post(Received(frame.data))
            elif frame.type is aiohttp.WSMsgType.CLOSE:
                return int(frame.data or ABNORMAL), frame.extra or ""
            else:
                return socket.close_code or ABNORMAL, "" if frame.type is aiohttp.WSMsgType.CLOSED else str(frame.data)
