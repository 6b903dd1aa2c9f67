"""OpenAI's conversations as the cloud uses them: make a secret for one, open a call for a robot, and hang one up.

A few calls of a large interface, so they are made with the HTTP client that is here anyway; the official one takes five
times the processor's time for each secret. The tests hold what is sent and what comes back against its types.

OpenAIError                 the root; `retry_after` in seconds where the service named one
├── OpenAIRefusedError      our key, quota or request is not good: asking again does not help
└── OpenAIBusyError         too many requests, an error of theirs, or no answer: asking again may help
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import msgspec

from device.errors import UpstreamError
from device.messages.minting import OpenAIGrant
from device.messages.offers import MOST_SDP, without_passwords
from device.messages.secret import Secret
from provisioning.bounded import whole_body
from provisioning.live import MARK, asking, close_by_sideband, created
from provisioning.settings import OpenAISettings

_log = logging.getLogger(__name__)

_CALL: Final = re.compile(r"(live\.)?[A-Za-z0-9_-]{1,120}")
_SECRET: Final = re.compile(r"[\x21-\x7e]{1,512}")

MOST_CONNECTIONS: Final = 128
"""Twice the requests that are served at once, so that hanging up waits for nobody."""


class OpenAIError(UpstreamError):
    """The Realtime service did not do what was asked."""

    def __init__(self, status: int | None, code: str, text: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__("OpenAI", status, code, text)


class OpenAIRefusedError(OpenAIError):
    """Our key, our quota or our request is not good; asking again does not help."""


class OpenAIBusyError(OpenAIError):
    """Too many requests, an error of theirs, or no answer; asking again may help."""


def is_call_id(text: str) -> bool:
    """Tell whether this can be the id of a call; devices report them."""
    return _CALL.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Called:
    """A call that has been opened: its id, and the answer to its offer, which opens nothing but the offerer's own end."""

    call_id: str
    sdp: Secret


class _Made(msgspec.Struct):
    value: str
    expires_at: int


class OpenAI:
    """Owner of the connections to the Realtime service, with the account's key: `async with OpenAI(settings) as openai:`."""

    def __init__(self, settings: OpenAISettings) -> None:
        self._settings = settings
        self._base = settings.base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {settings.api_key.reveal() or 'none'}"}
        self._timeout = aiohttp.ClientTimeout(total=settings.timeout_seconds)
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Nothing is connected before it is needed; connections are kept for the next secret."""
        connector = aiohttp.TCPConnector(limit=MOST_CONNECTIONS, limit_per_host=0)
        self._http = aiohttp.ClientSession(connector=connector, proxy=_proxy(self._base))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.close()

    async def grant(self, session: Mapping[str, Any]) -> OpenAIGrant:
        """Make a secret that starts such sessions for a short while.

        Raises:
            OpenAIError: no secret; one of its two kinds.
        """
        answer, _ = await self._post("/realtime/client_secrets", _json(self._wish(session)))
        try:
            made = msgspec.json.decode(answer, type=_Made)
        except (msgspec.DecodeError, UnicodeDecodeError):
            made = _Made("", 0)
        if not _SECRET.fullmatch(made.value):
            raise OpenAIBusyError(200, "malformed", "the answer holds no client secret")
        return OpenAIGrant(
            base_url=self._settings.base_url,
            secret=Secret(made.value),
            expires_at=float(made.expires_at),
            model=str(session["model"]),
        )

    def _wish(self, session: Mapping[str, Any]) -> dict[str, Any]:
        life = {"anchor": "created_at", "seconds": self._settings.secret_seconds}
        return {"expires_after": life, "session": session}

    async def call(self, session: Mapping[str, Any], offer: str) -> Called:
        """Open a call with such a session for whoever made this offer, by the unified interface.

        Raises:
            OpenAIError: no call, or none that could be hung up, and so none that may go on; one of its two kinds.
        """
        answer, headers = await self._post("/realtime/calls", _offered(offer, session))
        call_id = headers.get("Location", "").partition("?")[0].rstrip("/").rpartition("/")[2]
        return await self._usable(call_id, Secret(answer.decode("utf-8", "replace")))

    async def live(self, session: Mapping[str, Any], offer: str) -> Called:
        """Open a Live session for whoever made this offer; the id of the call is marked as that of one.

        Raises:
            OpenAIError: as `call`.
        """
        answer, _ = await self._post("/live/sessions", _json(asking(session, offer)))
        return await self._usable(*created(answer))

    async def _usable(self, call_id: str, sdp: Secret) -> Called:
        """Return a call that can be used and hung up."""
        if not is_call_id(call_id):
            raise OpenAIBusyError(201, "malformed", "the answer names no call")
        text = sdp.reveal()
        if not text.startswith("v=0") or len(text) > MOST_SDP or not text.isascii():
            await self.drop(call_id)
            raise OpenAIBusyError(201, "malformed", f"the answer is no SDP of {MOST_SDP} bytes at most")
        return Called(call_id, sdp)

    async def drop(self, call_id: str) -> None:
        """Hang up a call whose answer nobody has been given; that cannot come up, so one try is enough."""
        try:
            await self.hang_up(call_id)
        except OpenAIError as error:
            _log.warning("a call that nobody can use is not hung up: %s", error)

    async def hang_up(self, call_id: str) -> None:
        """End a call, whatever the device does; one that is over already is no error.

        Raises:
            OpenAIError: the call may still be going on.
        """
        if call_id.startswith(MARK):
            await self._hang_up_live(call_id.removeprefix(MARK))
            return
        try:
            await self._post(f"/realtime/calls/{call_id}/hangup", _json())
        except OpenAIRefusedError as error:
            if error.status != 404:
                raise

    async def _hang_up_live(self, session: str) -> None:
        """End a Live session; where hanging up is refused, by its sideband (`live.py` says why)."""
        try:
            await self._post(f"/live/sessions/{session}/hangup", _json())
        except OpenAIRefusedError as refused:
            if not await self._close_live(session):
                raise OpenAIBusyError(refused.status, refused.code, "the session was not closed") from None

    async def _close_live(self, session: str) -> bool:
        if self._http is None:
            return False
        url = f"{self._base}/live/sessions/{session}/attach".replace("http", "ws", 1)
        try:
            return await close_by_sideband(self._http, url, self._headers, self._settings.timeout_seconds)
        except TimeoutError:
            raise OpenAIBusyError(None, "timeout", "the session was not closed in time") from None
        except aiohttp.ClientError as error:
            raise OpenAIBusyError(None, "unreachable", _masked(str(error) or type(error).__name__)) from None

    async def _post(self, path: str, body: aiohttp.Payload) -> tuple[bytes, Mapping[str, str]]:
        """Return what a request was answered with; it is made once, for a person is waiting, and may ask again."""
        if self._http is None:
            raise OpenAIBusyError(None, "closed", "the connection to the service is not open")
        try:
            async with self._http.post(
                self._base + path, data=body, headers=self._headers, timeout=self._timeout, allow_redirects=False
            ) as response:
                answer = await whole_body(response)
        except TimeoutError:
            raise OpenAIBusyError(None, "timeout", "no answer in time") from None
        except (aiohttp.ClientError, ValueError) as error:  # a key with a line in it is a ValueError
            raise OpenAIBusyError(None, "unreachable", _masked(str(error) or type(error).__name__)) from None
        if not 200 <= response.status < 300:
            raise _refusal(response.status, answer, response.headers.get("Retry-After"))
        return answer, response.headers


def _json(message: object = None) -> aiohttp.Payload:
    body = b"" if message is None else msgspec.json.encode(message)
    return aiohttp.BytesPayload(body, content_type="application/json")


def _offered(offer: str, session: Mapping[str, Any]) -> aiohttp.Payload:
    """Return the form of the unified interface; its parts are in the order in which the official client sends them."""
    form = aiohttp.MultipartWriter("form-data")
    parts = (("sdp", "application/sdp", offer.encode()), ("session", "application/json", msgspec.json.encode(session)))
    for name, kind, body in parts:
        form.append(body, {"Content-Type": kind}).set_content_disposition("form-data", name=name)
    return form


def _refusal(status: int, answer: bytes, retry_after: str | None) -> OpenAIError:
    fault = _fault(answer)
    code = str(fault.get("code") or fault.get("type") or "http_error")[:64]
    text = _masked(str(fault.get("message") or "no reason given"))
    if code == "insufficient_quota" or (status not in {408, 409, 429} and status < 500):
        return OpenAIRefusedError(status, code, text)
    return OpenAIBusyError(status, code, text, _seconds(retry_after))


def _fault(answer: bytes) -> dict[str, Any]:
    """Return the documented `{"error": {"message", "type", "param", "code"}}`, or nothing."""
    try:
        fault = msgspec.json.decode(answer).get("error")
    except (msgspec.DecodeError, UnicodeDecodeError, AttributeError):
        return {}
    return fault if isinstance(fault, dict) else {}


def _masked(text: str) -> str:
    """Return the service's words; it shortens a wrong key in them itself, and we repeat none that looks like one."""
    return without_passwords(re.sub(r"\b(sk|ek)[-_]\S+", "***", text))[:300]


def _seconds(header: str | None) -> float | None:
    try:
        return None if header is None else min(max(float(header), 0.0), 3600.0)
    except ValueError:
        return None


def _proxy(url: str) -> str | None:
    """Return the proxy that the environment names for `url` (`HTTPS_PROXY`, `NO_PROXY`), looked for once."""
    where = urlsplit(url)
    return None if proxy_bypass(where.hostname or "") else getproxies().get(where.scheme)
