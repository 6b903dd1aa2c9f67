"""Hanging up calls, whatever devices do: many at once, and each again until it is done."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from device.errors import UpstreamError
from provisioning.openai import OpenAI

_log = logging.getLogger(__name__)

PAUSES: Final = (1.0, 3.0, 10.0)
"""Seconds after each try to hang up that has failed."""

AT_ONCE: Final = 64
"""Calls that are hung up at the same time: half of the connections to the service, so that minting has the other half.

More of them would have to wait for a connection, and that would count as time in which the service did not answer.
"""


class HangUps:
    """Hangs calls up, `AT_ONCE` of them at a time: a fleet that is halted is silent in n / 64 times what one call takes."""

    def __init__(self, openai: OpenAI) -> None:
        self._openai = openai
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def hang_up(self, session: str, call_id: str) -> None:
        """Hang up one call; a failure is tried again, and in the end logged: the service ends it by itself."""
        for pause in PAUSES:
            try:
                async with self._slots:
                    await self._openai.hang_up(call_id)
            except UpstreamError as error:
                _log.warning("the call of session %s is not hung up: %s", session, error)
                await asyncio.sleep(pause)
            else:
                return
        _log.error("the call of session %s could not be hung up; it ends by itself within the hour", session)
