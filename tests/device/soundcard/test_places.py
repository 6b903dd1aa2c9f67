from __future__ import annotations

from pathlib import Path

import pytest

from device.soundcard.places import place_of, places

PCI = "devices/pci0000:00/0000:01:00.0"


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        (f"{PCI}/usb1/1-1/1-1.3/1-1.3:1.0", {1: "usb:1-1.3"}),
        (f"{PCI}/usb3/3-2/3-2:1.0", {1: "usb:3-2"}),
        (f"{PCI}/usb1/1-1/1-1.4/1-1.4.2/1-1.4.2:1.0", {1: "usb:1-1.4.2"}),
        ("devices/platform/soc/soc:sound", {}),
    ],
)
def test_a_card_is_where_it_is_plugged_in(tmp_path: Path, device: str, expected: dict[int, str]) -> None:
    (tmp_path / device).mkdir(parents=True)
    card = tmp_path / device / "sound/card1"
    card.mkdir(parents=True)
    (card / "device").symlink_to(tmp_path / device)
    (tmp_path / "class/sound").mkdir(parents=True)
    (tmp_path / "class/sound/card1").symlink_to(card)
    (tmp_path / "class/sound/controlC1").touch()
    assert places(tmp_path) == expected


def test_portaudio_tells_the_card_in_the_name() -> None:
    assert place_of("S330: USB Audio (hw:1,0)", {1: "usb:1-1.3"}) == "usb:1-1.3"
    assert place_of("S330: USB Audio (hw:2,0)", {1: "usb:1-1.3"}) == ""
    assert place_of("default", {1: "usb:1-1.3"}) == ""


def test_a_computer_without_cards_has_no_places(tmp_path: Path) -> None:
    assert places(tmp_path) == {}
