"""The one HTTP request that opens a call: an SDP offer goes out, an SDP answer comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import aiohttp
import msgspec

from device.errors import UpstreamError
from device.messages.minting import OpenAIGrant
from device.messages.offers import without_passwords
from device.messages.secret import MASK, Secret

SERVICE: Final = "openai"

LONGEST_ANSWER: Final = 262_144
"""Bytes; a real answer has about 2,000."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service answered."""

    sdp: str
    """Byte for byte as it came: a trimmed last line break makes an SDP invalid."""
    call_id: str
    """`rtc_…`, by which the cloud can hang up; empty when the service named none."""


class _Error(msgspec.Struct, frozen=True):
    code: str | None = None
    type: str | None = None
    message: str | None = None


class _ErrorBody(msgspec.Struct, frozen=True):
    error: _Error


async def exchange(http: aiohttp.ClientSession, grant: OpenAIGrant, offer: str, seconds: float) -> Answer:
    """Send `offer` and return the answer, within `seconds`.

    Raises:
        UpstreamError: no answer (status None; code `timeout` or `connection`), an error answer (its status and
            code), or an answer that is no SDP (code `invalid_answer`).
    """
    headers = {"Authorization": f"Bearer {grant.secret.reveal()}", "Content-Type": "application/sdp"}
    try:
        async with http.post(
            f"{grant.base_url.rstrip('/')}/realtime/calls",
            data=offer.encode(),
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=seconds),
        ) as response:
            body = await _bounded(response)
            return _answer(response, body, grant.secret)
    except TimeoutError:
        raise UpstreamError(SERVICE, None, "timeout", f"no answer to the offer within {seconds:g} s") from None
    except (aiohttp.ClientError, OSError) as error:
        raise UpstreamError(SERVICE, None, "connection", _masked(str(error), grant.secret)) from None


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = b""
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > LONGEST_ANSWER:
            raise UpstreamError(SERVICE, response.status, "invalid_answer", f"more than {LONGEST_ANSWER} bytes")
    return body


def _answer(response: aiohttp.ClientResponse, body: bytes, secret: Secret) -> Answer:
    if response.status not in {200, 201}:
        raise _refused(response.status, body, secret)
    location = response.headers.get("Location", "").partition("?")[0]
    return checked(body.decode(errors="replace"), location.rstrip("/").rpartition("/")[2], response.status)


def checked(sdp: str, call_id: str, status: int) -> Answer:
    """Return an answer that came with an HTTP `status`.

    Raises:
        UpstreamError: it is no SDP (code `invalid_answer`).
    """
    if not sdp.startswith("v=0"):
        raise UpstreamError(SERVICE, status, "invalid_answer", "the answer is not SDP")
    return Answer(sdp, call_id)


def _refused(status: int, body: bytes, secret: Secret) -> UpstreamError:
    try:
        error = msgspec.json.decode(body, type=_ErrorBody).error
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return UpstreamError(SERVICE, status, "unknown", "the answer carries no error object")
    return UpstreamError(SERVICE, status, error.code or error.type or "unknown", _masked(error.message or "", secret))


def _masked(text: str, secret: Secret) -> str:
    """Return `text` less secret and passwords: services like to quote the key, or the offer, that they do not accept."""
    return without_passwords(text.replace(secret.reveal(), MASK) if secret else text)
