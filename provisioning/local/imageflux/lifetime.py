"""PURE. How long a connection may live, where its access token says so, as the SDKs' own tests have it."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec


class _Claims(msgspec.Struct):
    connection_lifetime: float = 0.0


class _Metadata(msgspec.Struct):
    access_token: str = ""


def lifetime_in(metadata: Any) -> float:
    """Return the seconds in the claim `connection_lifetime` of the JWT `metadata.access_token`, 0 without one.

    The signature is not looked at: this is a stand-in, and nothing is protected by it.
    """
    try:
        payload = msgspec.convert(metadata, _Metadata).access_token.split(".")[1]
        return msgspec.json.decode(base64.urlsafe_b64decode(payload + "=="), type=_Claims).connection_lifetime
    except (msgspec.ValidationError, msgspec.DecodeError, IndexError, binascii.Error):
        return 0.0
