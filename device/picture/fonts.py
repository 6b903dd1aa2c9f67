"""The fonts of this computer: Debian's Noto with Japanese where it is, else the one in Pillow, which has none."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from PIL import ImageFont

from device.errors import SettingsError
from device.picture.letters import Font, Letters

_log = logging.getLogger(__name__)

PACKAGE: Final = "fonts-noto-cjk"
"""The Debian package that has Japanese."""
NOTO: Final = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc")
"""Its file; the first face in it is the Japanese one."""


def letters(path: str = "", noto: Path = NOTO) -> Letters:
    """Return the letters to draw with, and log when they lack Japanese.

    Args:
        path: a font of the operator's choice; empty: Noto where it is.
        noto: where Debian puts it.

    Raises:
        SettingsError: there is no font at `path`.
    """
    chosen = path or (str(noto) if noto.exists() else "")
    try:
        found = Letters.of(lambda size: _load(chosen, size))
    except OSError as error:
        raise SettingsError("broadcast.font", f"{path} is no font that can be read: {error}") from None
    if not found.japanese:
        _log.warning("the picture has no Japanese: install %s, or name a font in broadcast.font", PACKAGE)
    return found


def _load(path: str, size: int) -> Font:
    if path:
        return ImageFont.truetype(path, size, index=0)
    built_in = ImageFont.load_default(size)
    if not isinstance(built_in, Font):
        raise OSError("this Pillow has no FreeType")
    return built_in
