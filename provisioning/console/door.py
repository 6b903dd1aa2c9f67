"""PURE. Who may come in: one link that opens once, one cookie for whoever used it, and no other site's page."""

from __future__ import annotations

import secrets
from hmac import compare_digest
from typing import Final

LASTS_SECONDS: Final = 12 * 3600.0
"""How long whoever came in may stay."""

KEY_SECONDS: Final = 600.0
"""How long the link opens."""


class Door:
    """The keys of one run of the console, made at `now`; times are monotonic seconds, passed in."""

    def __init__(self, now: float) -> None:
        self.key: str | None = secrets.token_urlsafe(32)
        """Opens once; None when it has."""
        self._until = now + KEY_SECONDS
        self._session, self._session_until = "", 0.0

    def enter(self, key: str, now: float) -> str | None:
        """Return the value of the cookie for whoever shows the key in time and first, None for anybody else."""
        if self.key is None or now >= self._until or not compare_digest(key.encode(), self.key.encode()):
            return None
        self.key = None
        self._session, self._session_until = secrets.token_urlsafe(32), now + LASTS_SECONDS
        return self._session

    def knows(self, cookie: str, now: float) -> bool:
        """Tell whether a request's cookie is that of whoever came in."""
        in_time = bool(self._session) and now < self._session_until
        return in_time and compare_digest(cookie.encode(), self._session.encode())


def addressed(host: str | None, port: int) -> bool:
    """Tell whether a request names this computer: a page of another site, whose name leads here, does not."""
    return host in {f"127.0.0.1:{port}", f"localhost:{port}"}


def own(origin: str | None, host: str | None) -> bool:
    """Tell whether a request that changes something comes from the console's own page."""
    return origin is not None and origin == f"http://{host}"
