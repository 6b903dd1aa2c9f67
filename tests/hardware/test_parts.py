"""What a buyer goes by: parts lists that hold what is drawn, voltages that kill nothing, pins that are where they are said to be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from gpiozero import pi_info

from device.doctor.checks.pins import I2S, SD_MODE
from tests.hardware.test_builds import BUILDS, HARDWARE, HEADER, SUPPLY, each_build, rows, table, wiring

ROOT = HARDWARE.parent
MODELS = {"Zero 2 W": 0x902120, "4B": 0xC03115, "5B": 0xC04170}
"""Revision codes of the boards of the builds (Raspberry Pi documentation, "New-style revision codes in use")."""

ROWS = {
    "BUTTON": "push button",
    "TALK LIGHT": "LED, any colour but red",
    "ON AIR": "LED, red",
    "SPEAKERPHONE": "USB speakerphone",
    "INMP441": "INMP441 module",
    "MAX98357A": "MAX98357A module",
    "LOUDSPEAKER": "loudspeaker",
    "WM8960 HAT": "WM8960 voice HAT",
}
"""How a part of the drawing begins in the list; the board itself is both HEADER and USB."""

FROM_THE_DATA_SHEETS = {
    "INMP441:VDD": "3V3",  # 1.62 to 3.63 V
    "INMP441:SCK": 18,
    "INMP441:WS": 19,
    "INMP441:SD": 20,
    "MAX98357A:VIN": "5V",  # 2.5 to 5.5 V, 3.2 W only with 5
    "MAX98357A:BCLK": 18,
    "MAX98357A:LRC": 19,
    "MAX98357A:DIN": 21,
    "MAX98357A:SD": SD_MODE,
    "WM8960 HAT:3V3": "3V3",
    "WM8960 HAT:5V": "5V",
    "WM8960 HAT:SDA": 2,
    "WM8960 HAT:SCL": 3,
    "WM8960 HAT:BCLK": 18,
    "WM8960 HAT:LRCLK": 19,
    "WM8960 HAT:ADC": 20,
    "WM8960 HAT:DAC": 21,
}
"""Each pin of a module, and what it has to be joined to: a supply, or the GPIO of the bus in its direction."""


@dataclass(frozen=True)
class Part:
    """A line of a parts list."""

    name: str
    number: int
    price: str
    remarks: str


def listed(build: str) -> list[Part]:
    text = (HARDWARE / build / "README.md").read_text().partition("## Parts")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| (.+?) \| (\d+) \| (.+?) \| (.+) \|$", text, re.MULTILINE)
    return [Part(name, int(number), price, remarks) for name, number, price, remarks in lines]


def row(build: str, name: str) -> Part:
    (found,) = (part for part in listed(build) if part.name.startswith(name))
    return found


@each_build
def test_every_part_that_is_drawn_is_in_the_list_once(build: str) -> None:
    drawn = wiring(build)["connectors"].keys() - {"HEADER", "USB"}
    assert {row(build, ROWS[name]).number for name in drawn} == {1}
    assert {row(build, name).number for name in ("Raspberry Pi", "power supply", "microSD card")} == {1}


@each_build
def test_what_is_drawn_has_the_values_of_the_list(build: str) -> None:
    for name, part in wiring(build)["connectors"].items():
        if name == "LOUDSPEAKER":
            assert part["subtype"] in row(build, "loudspeaker").remarks
    resistors = [
        extra for part in wiring(build)["connectors"].values() for extra in part.get("additional_components", ())
    ]
    assert {(extra["type"], extra["subtype"]) for extra in resistors} == {("Resistor", "330 Ω")}
    assert row(build, "resistor, 330 Ω").number == sum(extra["qty"] for extra in resistors) == 2


@each_build
def test_there_are_as_many_wires_as_are_drawn(build: str) -> None:
    drawing = wiring(build)
    bought = [name for name, cable in drawing["cables"].items() if not cable.get("ignore_in_bom")]
    ends = [chain for chain in drawing["connections"] if next(iter(chain[1])) in bought]
    from_header = sum(len(chain[0]["HEADER"]) for chain in ends if "HEADER" in chain[0])
    assert row(build, "jumper wire").number == from_header
    assert f"{drawing['cables']['W1']['length']} m" in row(build, "jumper wire").remarks


@each_build
def test_every_part_has_a_price_and_says_what_to_look_for(build: str) -> None:
    for part in listed(build):
        assert re.fullmatch(r"[\d.]+( to [\d.]+)?", part.price), part
        assert len(part.remarks) > 8, part


@each_build
def test_the_picture_and_its_list_count_the_same(build: str) -> None:
    lines = (HARDWARE / build / "wiring.bom.tsv").read_text().splitlines()[1:]
    counted = [line.split("\t") for line in lines]
    assert [row[2] for row in counted if row[1].startswith("Resistor, 330")] == ["2"]
    assert all(float(row[2]) > 0 for row in counted), "nothing is bought none of"


def joined(row: dict[str, Any]) -> int | str:
    return int(row["gpio"]) or SUPPLY[row["header"]]


@each_build
def test_every_module_gets_its_voltage_and_each_signal_its_direction(build: str) -> None:
    for wire in table(build)["wire"]:
        part, _, pin = wire["to"].partition(":")
        grounded = pin in ("GND", "NO", "cathode")
        assert joined(wire) == ("GND" if grounded else FROM_THE_DATA_SHEETS[f"{part}:{pin}"]), wire


@each_build
def test_two_wires_share_a_pin_only_on_the_clocks_of_the_bus(build: str) -> None:
    places = [wire["header"] for wire in rows(build)]
    shared = {place for place in places if places.count(place) > 1}
    assert shared <= {HEADER[18], HEADER[19]}


@pytest.mark.parametrize("revision", MODELS.values(), ids=list(MODELS))
def test_the_header_is_the_one_that_gpiozero_knows(revision: int) -> None:
    pins = pi_info(revision).headers["J8"].pins
    known = {place: pin.name for place, pin in pins.items()}
    ours = {place: f"GPIO{gpio}" for gpio, place in HEADER.items()} | SUPPLY
    assert ours == known


@pytest.mark.parametrize("page", ["packaging/device.toml", "docs/tools.md", "docs/panel.md"])
def test_pins_that_are_proposed_for_more_are_free_in_every_build(page: str) -> None:
    text = (ROOT / page).read_text()
    proposed = re.findall(r"\b(?:pin|mute|cut|second_light|green|blue) = (\d+)\b", text)
    taken = {wire["gpio"] for build in BUILDS for wire in rows(build)} | I2S | {SD_MODE}
    assert proposed
    assert not {int(pin) for pin in proposed} & taken


def scad() -> dict[str, float]:
    text = (HARDWARE / "enclosure/kaiwa.scad").read_text()
    return {name: float(value) for name, value in re.findall(r"^(\w+) = ([\d.]+);", text, re.MULTILINE)}


def test_the_page_has_the_measures_of_the_enclosure() -> None:
    size, page = scad(), (HARDWARE / "README.md").read_text()
    assert f"{size['width']:.0f} x {size['depth']:.0f} x {size['height']:.0f} mm" in page
    apart = ((size["height"] - size["speaker_height"]) ** 2 + size["mic_from_front"] ** 2) ** 0.5
    assert f"{apart / 10:.0f} cm away" in page
    remarks = row("i2s", "loudspeaker").remarks
    assert f"{size['speaker_frame']:.0f} mm" in remarks
    assert f"circle of {size['speaker_screws']:.0f} mm" in remarks
    assert f"{size['mic_recess']:.0f} mm" in row("i2s", "INMP441").remarks
    assert f"{size['button_hole']:.0f} mm, to be clicked in" in row("i2s", "push button").remarks


def test_every_measure_of_the_enclosure_is_explained() -> None:
    text = (HARDWARE / "enclosure/kaiwa.scad").read_text().partition("$fn")[0]
    measures = re.findall(r"^\w+ = [^;]+;(.*)$", text, re.MULTILINE)
    assert len(measures) > 20
    assert [line for line in measures if not re.fullmatch(r" *// \S.*", line)] == []
