"""PURE. Renewing a certificate: asked for with the key in use, and its first use told with the new one."""

from __future__ import annotations

from typing import Final

from device.messages.minting import Refusal
from device.messages.wire import Message, decode

VALID_SECONDS: Final = 30.0
"""How long a request of this kind may be answered; the cloud accepts no longer time."""


class RenewalRequest(Message, frozen=True, tag="renew"):
    """A device asks for the certificate of a new key; signed with the key of the one that it has."""

    device: str
    nonce: str
    """32 hex digits, fresh for each request; asked again about the same key, the cloud gives the same certificate."""
    issued_at: float
    expires_at: float
    csr: str
    """Certificate request in PEM, signed with the new key; its subject is ignored."""


class UseNotice(Message, frozen=True, tag="used"):
    """A device is connected with its new certificate, whose key signs this: the one before may be retired."""

    device: str
    nonce: str
    issued_at: float
    expires_at: float


class RenewalAnswer(Message, frozen=True):
    """The signed answer to either: a certificate, a plain yes to a notice, or a refusal."""

    device: str
    nonce: str
    server_time: float
    certificate: str = ""
    """PEM; empty in the answer to a notice."""
    refusal: Refusal | None = None
    text: str = ""
    retry_after: float | None = None


def decode_request(data: bytes) -> RenewalRequest | UseNotice:
    """Return the request or notice that `data` holds.

    Raises:
        MalformedMessageError: it holds neither.
    """
    return decode(data, RenewalRequest | UseNotice)  # type: ignore[arg-type]  # a union is a type to msgspec
