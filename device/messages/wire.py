"""PURE. Bytes to message and back: strict JSON, with size bounds and one error."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from device.errors import MalformedMessageError
from device.messages.secret import decode_secret, encode_secret

MAX_BYTES: Final = 65_536
"""No message of ours comes near this; the broker's own limit is set to the same."""

M = TypeVar("M")


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Base of every message: immutable, keyword-only, and strict about unknown fields."""


def encode(message: object) -> bytes:
    """Return the message as UTF-8 JSON; secrets inside are revealed, so seal what holds them."""
    return msgspec.json.encode(message, enc_hook=encode_secret)


def decode(data: bytes, kind: type[M], most: int = MAX_BYTES) -> M:
    """Return the message of type `kind` that `data`, of `most` bytes, holds.

    Raises:
        MalformedMessageError: too large, not JSON, or not such a message; the text names the field, never its value.
    """
    if len(data) > most:
        raise MalformedMessageError(f"{len(data)} bytes, over {most}")
    try:
        return msgspec.json.decode(data, type=kind, dec_hook=decode_secret)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessageError(f"not a {getattr(kind, '__name__', kind)}: {error}") from None


def convert(value: object, kind: type[M]) -> M:
    """Return the message of type `kind` that decoded JSON holds.

    Raises:
        MalformedMessageError: it holds no such message.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise MalformedMessageError(f"not a {kind.__name__}: {error}") from None
