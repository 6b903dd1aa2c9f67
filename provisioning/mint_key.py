"""The minter's key: signs answers, and opens what robots have sealed to it."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.messages.envelope import KeySigner
from device.messages.minting import MintRequest
from device.messages.offers import check_offer
from device.messages.sealing import offer_binding, opening_key


class MintKey(KeySigner):
    """Signs as the minter, and opens offers."""

    def __init__(self, kid: str, key: Ed25519PrivateKey) -> None:
        super().__init__(kid, key)
        self._opening = opening_key(key)

    def offer_of(self, request: MintRequest) -> bytes:
        """Return the SDP offer of a request, checked; empty where it has none.

        Raises:
            MessageError: it was sealed to another or for another request, or is no offer of a call.
        """
        if not request.offer:
            return b""
        offer = self._opening.open(request.offer, offer_binding(request.device, request.nonce))
        return check_offer(offer).encode()
