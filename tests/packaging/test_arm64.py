"""docs/arm64.md is of the versions that are installed, and has a wheel for a board's processor and Python in every line.

`make check-arm64` asks the registry, and CI runs it; this needs no network.
"""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "arm64.md").read_text(encoding="utf-8")
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")
SYSTEMS = {"Bookworm": "311", "Trixie": "313"}
GLIBC = {"311": 36, "313": 41}
"""Minor version of the C library that each Python's system has, glibc 2.x: no wheel may need a newer one."""


def wheels(system: str) -> list[tuple[str, str, str]]:
    section = PAGE.partition(f"## {system}")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| ([\w.-]+) \| ([\w.]+) \| (.+) \|$", section, re.MULTILINE)
    return [line for line in lines if line[0] != "package"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_line_is_a_pinned_version_with_a_wheel_that_fits_or_is_compiled(system: str) -> None:
    found = wheels(system)
    assert len(found) >= 30
    for name, version, wheel in found:
        assert version in re.findall(rf"^{re.escape(name)}==([\w.]+)", CONSTRAINTS, re.MULTILINE), name
        assert fits(wheel, SYSTEMS[system]), (name, wheel)


def fits(wheel: str, python: str) -> bool:
    if wheel.startswith("compiled by `make deb`"):
        return True
    tags = re.fullmatch(r"[\w.]+-[\w.]+-([\w.]+)-(\w+)-([\w.]+)\.whl", wheel)
    if tags is None:
        return False
    pythons, abi, platform = tags.groups()
    made_for = f"cp{python}" in pythons or "py3" in pythons or (abi == "abi3" and int(pythons[2:]) <= int(python))
    return made_for and (platform == "any" or oldest_glibc(platform) <= GLIBC[python])


def oldest_glibc(platform: str) -> int:
    """Return the x of the glibc 2.x that a wheel for 64-bit ARM needs; of one for another processor, more than there is."""
    named = [int(minor) for minor in re.findall(r"manylinux_2_(\d+)_aarch64", platform)]
    return min([*named, 17] if "manylinux2014_aarch64" in platform else named, default=1000)


@pytest.mark.parametrize(
    ("wheel", "good"),
    [
        ("x-1.0-py3-none-any.whl", True),
        ("x-1.0-py2.py3-none-any.whl", True),
        ("x-1.0-cp311-abi3-manylinux_2_28_aarch64.whl", True),
        ("x-1.0-cp312-cp312-manylinux_2_28_aarch64.whl", False),
        ("x-1.0-cp313-abi3-manylinux_2_28_aarch64.whl", False),
        ("x-1.0-cp311-cp311-manylinux_2_28_x86_64.whl", False),
        ("x-1.0-cp311-cp311-manylinux_2_36_aarch64.whl", True),
        ("x-1.0-cp311-cp311-manylinux_2_37_aarch64.whl", False),
        ("x-1.0-cp311-cp311-manylinux_2_39_aarch64.manylinux2014_aarch64.whl", True),
        ("x-1.0-cp311-cp311-musllinux_1_2_aarch64.whl", False),
        ("x-1.0.tar.gz", False),
        ("", False),
    ],
)
def test_a_wheel_for_another_python_or_processor_does_not_fit(wheel: str, good: bool) -> None:
    assert fits(wheel, "311") is good


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_wheel_is_of_the_package_and_version_of_its_line(system: str) -> None:
    for name, version, wheel in wheels(system):
        if wheel.endswith(".whl"):
            project, number = wheel.split("-")[:2]
            assert (project.lower().replace("_", "-"), number) == (name, version)


@pytest.mark.parametrize("system", SYSTEMS)
def test_everything_that_a_robot_needs_is_listed(system: str) -> None:
    listed = {name for name, _, _ in wheels(system)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["device"]]
    missing = needed(asked, SYSTEMS[system]) - listed
    assert not missing, "run `make check-arm64`"
    for name in listed:
        assert needed(known(name), SYSTEMS[system]) <= listed, name


def known(name: str) -> list[str]:
    """Return what the installed version of a package asks for, without its extras; the board's other Python may have another."""
    try:
        return requires(name) or []
    except PackageNotFoundError:
        return []


def needed(asked: list[str], python: str) -> set[str]:
    """Return the names among `asked` that hold on a board with this Python."""
    board = {
        "python_version": f"3.{python[1:]}",
        "python_full_version": f"3.{python[1:]}.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "aarch64",
        "extra": "",
    }
    parsed = (Requirement(line) for line in asked)
    return {one.name.lower().replace("_", "-") for one in parsed if one.marker is None or one.marker.evaluate(board)}


def test_what_comes_from_debian_is_what_the_package_depends_on() -> None:
    recipe = (ROOT / "packaging" / "build-deb").read_text(encoding="utf-8")
    (depends,) = re.findall(r'^    depends="(libportaudio2.*)"$', recipe, re.MULTILINE)
    (said,) = re.findall(r"^From Debian itself come (.*)\.$", PAGE, re.MULTILINE)
    assert re.findall(r"`([\w-]+)`", said) == depends.split(", ")
