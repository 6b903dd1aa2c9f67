"""The settings file: all defaults, every mistake located, every value explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.config import DeviceSettings, explain, load
from device.errors import SettingsError


def written(folder: Path, text: str) -> Path:
    path = folder / "device.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_empty_file_is_a_good_one(tmp_path: Path) -> None:
    assert load(written(tmp_path, "")) == DeviceSettings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[sound]\ncrad = 'room'", r"device\.toml:2: `sound\.crad`: unknown key; did you mean `card`\?"),
        ("[panel]\nbutton = 'x'", r"device\.toml:2: `panel\.button`: Expected `int`"),
        ("[echo]\nmode = 'magic'", r"device\.toml:2: `echo\.mode`: Invalid enum value 'magic'"),
        ("[sound.room]\nnoise = 3.0", r"device\.toml:2: `sound\.room\.noise`: Expected `float` <= -20"),
    ],
)
def test_a_mistake_names_file_line_and_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load(written(tmp_path, text))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"missing\.toml: cannot be read"):
        load(tmp_path / "missing.toml")


def test_every_value_is_explained_with_its_source(tmp_path: Path) -> None:
    settings = load(written(tmp_path, "[panel]\nbutton = 5"))
    explained = {key: (value, source) for key, value, source in explain(settings)}
    assert explained["panel.button"] == (5, "file")
    assert explained["panel.light"] == (24, "default")
    assert explained["sound.room.noise"][1] == "default"
