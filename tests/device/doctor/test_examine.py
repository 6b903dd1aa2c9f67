"""A whole examination of a computer that is no board."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from device.__main__ import main
from device.config import DeviceSettings
from device.doctor.command import address
from device.doctor.examine import Options, examine
from device.doctor.gather.sound import Wish
from device.instance import only_one
from device.panel.settings import PanelSettings
from device.soundcard.settings import SoundSettings

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


@pytest.mark.parametrize("text", ["", "host", "host:", ":1", "host:0", "host:65536", "host:x"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="is not HOST:PORT"):
        address(text)
