"""PURE. Sealing to a key that lives for one request (HPKE, RFC 9180), so that the broker learns nothing."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from device.errors import BadSignatureError, MalformedMessageError

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)


def binding(device: str, nonce: str) -> bytes:
    """Return the HPKE `info` that ties a sealed answer to one device and one request."""
    return f"kaiwa/v1|{device}|{nonce}".encode()


class OneTimeKey:
    """An X25519 key pair made for one request and forgotten with it: forward secrecy."""

    def __init__(self) -> None:
        self._private = X25519PrivateKey.generate()

    @property
    def public(self) -> bytes:
        """The 32 bytes that go into the request."""
        return self._private.public_key().public_bytes_raw()

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """Return the plain text of what was sealed to this key with the same `info`.

        Raises:
            BadSignatureError: sealed to another key, for another request, or altered.
        """
        try:
            return _SUITE.decrypt(sealed, self._private, info=info)
        except (InvalidTag, ValueError):
            raise BadSignatureError("the sealed answer does not open with this request's key") from None


def seal(plain: bytes, public: bytes, info: bytes) -> bytes:
    """Return `plain` sealed to the 32-byte X25519 key `public`; 48 bytes longer than it was.

    Raises:
        MalformedMessageError: `public` is not such a key.
    """
    try:
        return _SUITE.encrypt(plain, X25519PublicKey.from_public_bytes(public), info=info)
    except ValueError as error:
        raise MalformedMessageError(f"not an X25519 key that can be sealed to: {error}") from None
