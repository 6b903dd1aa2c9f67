"""Staying on air: one connection after another, for as long as somebody wants the programme out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from random import SystemRandom
from typing import Any, Final

import aiohttp

from device.errors import MediaError, SignallingError
from device.messages.minting import BroadcastGrant
from device.rtc.pictures import Motif
from device.sora.backoff import Backoff
from device.sora.ends import Cause, End
from device.sora.publisher import Publisher
from device.sora.settings import BroadcastSettings

_log = logging.getLogger(__name__)
_RANDOM: Final = SystemRandom()

OnAirChanged = Callable[[Publisher | None, str], None]
"""Called with the publisher and its connection id when on air, with None and the reason when off it, or not yet on."""


async def keep_on_air(
    grant: BroadcastGrant,
    *,
    http: aiohttp.ClientSession,
    settings: BroadcastSettings,
    on_air: OnAirChanged,
    motif: Motif[Any] | None = None,
) -> None:
    """Publish until cancelled: after every end wait a little and connect anew, because Sora resumes nothing.

    Never returns and raises nothing on its own; refusals (no such channel, no right) are told to `on_air` each time. `motif` is what the picture shows, None for sound alone.
    """
    backoff = Backoff()
    while True:
        end, lasted = await _once(grant, http, settings, backoff.attempt, on_air, motif)
        wait = backoff.after(end, lasted, _RANDOM.random())
        _log.info("next attempt to go on air in %.1f s", wait)
        await asyncio.sleep(wait)


async def _once(
    grant: BroadcastGrant,
    http: aiohttp.ClientSession,
    settings: BroadcastSettings,
    attempt: int,
    on_air: OnAirChanged,
    motif: Motif[Any] | None,
) -> tuple[End, float]:
    loop = asyncio.get_running_loop()
    publisher = Publisher(grant, http=http, settings=settings, motif=motif, attempt=attempt)
    began: float | None = None
    try:
        async with publisher:
            began = loop.time()
            on_air(publisher, publisher.connection_id)
            await publisher.ended()
    except (SignallingError, MediaError) as error:
        _log.warning("not on air: %s", error)
    except Exception:  # noqa: BLE001 - the edge of the broadcast: whatever breaks in it, the conversation goes on
        _log.exception("the broadcast has failed")
    finally:
        on_air(None, str(publisher.end or End(Cause.LEFT)))
    return publisher.end or End(Cause.LEFT), 0.0 if began is None else loop.time() - began
