"""The settings file: all defaults, every mistake located, every value explained."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from device import config
from device.boards import CHOICES, Board, recognised
from device.chosen import chosen, told
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
    path = written(tmp_path, "board = 'pi4'\n[panel]\nbutton = 5\nlight = 24\n[broadcast]\nbit_rate = 48_000")
    explained = {key: (value, source) for key, value, source in explain(path)}
    assert explained["panel.button"] == (5, "file")
    assert explained["panel.light"] == (24, "file"), "said, though it is the default"
    assert explained["broadcast.bit_rate"] == (48_000, "file")
    assert explained["broadcast.complexity"] == (2, "pi4")
    assert explained["sound.room.noise"][1] == "default"


@pytest.mark.parametrize("board", [board for board in Board if board is not Board.AUTO])
def test_each_board_has_its_settings_beneath_what_the_file_says(tmp_path: Path, board: Board) -> None:
    settings = load(written(tmp_path, f"board = '{board}'\n[realtime]\noffer_seconds = 3.0"))
    assert settings.realtime.offer_seconds == 3.0
    assert settings.realtime.opus.bit_rate == DeviceSettings().realtime.opus.bit_rate
    own = load(written(tmp_path, f"board = '{board}'\n[realtime.opus]\ncomplexity = 10\n[echo]\nmode = 'none'"))
    assert own.echo.mode == "none", "what is said wins"
    assert own.realtime.opus.complexity == 10
    assert own.broadcast == settings.broadcast


def test_a_smaller_board_never_works_harder(tmp_path: Path) -> None:
    efforts = []
    for board in (Board.PI5, Board.PI4, Board.ZERO2W):
        settings = load(written(tmp_path, f"board = '{board}'"))
        efforts.append((settings.realtime.opus.complexity, settings.broadcast.complexity))
    assert efforts == sorted(efforts, reverse=True)
    assert len(set(efforts)) == 3


@pytest.mark.parametrize("board", [board for board in Board if board is not Board.AUTO])
def test_each_choice_of_a_board_is_a_setting_and_tells_why_in_two_languages(tmp_path: Path, board: Board) -> None:
    path = written(tmp_path, f"board = '{board}'")
    explained = {key: (value, source) for key, value, source in explain(path)}
    for choice in CHOICES[board]:
        assert explained[choice.key] == (choice.value, str(board))
        assert choice.en
        assert any(ord(letter) > 0x3000 for letter in choice.ja)
    assert [source for _, source in explained.values() if source == board] == [str(board)] * len(CHOICES[board])


def test_the_smallest_board_never_hears_itself_and_sends_fewer_packets(tmp_path: Path) -> None:
    settings = load(written(tmp_path, "board = 'zero2w'"))
    assert settings.echo.mode == "half-duplex"
    assert (settings.realtime.opus.packet_ms, settings.broadcast.packet_ms, settings.broadcast.picture) == (
        40,
        60,
        "off",
    )


def test_what_the_profile_chose_is_told_and_what_the_file_says_wins(tmp_path: Path) -> None:
    found = chosen(written(tmp_path, "board = 'zero2w'\n[echo]\nmode = 'aec3'\n[sound]\nframes = 1920"))
    assert found.board is Board.ZERO2W
    assert [choice.key for choice, _ in found.overruled] == ["echo.mode"]
    lines = list(told(found))
    assert len(lines) == len(CHOICES[Board.ZERO2W])
    assert lines[-1].startswith("board zero2w: echo.mode = aec3 by the settings, instead of half-duplex: a canceller")
    assert "board zero2w: broadcast.packet_ms = 60: fewer packets, each of which" in lines[3]
    assert list(told(chosen(written(tmp_path, "board = 'other'")))) == []


@pytest.mark.parametrize(
    ("model", "board"),
    [
        ("Raspberry Pi 5 Model B Rev 1.0", Board.PI5),
        ("Raspberry Pi 4 Model B Rev 1.4", Board.PI4),
        ("Raspberry Pi 400 Rev 1.0", Board.PI4),
        ("Raspberry Pi Zero 2 W Rev 1.0", Board.ZERO2W),
        ("Raspberry Pi 3 Model B Plus Rev 1.3", Board.ZERO2W),
        ("linux,dummy-virt", Board.OTHER),
        ("", Board.OTHER),
    ],
)
def test_a_board_is_known_by_what_it_calls_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, board: Board
) -> None:
    (tmp_path / "model").write_bytes(model.encode() + b"\0")
    monkeypatch.setattr(config, "MODEL", tmp_path / "model")
    assert recognised(model) is board
    named = load(written(tmp_path, f"board = '{board}'"))
    assert load(written(tmp_path, "")) == msgspec.structs.replace(named, board="auto")
