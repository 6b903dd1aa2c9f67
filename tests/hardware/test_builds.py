"""Each build says the same four times: table of pins, wiring, settings, page; and its pictures belong to it."""

from __future__ import annotations

import ctypes
import hashlib
import re
import runpy
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from device.audio.echo import EchoMode
from device.config import load
from device.doctor.checks.pins import I2S, SD_MODE, switches_i2s_on
from device.panel.settings import PanelSettings
from tests.translations import ROW, Section, sections

HARDWARE = Path(__file__).parents[2] / "hardware"
BUILDS = ("speakerphone", "i2s", "voice-hat")
PANEL = ("button", "light", "on_air")
OF_A_BUILD = ("wiring.yaml", "wiring.svg", "wiring.png", "wiring.bom.tsv", "pins.toml", "header.png")
DRAWING = runpy.run_path(str(HARDWARE / "header.py"))
HEADER: dict[int, int] = DRAWING["GPIOS"]
LABEL: dict[int, str] = DRAWING["PLACES"]
SUPPLY = {place: what for place, what in LABEL.items() if not what.startswith("GPIO")}

PAGES = {
    "README.md": dict[str, str](),
    "README.ja.md": {"anode, by 330 Ω": "アノード (330 Ω 経由)", "cathode": "カソード"},
}
"""The page of a build in each language, and its words for the pins of parts that are not those of the drawing."""
SUPPLIES = {
    "README.md": {"GND": "ground", "3V3": "3.3 V", "5V": "5 V"},
    "README.ja.md": {"GND": "GND", "3V3": "3.3 V", "5V": "5 V"},
}
"""Its words for what is no GPIO."""

PARTS, PINS = 1, 2
"""Which section of the page of a build is about what."""

Wire = tuple[int, str]
"""Place on the header, and `PART:pin`."""

each_build = pytest.mark.parametrize("build", BUILDS)


def table(build: str) -> dict[str, Any]:
    return tomllib.loads((HARDWARE / build / "pins.toml").read_text())


def rows(build: str) -> list[dict[str, Any]]:
    tables = table(build)
    return [*tables["panel"].values(), *tables["wire"]]


def wiring(build: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((HARDWARE / build / "wiring.yaml").read_text())
    return loaded


def drawn(build: str) -> set[Wire]:
    """Return every wire of the drawing that begins at the header."""
    drawing, wires = wiring(build), set[Wire]()
    for chain in drawing["connections"]:
        (start, starts), _, (end, ends) = (next(iter(link.items())) for link in chain)
        part = drawing["connectors"][end]
        labels = dict(zip(part.get("pins", [1]), part["pinlabels"], strict=True))
        if start == "HEADER":
            wires |= {(place, f"{end}:{labels[pin]}") for place, pin in zip(starts, ends, strict=True)}
    return wires


@each_build
def test_the_drawing_is_the_table(build: str) -> None:
    assert drawn(build) == {(row["header"], row["to"]) for row in rows(build)}


@each_build
def test_the_places_on_the_header_are_right(build: str) -> None:
    for row in rows(build):
        if row["gpio"]:
            assert HEADER[row["gpio"]] == row["header"]
        else:
            assert row["header"] in SUPPLY
    header = wiring(build)["connectors"]["HEADER"]
    assert header["pinlabels"] == [LABEL[place] for place in header["pins"]]
    assert sorted(header["pins"]) == sorted({row["header"] for row in rows(build)})


@each_build
def test_the_settings_are_the_table(build: str) -> None:
    settings = load(HARDWARE / build / "device.toml")
    panel = msgspec.structs.asdict(settings.panel)
    assert {name: panel[name] for name in PANEL} == {name: pin["gpio"] for name, pin in table(build)["panel"].items()}
    assert EchoMode(settings.echo.mode)


def test_the_defaults_are_those_of_the_first_two_builds() -> None:
    for build in BUILDS[:2]:
        assert load(HARDWARE / build / "device.toml").panel == PanelSettings()


def section(build: str, page: str, place: int) -> Section:
    return sections((HARDWARE / build / page).read_text(encoding="utf-8"))[place]


def lines_of_pins(build: str, page: str) -> list[tuple[str, str, int, str]]:
    """Return signal, GPIO or supply, place on the header, and `PART:pin` of every line that a page has of them."""
    lines = re.findall(r"^\|([^|]*)\|([^|]*)\| (\d+) \|([^|]+)\|$", section(build, page, PINS).text, re.MULTILINE)
    return [(what.strip(), gpio.strip(), int(place), to.strip()) for what, gpio, place, to in lines]


def said(to: str, page: str) -> str:
    """Return `PART:pin` in the words of the page."""
    part, _, pin = to.partition(":")
    return f"{part}:{PAGES[page].get(pin, pin)}"


@each_build
@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_the_table(build: str, page: str) -> None:
    found = lines_of_pins(build, page)
    assert [line for line in found if line[0] in PANEL] == [
        (name, str(pin["gpio"]), pin["header"], said(pin["to"], page)) for name, pin in table(build)["panel"].items()
    ]
    assert sorted(line[1:] for line in found) == sorted(
        (str(row["gpio"] or SUPPLIES[page][SUPPLY[row["header"]]]), row["header"], said(row["to"], page))
        for row in rows(build)
    )


def test_a_part_and_a_signal_have_one_name_in_each_language() -> None:
    """The figures of the two lists are compared, line by line, by tests.test_translations."""
    for place, least in ((PARTS, 15), (PINS, 10)):
        listed = [[ROW.findall(section(build, page, place).text) for page in PAGES] for build in BUILDS]
        lines = [pair for english, japanese in listed for pair in zip(english, japanese, strict=True)]
        names = {(one.split("|")[1].strip(), other.split("|")[1].strip()) for one, other in lines}
        assert len(names) == len(dict(names)) == len({japanese for _, japanese in names}) >= least


@each_build
def test_nothing_on_the_panel_takes_a_pin_from_the_sound(build: str) -> None:
    panel = [pin["gpio"] for pin in table(build)["panel"].values()]
    assert len(set(panel)) == len(panel)
    assert not set(panel) & (I2S | {SD_MODE, 2, 3})


@pytest.mark.parametrize("build", BUILDS[1:])
def test_the_bus_has_all_its_wires_and_is_switched_on(build: str) -> None:
    wired = {row["gpio"] for row in table(build)["wire"]}
    assert wired >= I2S
    assert switches_i2s_on((HARDWARE / build / "config.txt").read_text())
    assert (SD_MODE in wired) == ("googlevoicehat" in (HARDWARE / build / "config.txt").read_text())


@pytest.mark.parametrize("build", BUILDS[1:])
def test_the_sound_settings_name_what_alsa_is_given(build: str) -> None:
    sound = load(HARDWARE / build / "device.toml").sound
    given = re.findall(r"^pcm\.(\w+) \{", (HARDWARE / build / "asound.conf").read_text(), re.MULTILINE)
    assert {sound.input, sound.output} <= set(given)


@each_build
def test_alsa_understands_the_file(build: str, tmp_path: Path) -> None:
    assert alsa_parses(HARDWARE / build / "asound.conf")
    broken = tmp_path / "asound.conf"
    broken.write_text((HARDWARE / build / "asound.conf").read_text() + "}\n")
    assert not alsa_parses(broken)


def alsa_parses(path: Path) -> bool:
    try:
        alsa = ctypes.CDLL("libasound.so.2")
    except OSError:
        pytest.skip("ALSA's library is not installed")
    top, source = ctypes.c_void_p(), ctypes.c_void_p()
    assert alsa.snd_config_top(ctypes.byref(top)) == 0
    assert alsa.snd_input_stdio_open(ctypes.byref(source), str(path).encode(), b"r") == 0
    try:
        return int(alsa.snd_config_load(top, source)) == 0
    finally:
        alsa.snd_input_close(source)
        alsa.snd_config_delete(top)


def test_the_pictures_belong_to_their_sources() -> None:
    lines = (HARDWARE / "pictures.sha256").read_text().splitlines()
    noted = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    of_builds = {f"{build}/{name}" for build in BUILDS for name in OF_A_BUILD}
    assert set(noted) == of_builds | {"header.py", "enclosure/kaiwa.scad", "enclosure/kaiwa.png"}
    changed = [name for name, digest in noted.items() if digest != sha256(HARDWARE / name)]
    assert not changed, "draw anew with `make hardware`"


@each_build
def test_the_header_is_drawn_as_the_table_has_it(build: str) -> None:
    dot = DRAWING["picture"](table(build))
    cells = [re.sub("<[^>]*>", "", cell) for cell in re.findall(r"<TD.*?</TD>", dot)][1:]
    sides = [cells[at : at + 3] for at in range(0, 120, 6)] + [cells[at + 3 : at + 6][::-1] for at in range(0, 120, 6)]
    seen = {int(place): (what, goes) for goes, what, place in sides if place}
    assert {place: what for place, (what, _) in seen.items()} == LABEL
    for place, (_, goes) in seen.items():
        wires = [row["to"].replace(":", " ") for row in rows(build) if row["header"] == place]
        assert goes == (" and ".join(wires) or " ")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
