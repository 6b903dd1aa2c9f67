"""PURE. Ephemeral keys: how long each may start calls, and with which session."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from provisioning.local.realtime.identifiers import ephemeral_key, identifier
from provisioning.local.realtime.refusals import RefusedError, invalid_key
from provisioning.local.realtime.session import Session

SHORTEST_SECONDS: Final = 10
LONGEST_SECONDS: Final = 7_200
USUAL_SECONDS: Final = 600


class _Expiry(msgspec.Struct, frozen=True):
    anchor: str = "created_at"
    seconds: int = USUAL_SECONDS


class _Asked(msgspec.Struct, frozen=True):
    expires_after: _Expiry | None = None
    session: dict[str, Any] | None = None


class KeyRing:
    """The keys that were handed out; each starts as many calls as are wanted until it expires."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[int, dict[str, Any]]] = {}

    def mint(self, body: bytes, now: float) -> dict[str, Any]:
        """Return the answer to a `client_secrets` request at `now` Unix seconds.

        Raises:
            RefusedError: not such a request, or a life outside 10 to 7200 seconds.
        """
        asked = _asked(body)
        seconds = (asked.expires_after or _Expiry()).seconds
        if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
            text = f"Invalid 'expires_after.seconds': must be between {SHORTEST_SECONDS} and {LONGEST_SECONDS}."
            raise RefusedError(400, "invalid_value", text, param="expires_after.seconds")
        config = asked.session or {"type": "realtime"}
        view = Session(identifier("sess"), 0, config).view
        value, expires_at = ephemeral_key(), int(now) + seconds
        self._keys = {key: known for key, known in self._keys.items() if known[0] > now}
        self._keys[value] = expires_at, config
        return {"value": value, "expires_at": expires_at, "session": view}

    def session(self, key: str, now: float) -> dict[str, Any]:
        """Return the session that a key was minted with.

        Raises:
            RefusedError: no such key, or its time is over.
        """
        expires_at, config = self._keys.get(key, (0, {}))
        if expires_at <= now:
            raise invalid_key()
        return config


def _asked(body: bytes) -> _Asked:
    try:
        return msgspec.json.decode(body or b"{}", type=_Asked)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise RefusedError(400, "invalid_json", f"The body is not such a request: {error}") from None
