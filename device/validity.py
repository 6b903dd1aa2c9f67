"""PURE. When a certificate is renewed: after two thirds of its life, and each a little later than the others."""

from __future__ import annotations

from typing import Final

SHARE: Final = 2 / 3
"""Of a certificate's life, after which it is renewed; the rest is time for outages."""

SPREAD: Final = 1 / 12
"""Of a certificate's life, 5 days of 60, over which a fleet that was enrolled on one day renews."""


def renew_at(begins_at: float, expires_at: float, serial: int) -> float:
    """Return the Unix seconds at which to renew a certificate that is good from `begins_at` to `expires_at`.

    The jitter is drawn from the serial number, which is random (RFC 5280, section 4.1.2.2, asks for it to be unique and
    `x509.random_serial_number` for 159 random bits): a restart, or a thousand, do not change it.
    """
    jitter = (serial & 0xFFFF_FFFF) / 2**32
    return begins_at + (expires_at - begins_at) * (SHARE + SPREAD * jitter)
