"""PURE. Signed envelopes: who says it, for what purpose, and for how long.

A signature covers the purpose as well as the bytes, so that a signed request can never pass for a signed command.
Devices sign with ECDSA P-256 (the key of their certificate), the minter and operators with Ed25519 (RFC 8032).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from device.errors import BadSignatureError, MalformedMessageError, StaleMessageError
from device.messages.wire import Message, decode, encode

MINT_REQUEST: Final = "mint-request"
MINT_ANSWER: Final = "mint-answer"
RENEWAL_REQUEST: Final = "renewal-request"
RENEWAL_ANSWER: Final = "renewal-answer"
COMMAND: Final = "command"

SKEW_SECONDS: Final = 60.0
"""How far ahead of ours another clock may be before its messages count as not yet valid."""

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


class Envelope(Message, frozen=True):
    """A payload with the id of the key that signed it."""

    payload: bytes
    kid: str
    sig: bytes


class Signer(Protocol):
    """Something that holds a private key: a file today, a secure element tomorrow."""

    @property
    def kid(self) -> str:
        """The id by which the other side finds the public key."""

    def sign(self, data: bytes) -> bytes:
        """Return the signature over `data`."""


class KeySigner:
    """A signer whose key is in memory."""

    def __init__(self, kid: str, key: PrivateKey) -> None:
        self._kid, self._key = kid, key

    @property
    def kid(self) -> str:
        """The id by which the other side finds the public key."""
        return self._kid

    def sign(self, data: bytes) -> bytes:
        """Return an ECDSA (SHA-256, DER) or Ed25519 signature over `data`."""
        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            return self._key.sign(data)
        return self._key.sign(data, ec.ECDSA(SHA256()))


def _covered(purpose: str, payload: bytes) -> bytes:
    return b"kaiwa/v1\0" + purpose.encode() + b"\0" + payload


def seal_envelope(purpose: str, message: object, signer: Signer) -> bytes:
    """Return `message` encoded, signed for `purpose` and wrapped."""
    payload = encode(message)
    return encode(Envelope(payload=payload, kid=signer.kid, sig=signer.sign(_covered(purpose, payload))))


def open_envelope(purpose: str, data: bytes, find_key: Callable[[str], PublicKey | None]) -> bytes:
    """Return the payload that `data` wraps, once its signature has been verified.

    Raises:
        MalformedMessageError: not an envelope.
        BadSignatureError: unknown key, or the signature does not verify for this purpose.
    """
    envelope = decode(data, Envelope)
    key = find_key(envelope.kid)
    if key is None:
        raise BadSignatureError(f"unknown key {envelope.kid[:64]!r}")
    try:
        _verify(key, envelope.sig, _covered(purpose, envelope.payload))
    except InvalidSignature:
        raise BadSignatureError(f"signature of {envelope.kid!r} does not verify as {purpose}") from None
    return envelope.payload


def _verify(key: PublicKey, signature: bytes, data: bytes) -> None:
    if isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, data)
    else:
        key.verify(signature, data, ec.ECDSA(SHA256()))


def check_fresh(issued_at: float, expires_at: float, now: float, *, longest: float) -> None:
    """Check that `now` (Unix seconds) lies within the message's time, which may be `longest` seconds at most.

    Raises:
        StaleMessageError: issued more than `SKEW_SECONDS` ahead of us, over, or longer than allowed.
    """
    if issued_at > now + SKEW_SECONDS:
        raise StaleMessageError(f"issued {issued_at - now:.0f} s in the future")
    if expires_at <= now:
        raise StaleMessageError(f"expired {now - expires_at:.0f} s ago")
    if expires_at - issued_at > longest:
        raise StaleMessageError(f"valid for {expires_at - issued_at:.0f} s, over {longest:.0f}")


def public_pem(key: PublicKey) -> str:
    """Return a public key as PEM text."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def load_public_pem(pem: str) -> PublicKey:
    """Return the P-256 or Ed25519 public key in `pem`.

    Raises:
        MalformedMessageError: not PEM, or a key of another kind.
    """
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError as error:
        raise MalformedMessageError(f"not a public key: {error}") from None
    if not isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        raise MalformedMessageError(f"a {type(key).__name__} is not a key that Kaiwa uses")
    return key
