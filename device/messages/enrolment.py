"""PURE. How a board becomes a device: the claim, and what it gets for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from device.errors import EnrolmentError
from device.messages.wire import Message

_CLAIM: Final = re.compile(r"^kaiwa:(?P<address>[^/#]+)/(?P<code>[0-9A-Z-]{8,64})#(?P<fingerprint>[0-9a-f]{64})$")


@dataclass(frozen=True, slots=True)
class Claim:
    """A one-time claim: where to go, what to say there, and how to know the place.

    Text form: `kaiwa:HOST:PORT/CODE#SHA256`, the SHA-256 of the authority's certificate in DER, as 64 hex digits.
    """

    address: str
    code: str
    fingerprint: str

    @classmethod
    def parse(cls, text: str) -> Claim:
        """Read the text form.

        Raises:
            EnrolmentError: the text is not a claim; copy all of it, from `kaiwa:` to the last digit.
        """
        match = _CLAIM.match(text.strip())
        if match is None:
            raise EnrolmentError("not a claim code; it looks like kaiwa:HOST:PORT/CODE#FINGERPRINT, copied whole")
        return cls(match["address"], match["code"], match["fingerprint"])

    def __str__(self) -> str:
        return f"kaiwa:{self.address}/{self.code}#{self.fingerprint}"


class EnrolRequest(Message, frozen=True):
    """POST /v1/enrol: the code, and a certificate request whose subject is ignored."""

    code: str
    csr: str
    hardware: str = ""


class BrokerAddress(Message, frozen=True):
    """Where the MQTT broker listens with TLS."""

    host: str
    port: int


class Enrolment(Message, frozen=True):
    """What an accepted claim gets: identity, broker, and the keys to trust. Nothing in it is secret."""

    device: str
    certificate: str
    """PEM chain, the device's own certificate first."""
    authority: str
    """PEM of the certificate authority to trust."""
    broker: BrokerAddress
    mint_kid: str
    mint_key: str
    """PEM of the key that signs mint answers."""
    operators: dict[str, str]
    """Key id -> PEM of each operator whose commands count."""
    server_time: float
