"""What is to be read at Home Assistant's broker: the latest of each topic, kept there, said again when it asks."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from device.errors import BrokerError
from provisioning.link import Link

_log = logging.getLogger(__name__)

PAUSE: Final = 1.0
"""Seconds after a publication that failed."""


class Notices:
    """Keeps what was put up, and publishes what is new of it; `run()` it in a task.

    What changes faster than the broker takes it is published in its latest form only.
    """

    def __init__(self) -> None:
        self._up: dict[str, bytes] = {}
        self._due: dict[str, None] = {}
        self._news = asyncio.Event()

    def put(self, topic: str, payload: bytes) -> None:
        """Put something up, unless it is there already; nothing takes it down."""
        if self._up.get(topic) == payload:
            return
        self._up[topic] = payload
        self._due[topic] = None
        self._news.set()

    def again(self) -> None:
        """Publish all of it once more."""
        self._due = dict.fromkeys(self._up)
        self._news.set()

    async def run(self, link: Link) -> None:
        """Publish over `link` what is due, for ever."""
        while True:
            await self._news.wait()
            await link.connected.wait()
            topic = next(iter(self._due), None)
            if topic is None:
                self._news.clear()
                continue
            del self._due[topic]
            await self._publish(link, topic)

    async def _publish(self, link: Link, topic: str) -> None:
        try:
            await link.publish(topic, self._up[topic], retain=True)
        except BrokerError as error:
            _log.warning("Home Assistant does not learn of it yet: %s", error)
            self._due[topic] = None
            await asyncio.sleep(PAUSE)
