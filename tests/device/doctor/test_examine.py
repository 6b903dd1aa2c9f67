"""A whole examination of a computer that is no board."""

from __future__ import annotations

import argparse
import io
import json
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from device.__main__ import main
from device.config import DeviceSettings
from device.doctor.command import EXIT_SETTINGS, address, seconds
from device.doctor.examine import Options, examine
from device.doctor.gather.sound import Wish
from device.instance import only_one
from device.panel.settings import PanelSettings
from device.sora.settings import BroadcastSettings
from device.soundcard.settings import SoundSettings
from tests.device.test_durably import KEY, enrol

NOWHERE = ("127.0.0.1", 9)
QUICK = Options(stun=NOWHERE, service=NOWHERE, wish=Wish(0.1))


def settings(state_dir: Path) -> DeviceSettings:
    return DeviceSettings(
        state_dir=str(state_dir), sound=SoundSettings(card="room"), panel=PanelSettings(factory="mock")
    )


async def codes(state_dir: Path) -> list[str]:
    return [finding.phrase.code for finding in await examine(settings(state_dir), QUICK)]


async def test_every_part_has_something_to_say_in_the_order_of_mending(tmp_path: Path) -> None:
    found = [code for code in await codes(tmp_path) if code not in {"cpu.busy", "sound.device"}]
    assert found[0].startswith("cpu.")
    assert found[1].startswith("power.")
    assert found[2:6] == ["disk.good", "record.off", "pins.stood_in", "tools.none"]
    assert found[6:9] == ["sound.stood_in", "network.udp_closed", "network.closed"]
    assert found[9].startswith("clock.")
    assert found[10:] == ["identity.unusable", "broker.no_identity"]


async def test_a_running_robot_is_left_alone(tmp_path: Path) -> None:
    with only_one(tmp_path):
        found = await codes(tmp_path)
    assert {"pins.held", "sound.held"} <= set(found)
    assert not {"pins.stood_in", "sound.stood_in"} & set(found)


async def test_what_cannot_be_looked_at_is_a_finding() -> None:
    broken = DeviceSettings(state_dir="/proc/1/none", sound=SoundSettings(card="room"))
    found = {finding.phrase.code: finding for finding in await examine(broken, QUICK)}
    assert "identity.unusable" in found
    assert {"disk.read_only", "disk.full"} & set(found)


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """A state whose certificate is not one."""
    enrol(tmp_path, KEY, "robot-1")
    (pem,) = tmp_path.glob("*.pem")
    pem.write_text("nonsense")
    return tmp_path


async def test_a_part_that_is_spoilt_keeps_no_other_from_being_looked_at(spoilt: Path) -> None:
    broken = msgspec.structs.replace(
        settings(spoilt),
        broadcast=BroadcastSettings(picture="character", skin="/nowhere"),
        panel=PanelSettings(factory="mock", button=23, mute=23),
    )
    found = {finding.phrase.code: finding for finding in await examine(broken, replace(QUICK, press=0.01))}
    assert found["doctor.unlooked"].values["check"] == "cpu", "and nothing else"
    assert "/nowhere" in found["doctor.unlooked"].text("ja")
    assert {"identity.unusable", "broker.no_identity"} <= set(found), (
        "a spoilt certificate file is the identity's fault"
    )
    assert "pins.same" in found
    assert "button.untouched" not in found, "what cannot be used cannot be felt"
    assert {"disk.good", "sound.stood_in", "network.closed"} <= set(found)


def test_the_command_line_prints_json_and_fails_when_something_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "device.toml"
    path.write_text(f'state_dir = "{tmp_path}"\n[sound]\ncard = "room"\n[panel]\nfactory = "mock"\n')
    options = ["--json", "--lang", "ja", "--stun", "127.0.0.1:9", "--service", "127.0.0.1:9", "--listen", "0.1"]
    assert main(["doctor", "--config", str(path), *options]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["outcome"] == "failure"
    assert {finding["check"] for finding in report["findings"]} >= {"cpu", "disk", "pins", "sound", "network"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("stun.example:3478", ("stun.example", 3478)), ("[::1]:19302", ("::1", 19302)), ("10.0.0.1:1", ("10.0.0.1", 1))],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    assert address(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "host", "host:", ":1", "host:0", "host:65536", "host:x", "a..b:1", "x" * 64 + ".example:1", "a:" + "1" * 5000],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="is not HOST:PORT"):
        address(text)


@pytest.mark.parametrize(("text", "expected"), [("0.1", 0.1), ("60", 60.0), ("2", 2.0)])
def test_so_many_seconds(text: str, expected: float) -> None:
    assert seconds(0.1, 60.0)(text) == expected


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "-inf", "-1", "0", "60.1"])
def test_what_is_no_time_to_listen_is_refused_before_anything_begins(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not from"):
        seconds(0.1, 60.0)(text)
    with pytest.raises(SystemExit):
        main(["doctor", f"--listen={text}"])
    assert "is not from 0.1 to 60 seconds" in capsys.readouterr().err


@pytest.mark.parametrize("written", ["[pannel]\n", None], ids=["a wrong key", "no file"])
def test_settings_that_cannot_be_used_are_a_finding_in_either_language_and_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], written: str | None
) -> None:
    path = tmp_path / "device.toml"
    if written is not None:
        path.write_text(written)
    assert main(["doctor", "--json", "--config", str(path)]) == EXIT_SETTINGS
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["code"], finding["outcome"]) == ("settings.unusable", "failure")
    assert str(path) in finding["text"]
    assert main(["doctor", "--lang", "ja", "--config", str(path)]) == EXIT_SETTINGS
    assert capsys.readouterr().out.startswith("[不良] settings  設定を使えません: ")


def test_where_the_terminal_knows_few_letters_the_others_are_question_marks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", out)
    assert main(["doctor", "--json", "--lang", "ja", "--config", str(tmp_path / "none.toml")]) == EXIT_SETTINGS
    out.seek(0)
    assert json.loads(out.read())["findings"][0]["code"] == "settings.unusable"
