"""PURE. An address as a QR code that a telephone reads off a screen, also off a dark one."""

from __future__ import annotations

from io import BytesIO
from typing import Final

import segno

INK: Final = "#2b2320"
GROUND: Final = "#ffffff"
"""Dark on light with the quiet zone of ISO/IEC 18004 (4 modules): some readers refuse the inverse."""


def qr_code(url: str) -> bytes:
    """Return `url` as an SVG image without a size of its own; a quarter of it may be hidden (error correction Q)."""
    image = BytesIO()
    segno.make_qr(url, error="q").save(
        image, kind="svg", border=4, dark=INK, light=GROUND, xmldecl=False, omitsize=True
    )
    return image.getvalue()
