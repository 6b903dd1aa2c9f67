"""PURE. Releases: what says of a package that a robot may become it, in the words of whoever releases versions.

The key that signs releases is another than that of any operator: who may order robots about cannot give them a program.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Meta

from device.messages.envelope import PublicKey, Signer, open_envelope, seal_envelope
from device.messages.wire import Message, decode

RELEASE: Final = "release"
"""The purpose for which a release is signed."""

PRODUCT: Final = "kaiwa-device"
"""The package whose versions a robot takes over."""

LONGEST_SEALED: Final = 4_096
"""Characters of a sealed release; real ones have about 600."""

MOST_BYTES: Final = 2**30
"""Of a package, and of what is in it; more has no room on a card beside what runs there."""

Version = Annotated[str, Meta(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6}){1,3}\Z")]
"""Numbers with dots between them; a longer one is newer than its beginning."""

Address = Annotated[str, Meta(pattern=r"^https://[!-~]+\Z", max_length=1_000)]
"""Where something lies: over HTTPS only."""


class Release(Message, frozen=True):
    """One package of one version, byte for byte."""

    product: str
    version: Version
    architecture: Annotated[str, Meta(pattern=r"^[a-z0-9]{1,20}\Z")]
    """Debian's name of it, such as `arm64`."""
    python: Annotated[str, Meta(pattern=r"^3\.[0-9]{1,3}\Z")]
    """Series of Debian's Python that it is made for."""
    size: Annotated[int, Meta(ge=1, le=MOST_BYTES)]
    """Bytes of the package."""
    unpacked: Annotated[int, Meta(ge=1, le=MOST_BYTES)]
    """Bytes of the files in it, with 4 KiB for each beside its own."""
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    """Of the package, in hex."""
    released_at: float
    """Unix seconds."""
    back_from: Version | None = None
    """The newest version whose place it may take although that is newer; None: it only ever follows older ones."""


def order_of(version: str) -> tuple[int, ...]:
    """Return what orders versions: 0.10 comes after 0.9, and 0.9.0 is 0.9."""
    numbers = [int(number) for number in version.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def key_id(key: PublicKey) -> str:
    """Return the id under which a key signs releases: what it is, so that nobody needs to name it."""
    raw = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"release-{hashlib.sha256(raw).hexdigest()[:16]}"


def seal_release(release: Release, signer: Signer) -> bytes:
    """Return a release, signed."""
    return seal_envelope(RELEASE, release, signer)


def open_release(data: bytes, keys: Mapping[str, PublicKey]) -> Release:
    """Return the release in `data`, signed by one of `keys`, by their ids.

    Raises:
        MalformedMessageError: not a release.
        BadSignatureError: by none of them.
    """
    return decode(open_envelope(RELEASE, data, keys.get), Release)
