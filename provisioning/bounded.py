"""The body of an answer over HTTP, unless it is longer than any answer of that service has to be."""

from __future__ import annotations

from typing import Final

import aiohttp

MOST_BYTES: Final = 1_000_000
"""No answer to anything that we ask for comes near this."""


async def whole_body(response: aiohttp.ClientResponse) -> bytes:
    """Return the body of `response`.

    Raises:
        aiohttp.ClientError: the connection failed, or it is longer than `MOST_BYTES`.
        TimeoutError: it did not come in the time that the request may take.
    """
    answer = bytearray()
    async for part in response.content.iter_any():
        answer += part
        if len(answer) > MOST_BYTES:
            raise aiohttp.ClientPayloadError(f"an answer of more than {MOST_BYTES} bytes")
    return bytes(answer)
