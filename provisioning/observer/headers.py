"""PURE. The headers that keep the page what it is: nothing loaded from elsewhere, nothing guessed, nothing framed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from device.errors import KaiwaError

_ORIGIN: Final = re.compile(r"^https?://(\*\.)?[A-Za-z0-9.-]+(:(\d{1,5}|\*))?$|^https?://\[[0-9a-fA-F:]+\](:\d{1,5})?$")

FOR_EVER: Final = "public, max-age=31536000, immutable"
"""For files whose address changes with their content."""

ASK_AGAIN: Final = "no-cache"
"""For pages: may be kept, must be asked about each time."""

NEVER: Final = "no-store"
"""For what is true only now."""

SAFETY: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
"""Sent with every answer."""


class MediaOriginError(KaiwaError, ValueError):
    """A media origin that is not `scheme://host[:port]`, where the host may begin with `*.`."""


def checked_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """Return `origins` without their trailing slashes.

    Raises:
        MediaOriginError: one of them could not stand in a Content-Security-Policy.
    """
    cleaned = tuple(origin.rstrip("/") for origin in origins)
    for origin in cleaned:
        if _ORIGIN.fullmatch(origin) is None:
            raise MediaOriginError(f"not an origin: {origin!r}; write scheme://host or scheme://host:port")
    return cleaned


def page_policy(media_origins: Sequence[str], *, framed: bool) -> str:
    """Return the Content-Security-Policy of a page (CSP level 3).

    Media come through Media Source Extensions (`blob:`) or straight from their origin; Sora's signalling comes through
    a websocket of the same hosts, for which a policy needs the scheme spelt out. `framed` lets any site embed the page.
    """
    media = " ".join(media_origins)
    sockets = " ".join(f"ws{origin.removeprefix('http')}" for origin in media_origins)
    rules = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self'",
        "manifest-src 'self'",
        f"connect-src 'self' {media} {sockets}".rstrip(),
        f"media-src 'self' blob: {media}".rstrip(),
        "base-uri 'none'",
        "form-action 'none'",
        f"frame-ancestors {'*' if framed else chr(39) + 'none' + chr(39)}",
        "require-trusted-types-for 'script'",
    )
    return "; ".join(rules)
