"""PURE. Sealing (HPKE, RFC 9180), so that the broker learns nothing.

Answers are sealed to a key that lives for one request. What a request says to the minter alone is sealed to the key that
verifies the minter's answers, which every device has pinned: an Ed25519 key is a point on the curve of X25519, written
otherwise (RFC 7748, section 4.1). One key for both is as safe as two (Thormarker 2021, eprint.iacr.org/2021/509).
"""

from __future__ import annotations

import hashlib
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from device.errors import BadSignatureError, MalformedMessageError

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)

_PRIME: Final = 2**255 - 19
"""Of the field that both curves are over."""


def binding(device: str, nonce: str) -> bytes:
    """Return the HPKE `info` that ties a sealed answer to one device and one request."""
    return f"kaiwa/v1|{device}|{nonce}".encode()


def offer_binding(device: str, nonce: str) -> bytes:
    """Return the HPKE `info` that ties a sealed offer to the request that carries it."""
    return b"offer|" + binding(device, nonce)


class OpeningKey:
    """An X25519 key pair that opens what is sealed to it."""

    def __init__(self, private: X25519PrivateKey) -> None:
        self._private = private

    @property
    def public(self) -> bytes:
        """The 32 bytes that others seal to."""
        return self._private.public_key().public_bytes_raw()

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """Return the plain text of what was sealed to this key with the same `info`.

        Raises:
            BadSignatureError: sealed to another key, for another request, or altered.
        """
        try:
            return _SUITE.decrypt(sealed, self._private, info=info)
        except (InvalidTag, ValueError):
            raise BadSignatureError(
                "what is sealed does not open with this key, or was sealed for another request"
            ) from None


class OneTimeKey(OpeningKey):
    """A key pair made for one request and forgotten with it: forward secrecy."""

    def __init__(self) -> None:
        super().__init__(X25519PrivateKey.generate())


def opening_key(signing: Ed25519PrivateKey) -> OpeningKey:
    """Return what opens that which is sealed to the `sealing_key` of the same pair (RFC 8032, section 5.1.5, steps 1 and 2)."""
    scalar = hashlib.sha512(signing.private_bytes_raw()).digest()[:32]
    return OpeningKey(X25519PrivateKey.from_private_bytes(scalar))


def sealing_key(verifying: object) -> bytes:
    """Return the 32 bytes of X25519 to seal to, so that who signs for `verifying` can open it: u = (1 + y) / (1 - y).

    Raises:
        MalformedMessageError: no Ed25519 key, or none that anybody signs with.
    """
    if not isinstance(verifying, Ed25519PublicKey):
        raise MalformedMessageError(f"nothing can be sealed to a {type(verifying).__name__}")
    y = int.from_bytes(verifying.public_bytes_raw(), "little") & (2**255 - 1)
    try:
        return ((1 + y) * pow(1 - y, -1, _PRIME) % _PRIME).to_bytes(32, "little")
    except ValueError:
        raise MalformedMessageError("nothing can be sealed to the neutral point") from None


def seal(plain: bytes, public: bytes, info: bytes) -> bytes:
    """Return `plain` sealed to the 32-byte X25519 key `public`; 48 bytes longer than it was.

    Raises:
        MalformedMessageError: `public` is not such a key.
    """
    try:
        return _SUITE.encrypt(plain, X25519PublicKey.from_public_bytes(public), info=info)
    except ValueError as error:
        raise MalformedMessageError(f"not an X25519 key that can be sealed to: {error}") from None
