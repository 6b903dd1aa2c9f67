"""Live sessions as the cloud uses them: the form of opening one, and the way in which one is ended from outside.

After `openai.types.live` and `openai.resources.live` (openai-python 3.54, MIT). `POST /live/sessions/{id}/hangup` is
documented for SIP calls, and whether it ends others, too, is not. What is documented for every session is
`session.close` on a second connection, the sideband. So a hang-up that is refused is followed by that.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import aiohttp
import msgspec

from device.messages.secret import Secret

MARK: Final = "live."
"""What the ids of Live sessions begin with here, so that they cannot be taken for those of Realtime calls."""

_CLOSE: Final = '{"type":"session.close"}'


class _Session(msgspec.Struct):
    id: str


class _Transport(msgspec.Struct):
    sdp: str


class _Created(msgspec.Struct):
    session: _Session
    transport: _Transport


class _Event(msgspec.Struct):
    type: str = ""


def asking(session: Any, offer: str) -> dict[str, Any]:
    """Return the body of `POST /live/sessions`."""
    return {"session": session, "transport": {"type": "webrtc", "sdp": offer}}


def created(answer: bytes) -> tuple[str, Secret]:
    """Return the marked id of the session in an answer, and the SDP; both empty where there is none."""
    try:
        found = msgspec.json.decode(answer, type=_Created)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "", Secret("")
    return MARK + found.session.id, Secret(found.transport.sdp)


async def close_by_sideband(http: aiohttp.ClientSession, url: str, headers: dict[str, str], seconds: float) -> bool:
    """Ask for the end of the session whose sideband is at `url`; return whether it is over, as far as the service says.

    Raises:
        TimeoutError: nothing came of it within `seconds`.
        aiohttp.ClientError: it cannot be attached to.
    """
    async with asyncio.timeout(seconds):
        try:
            socket = await http.ws_connect(url, headers=headers)
        except aiohttp.WSServerHandshakeError as error:
            if error.status == 404:
                return True
            raise
        async with socket:
            await socket.send_str(_CLOSE)
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT and _kind(message.data) == "session.closed":
                    return True
    return False


def _kind(data: str) -> str:
    try:
        return msgspec.json.decode(data, type=_Event).type
    except msgspec.DecodeError:
        return ""
