"""PURE. Codes that people may have to type: Crockford's base 32 (crockford.com/base32.html), kept by their hash only."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD: Final = str.maketrans("ILO", "110", "-")
_GROUPS: Final = 4
_GROUP: Final = 5

_DEVICE: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,38}[a-z0-9]")
_RESERVED: Final = ("minter", "operator-")


def new_code() -> str:
    """Return a fresh claim code of 100 random bits, in four groups of five."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))


def hash_code(code: str) -> str:
    """Return the SHA-256 of a code in hex, whatever its case, its dashes, or letters misread for digits.

    The code has 100 random bits, so that a plain hash is enough to keep it.
    """
    return hashlib.sha256(code.upper().translate(_MISREAD).encode()).hexdigest()


def new_device() -> str:
    """Return a fresh name for a device that got none from its operator."""
    return "kaiwa-" + "".join(secrets.choice(_ALPHABET) for _ in range(8)).lower()


def is_device_name(name: str) -> bool:
    """Tell whether a device may have this name: 3 to 40 of a-z, 0-9 and -, and none of the cloud's own names."""
    return _DEVICE.fullmatch(name) is not None and not name.startswith(_RESERVED)
