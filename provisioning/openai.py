"""OpenAI Realtime as the cloud uses it: make a secret for one session, and hang up a call.

OpenAIError                 the root; `retry_after` in seconds where the service named one
├── OpenAIRefusedError      our key, quota or request is not good: asking again does not help
└── OpenAIBusyError         too many requests, an error of theirs, or no answer: asking again may help
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self

import openai

from device.errors import UpstreamError
from device.messages.minting import OpenAIGrant
from device.messages.secret import Secret
from provisioning.settings import OpenAISettings

_CALL: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SECRET: Final = re.compile(r"[\x21-\x7e]{1,512}")


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


class OpenAI:
    """Owner of the connection to the Realtime service, with the account's key."""

    def __init__(self, settings: OpenAISettings) -> None:
        self._settings = settings
        self._client = openai.AsyncOpenAI(
            base_url=settings.base_url,
            api_key=settings.api_key.reveal() or "none",
            timeout=settings.timeout_seconds,
            max_retries=0,  # a person is waiting; the device may ask again
        )

    async def __aenter__(self) -> Self:
        """Nothing is opened before it is needed."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._client.close()

    async def grant(self, session: Mapping[str, Any]) -> OpenAIGrant:
        """Make a secret that starts such sessions for a short while.

        Raises:
            OpenAIError: no secret; one of its two kinds.
        """
        try:
            answer = (
                await self._client.post(  # not realtime.client_secrets: it spends 2 ms on types that we have checked
                    "/realtime/client_secrets", body=self._wish(session), cast_to=object
                )
            )
        except (openai.OpenAIError, ValueError) as error:
            raise _translated(error) from None
        made = answer if isinstance(answer, dict) else {}
        value, expires_at = made.get("value"), made.get("expires_at")
        if not isinstance(value, str) or not _SECRET.fullmatch(value) or not isinstance(expires_at, int):
            raise OpenAIBusyError(200, "malformed", "the answer holds no client secret")
        return OpenAIGrant(
            base_url=self._settings.base_url,
            secret=Secret(value),
            expires_at=float(expires_at),
            model=str(session["model"]),
        )

    def _wish(self, session: Mapping[str, Any]) -> dict[str, Any]:
        life = {"anchor": "created_at", "seconds": self._settings.secret_seconds}
        return {"expires_after": life, "session": session}

    async def hang_up(self, call_id: str) -> None:
        """End a call, whatever the device does; one that is over already is no error.

        Raises:
            OpenAIError: the call may still be going on.
        """
        try:
            await self._client.realtime.calls.hangup(call_id)
        except openai.NotFoundError:
            return
        except (openai.OpenAIError, ValueError) as error:
            raise _translated(error) from None


def _translated(error: Exception) -> OpenAIError:
    match error:
        case openai.APIStatusError():
            return _from_status(error)
        case openai.APITimeoutError():
            return OpenAIBusyError(None, "timeout", "no answer in time")
        case openai.APIConnectionError():
            return OpenAIBusyError(None, "unreachable", str(error.__cause__ or error))
        case _:
            return OpenAIBusyError(200, "malformed", f"the answer is not what was documented ({type(error).__name__})")


def _from_status(error: openai.APIStatusError) -> OpenAIError:
    code, text = _code(error), _words(error)
    if code == "insufficient_quota" or (error.status_code not in {408, 409, 429} and error.status_code < 500):
        return OpenAIRefusedError(error.status_code, code, text)
    return OpenAIBusyError(error.status_code, code, text, _seconds(error.response.headers.get("retry-after")))


def _code(error: openai.APIStatusError) -> str:
    return str(error.code or error.type or "http_error")[:64]


def _words(error: openai.APIStatusError) -> str:
    """Return the service's words; it shortens a wrong key in them itself, and we repeat none that looks like one."""
    body: Any = error.body
    words = body.get("message") if isinstance(body, dict) else None
    return re.sub(r"\b(sk|ek)[-_]\S+", "***", str(words or "no reason given"))[:300]


def _seconds(header: str | None) -> float | None:
    try:
        return None if header is None else min(max(float(header), 0.0), 3600.0)
    except ValueError:
        return None
