"""A skin of one's own: a folder with `skin.toml` and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import msgspec
from PIL import Image, UnidentifiedImageError

from device.errors import SettingsError
from device.messages.settings import Settings, read_settings
from device.picture.built_in import built_in
from device.picture.layout import Kind
from device.picture.look import MOUTHS
from device.picture.skin import EYES, HEIGHT, WIDTH, Palette, Skin

FILE: Final = "skin.toml"
Place = tuple[Annotated[int, msgspec.Meta(ge=0, lt=WIDTH)], Annotated[int, msgspec.Meta(ge=0, lt=HEIGHT)]]


class SkinSettings(Settings, frozen=True):
    """The file `skin.toml`: where eyes and mouth lie on `backdrop.png`, left and top in pixels, and the colours."""

    eyes_at: Place
    mouth_at: Place
    colours: Palette = Palette()


def load(folder: str, kind: Kind) -> Skin:
    """Return the skin in `folder`, the built-in one when that is empty; without a character, its colours alone.

    Raises:
        SettingsError: a file is missing or unusable, or text in these colours could not be read.
    """
    if not folder:
        return built_in(Palette(), character=kind == "character")
    path = Path(folder) / FILE
    settings = _settings(path)
    unreadable = settings.colours.unreadable()
    if unreadable:
        raise SettingsError(str(path), f"too little contrast (less than 4.5): {', '.join(unreadable)}", key="colours")
    if kind != "character":
        return built_in(settings.colours, character=False)
    return _with_pictures(settings, Path(folder))


def _settings(path: Path) -> SkinSettings:
    try:
        return read_settings(path.read_text(encoding="utf-8"), str(path), SkinSettings)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), f"cannot be read: {error}") from None


def _with_pictures(settings: SkinSettings, folder: Path) -> Skin:
    backdrop = _picture(folder / "backdrop.png").convert("RGB")
    if backdrop.size != (WIDTH, HEIGHT):
        raise SettingsError(str(folder / "backdrop.png"), f"must have {WIDTH} by {HEIGHT} pixels")
    return Skin(
        settings.colours,
        backdrop,
        {name: _piece(folder / f"eyes-{name}.png", settings.eyes_at) for name in EYES},
        settings.eyes_at,
        tuple(_piece(folder / f"mouth-{number}.png", settings.mouth_at) for number in range(MOUTHS)),
        settings.mouth_at,
    )


def _piece(path: Path, at: tuple[int, int]) -> Image.Image:
    piece = _picture(path).convert("RGBA")
    if at[0] + piece.width > WIDTH or at[1] + piece.height > HEIGHT:
        raise SettingsError(str(path), f"does not fit into the picture at {at[0]}, {at[1]}")
    return piece


def _picture(path: Path) -> Image.Image:
    try:
        with Image.open(path) as picture:
            return picture.copy()
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise SettingsError(str(path), f"no picture that can be read: {error}") from None
