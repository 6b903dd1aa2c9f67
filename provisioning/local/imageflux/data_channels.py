"""The data channels of one client: those that signalling moves to, and those over which clients send each other messages.

The service creates them all, before its first offer; signalling may move once all are open.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable
from typing import Any, Final

from aiortc import RTCDataChannel, RTCPeerConnection

from provisioning.local.imageflux.messages import Connect

SIGNALING: Final = "signaling"
STATS: Final = "stats"
LABELS: Final = (SIGNALING, "notify", "push", STATS)
"""What carries signalling, by type of message; all of it is compressed (zlib, RFC 1950)."""
CLOSING_SECONDS: Final = 3.0
"""How long the client may take to see its channels closed; the SDKs wait as long."""


class DataChannels:
    """The channels that `connect` asks for; none when it asks for no signalling over them.

    Args:
        connect: the client's first message.
        told: takes each signalling message of the client.
        said: takes the label and the data of each message to other clients.
    """

    def __init__(
        self,
        connect: Connect,
        told: Callable[[bytes], None],
        said: Callable[[str, bytes], None],
    ) -> None:
        self._told, self._said = told, said
        self._wishes = {wish.label: wish for wish in connect.data_channels or []}
        self._channels: dict[str, RTCDataChannel] = {}
        self._changed = asyncio.Event()
        self._labels = (*LABELS, *self._wishes) if connect.data_channel_signaling else ()

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return bool(self._channels)

    def create(self, connection: RTCPeerConnection) -> None:
        """Create those that are missing; `connection` must have a media section, to whose transport aiortc bundles them."""
        for label in self._labels:
            if label not in self._channels:
                self._create(connection, label)

    def described(self) -> list[dict[str, Any]]:
        """Return `data_channels` as the offer tells them."""
        ours = [{"label": label, "direction": "sendrecv", "compress": True} for label in LABELS]
        return [*ours, *(wish.described() for wish in self._wishes.values())]

    async def opened(self) -> None:
        """Wait until all are open."""
        await self._until("open")

    def tell(self, message: dict[str, Any]) -> None:
        """Send one signalling message, over the channel for its type."""
        kind = "notify" if message["type"] == "notify" else "push" if message["type"] == "push" else SIGNALING
        self.send(STATS if message["type"] == "req-stats" else kind, zlib.compress(json.dumps(message).encode()))

    def forward(self, label: str, data: bytes, sender: str) -> None:
        """Hand on a message of another client, if this one listens on that label."""
        wish = self._wishes.get(label)
        if wish is not None and wish.direction != "sendonly" and self.any:
            header = sender.encode() if wish.header else b""
            self.send(label, wish.packed(header + data))

    def send(self, label: str, data: bytes) -> None:
        """Send `data`, if that channel is open."""
        channel = self._channels[label]
        if channel.readyState == "open":
            channel.send(data)

    async def close(self) -> None:
        """Close them all, and wait a little until the client knows it."""
        for channel in self._channels.values():
            channel.close()
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                await self._until("closed")
        except TimeoutError:
            return

    def _create(self, connection: RTCPeerConnection, label: str) -> None:
        options = self._wishes[label].options() if label in self._wishes else {}
        self._channels[label] = channel = connection.createDataChannel(label, **options)
        channel.on("open", self._changed.set)
        channel.on("close", self._changed.set)
        channel.on("message", lambda data: self._received(label, data))

    def _received(self, label: str, data: str | bytes) -> None:
        raw = data.encode() if isinstance(data, str) else data
        wish = self._wishes.get(label)
        try:
            if wish is None:
                self._told(zlib.decompress(raw))
            elif wish.direction != "recvonly":
                self._said(label, wish.unpacked(raw))
        except zlib.error:
            self._told(b"not a zlib stream")

    async def _until(self, state: str) -> None:
        while any(channel.readyState != state for channel in self._channels.values()):
            self._changed.clear()
            await self._changed.wait()
