from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from device.errors import SettingsError
from device.picture.built_in import built_in
from device.picture.fonts import letters
from device.picture.skin import EYES, Palette, contrast
from device.picture.skin_folder import load


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A whole skin: the built-in one, written down."""
    skin = built_in(Palette(), character=True)
    skin.backdrop.save(tmp_path / "backdrop.png")
    for name in EYES:
        skin.eyes[name].save(tmp_path / f"eyes-{name}.png")
    for number, mouth in enumerate(skin.mouths):
        mouth.save(tmp_path / f"mouth-{number}.png")
    places = f"eyes_at = {list(skin.eyes_at)}\nmouth_at = {list(skin.mouth_at)}\n"
    (tmp_path / "skin.toml").write_text(places + '[colours]\nrobot = "#8a2f0f"\n', encoding="utf-8")
    return tmp_path


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_every_word_of_the_built_in_skin_can_be_read() -> None:
    assert Palette().unreadable() == []


def test_a_folder_is_a_skin(folder: Path) -> None:
    skin, built = load(str(folder), "character"), load("", "character")
    assert skin.palette.robot == "#8a2f0f"
    assert skin.backdrop.tobytes() == built.backdrop.tobytes()
    assert {name: eyes.size for name, eyes in skin.eyes.items()} == {n: e.size for n, e in built.eyes.items()}
    assert len(skin.mouths) == len(built.mouths)


def test_a_picture_that_is_missing_is_named(folder: Path) -> None:
    (folder / "mouth-3.png").unlink()
    with pytest.raises(SettingsError, match=r"mouth-3\.png"):
        load(str(folder), "character")
    assert load(str(folder), "captions").eyes == {}


def test_a_backdrop_of_another_size_is_refused(folder: Path) -> None:
    Image.new("RGB", (320, 180)).save(folder / "backdrop.png")
    with pytest.raises(SettingsError, match="640 by 360"):
        load(str(folder), "character")


def test_a_piece_that_does_not_fit_is_refused(folder: Path) -> None:
    (folder / "skin.toml").write_text("eyes_at = [600, 100]\nmouth_at = [290, 140]\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="does not fit"):
        load(str(folder), "character")


def test_colours_in_which_words_cannot_be_read_are_refused(folder: Path) -> None:
    text = (folder / "skin.toml").read_text().replace("#8a2f0f", "#ffb090")
    (folder / "skin.toml").write_text(text)
    with pytest.raises(SettingsError, match="robot on paper"):
        load(str(folder), "character")


def test_a_key_that_is_not_known_is_refused(folder: Path) -> None:
    (folder / "skin.toml").write_text("eyes_at = [1, 1]\nmouth_at = [1, 1]\nnose_at = [1, 1]\n")
    with pytest.raises(SettingsError, match="nose_at"):
        load(str(folder), "character")


def test_debians_noto_has_japanese_and_what_is_in_pillow_has_not(caplog: pytest.LogCaptureFixture) -> None:
    assert letters().japanese
    plain = letters(noto=Path("/nowhere"))
    assert not plain.japanese
    assert "fonts-noto-cjk" in caplog.text
    assert plain.spoken("Hana 花 café") == "Hana  café"
    assert plain.both(("Visitor", "お客さま")) == "Visitor"


def test_a_font_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.ttf").write_text("no font")
    with pytest.raises(SettingsError, match=r"a\.ttf"):
        letters(str(tmp_path / "a.ttf"))
