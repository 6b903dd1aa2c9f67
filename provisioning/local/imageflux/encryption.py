"""PURE. Segments that only whoever gets the key can play: AES-128 of RFC 8216 section 4.3.2.4, as ImageFlux writes it."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7


@dataclass(frozen=True, slots=True)
class Encryption:
    """The key of one channel, of 16 bytes; players ask the channel's own key server at `uri` for it, by its `kid`."""

    uri: str
    kid: str
    key: bytes = field(repr=False)

    def tag(self) -> str:
        """Return the line that stands before the segments."""
        return f'#EXT-X-KEY:METHOD=AES-128,URI="{self.uri}&kid={self.kid}"'

    def encrypted(self, segment: bytes, number: int) -> bytes:
        """Return a segment as it is served; its place in the media sequence is its initialization vector."""
        padder = PKCS7(128).padder()
        encryptor = Cipher(AES128(self.key), CBC(number.to_bytes(16, "big"))).encryptor()
        return encryptor.update(padder.update(segment) + padder.finalize()) + encryptor.finalize()
