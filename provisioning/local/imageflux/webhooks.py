"""The webhooks of a channel: may this client connect, and which playlist has appeared."""

from __future__ import annotations

import logging
from typing import Any, Final

import aiohttp

from provisioning.local.imageflux.messages import Connect

_log = logging.getLogger(__name__)
_WAIT: Final = aiohttp.ClientTimeout(total=5.0)


async def allowed(http: aiohttp.ClientSession, url: str, connect: Connect, connection_id: str) -> str:
    """Ask the auth webhook; return the reason of a refusal, empty when the client may connect."""
    question = {
        "role": connect.role,
        "channel_id": connect.channel_id,
        "connection_id": connection_id,
        "client_id": connect.client_id or connection_id,
        "multistream": True,
        "audio": bool(connect.audio),
        "video": bool(connect.video),
        **({"metadata": connect.metadata} if connect.metadata is not None else {}),
    }
    answer = await _posted(http, url, question, {"sora-connection-id": connection_id})
    if answer is None:
        return "AUTH-WEBHOOK-FAILED"
    return "" if answer.get("allowed") is True else str(answer.get("reason") or "REFUSED")


async def playlist_ready(http: aiohttp.ClientSession, url: str, event: dict[str, Any]) -> None:
    """Tell the event webhook of a new playlist; nobody waits for its answer, a failure is logged."""
    await _posted(http, url, {"type": "notify.playlist_url", **event}, {})


async def _posted(
    http: aiohttp.ClientSession, url: str, body: dict[str, Any], headers: dict[str, str]
) -> dict[str, Any] | None:
    try:
        async with http.post(url, json=body, headers=headers, timeout=_WAIT) as response:
            answer = await response.json(content_type=None) if response.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        _log.warning("webhook %s failed: %s", url, error)
        return None
    return answer if isinstance(answer, dict) else None
