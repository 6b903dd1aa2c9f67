"""The HLS side of one publisher: written, listed while it grows, told to the webhook, ended."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp

from provisioning.local.imageflux.channels import Channel
from provisioning.local.imageflux.hls import HlsStream
from provisioning.local.imageflux.media import Publication
from provisioning.local.imageflux.webhooks import playlist_ready


class Broadcast:
    """Playlists of what `connection_id` publishes in `channel`.

    Args:
        folder: where they are written; `listed` segments at a time.
        url: where they can be had as soon as there is something to hear.
        http: for the event webhook; owned by the caller.
    """

    def __init__(
        self,
        channel: Channel,
        connection_id: str,
        *,
        folder: Path,
        listed: int,
        url: str,
        http: aiohttp.ClientSession,
    ) -> None:
        self._channel, self._connection_id, self._url, self._http = channel, connection_id, url, http
        self._folder, self._listed = folder, listed

    async def run(self, sound: Publication, picture: Publication | None, timestamp: str) -> None:
        """Write until cancelled; `timestamp` is for the webhook."""
        codec = picture.codec if picture else None
        stream = HlsStream(self._folder, self._channel.renditions, listed=self._listed, picture=codec)
        self._channel.programmes[self._connection_id] = stream
        sound.listeners.add(stream.push)
        if picture:
            picture.begin(stream.push_picture)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(stream.run())
                await stream.ready.wait()
                self._channel.playlists[self._connection_id] = self._url
                await self._tell(timestamp)
        finally:
            sound.listeners.discard(stream.push)
            if picture:
                picture.listeners.discard(stream.push_picture)
            self._channel.playlists.pop(self._connection_id, None)

    async def _tell(self, timestamp: str) -> None:
        url = self._channel.created.event_webhook_url
        event: dict[str, Any] = {
            "channel_id": self._channel.channel_id,
            "connection_id": self._connection_id,
            "timestamp": timestamp,
            "playlist_url": self._url,
        }
        if url:
            await playlist_ready(self._http, url, event)
