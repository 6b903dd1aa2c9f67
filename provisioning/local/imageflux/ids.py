"""PURE. Identifiers that look like the real ones."""

from __future__ import annotations

from typing import Final

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def connection_id(random: bytes) -> str:
    """Return 16 random bytes as 26 characters of Crockford's base 32, as Sora names sessions and connections."""
    value = int.from_bytes(random, "big") << 2  # 128 bits in 26 digits of 5 bits
    return "".join(_CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5))


def channel_id(random: bytes) -> str:
    """Return 34 random bytes as 68 hexadecimal digits, as ImageFlux names channels."""
    return random.hex()
