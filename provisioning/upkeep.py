"""Keeping the cloud's own certificates from ending while it runs: nothing is restarted, no connection falls."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from device.errors import KaiwaError
from provisioning.authority import Authority, IdentityFiles

_log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 86_400.0

InUse = tuple[ssl.SSLContext, IdentityFiles]
"""A context, and the files whose certificate and key it shows at handshakes."""


class Upkeep:
    """Renews what ends within the month; `reload` has the broker read its files again. `run()` it in a task."""

    def __init__(self, authority: Authority, in_use: Sequence[InUse], reload: Callable[[], Awaitable[None]]) -> None:
        self._authority, self._in_use, self._reload = authority, in_use, reload
        self._behind = False
        """True while something was renewed that is not shown yet."""

    async def run(self) -> None:
        """Look once a day, for ever; what fails is logged, and tried again a day later."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look(time.time())
            except (KaiwaError, OSError) as error:
                _log.warning("the cloud's own certificates are not renewed: %s", error)

    async def look(self, now: float) -> None:
        """Renew what ends within the month; from then on it is shown at every handshake.

        Raises:
            SettingsError, BrokerError, OSError: it cannot be written, or the broker does not read it.
        """
        self._behind |= self._authority.renew(now)
        for context, files in self._in_use:  # perhaps another process has renewed them
            context.load_cert_chain(files.certificate, files.key)
        if not self._behind:
            return
        await self._reload()
        self._behind = False
        _log.info("renewed the cloud's own certificates")
