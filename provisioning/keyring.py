"""PURE. With which of its keys a device has signed: for a while around a renewal it has two that are good."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from device.errors import BadSignatureError
from device.messages.envelope import load_public_pem, open_envelope
from provisioning.policy import Status

OVERLAP: Final = 60.0
"""Seconds for which what was signed with a key just replaced may still arrive: a request's own time, and a slow broker."""

LISTENED: Final = 86_400.0
"""Seconds for which a replaced certificate is still let in by the broker, though it can do nothing any more.

Whoever uses it then is heard, and is not the robot: it has become another and never goes back.
"""

_known_key = lru_cache(maxsize=4096)(load_public_pem)


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate as requests are judged by it: serial in hex, public key in PEM, times in Unix seconds."""

    serial: str
    public_key: str
    issued_at: float
    expires_at: float
    used_at: float | None
    """None for one that was issued by renewal and of whose use nothing was heard yet."""
    revoked_at: float | None
    successor: str | None
    """Serial of the certificate that has replaced it; None for one in force, or taken away."""

    def replaced(self, now: float) -> bool:
        """Tell whether it has been replaced so long ago that its robot signs nothing with it any more."""
        return self.successor is not None and self.revoked_at is not None and now > self.revoked_at + OVERLAP


@dataclass(frozen=True, slots=True)
class Standing:
    """What a request of a device is judged by: its certificates, those in force first, the newest first of each."""

    status: Status
    certificates: tuple[Held, ...]
    group: str = ""

    @property
    def in_force(self) -> tuple[Held, ...]:
        """Those that have neither been replaced nor taken away."""
        return tuple(held for held in self.certificates if held.revoked_at is None)

    @property
    def known(self) -> tuple[Held, ...]:
        """Those whose signature is this device's; of one that has lost all, each, so that it can be told so."""
        in_force = self.in_force
        return (*in_force, *(h for h in self.certificates if h.successor)) if in_force else self.certificates


def identify(purpose: str, data: bytes, device: str, standing: Standing) -> tuple[bytes, Held]:
    """Return what the envelope `data` holds, and the certificate of the key that has signed it.

    Raises:
        MalformedMessageError: not an envelope.
        BadSignatureError: none of this device's keys has signed it for this purpose.
    """
    trouble = BadSignatureError(f"{device} has no key")
    for held in standing.known:
        key = _known_key(held.public_key)
        try:
            return open_envelope(purpose, data, {device: key}.get), held
        except BadSignatureError as error:
            trouble = error
    raise trouble
