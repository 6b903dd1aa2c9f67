"""docs/arm64.md is of the versions that are installed, and has a wheel for a board's processor and Python in every line.

`make check-arm64` asks the registry, and CI runs it; this needs no network.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "arm64.md").read_text(encoding="utf-8")
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")
SYSTEMS = {"Bookworm": "311", "Trixie": "313"}


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
    return made_for and ("aarch64" in platform or platform == "any")


@pytest.mark.parametrize(
    ("wheel", "good"),
    [
        ("x-1.0-py3-none-any.whl", True),
        ("x-1.0-py2.py3-none-any.whl", True),
        ("x-1.0-cp311-abi3-manylinux_2_28_aarch64.whl", True),
        ("x-1.0-cp312-cp312-manylinux_2_28_aarch64.whl", False),
        ("x-1.0-cp313-abi3-manylinux_2_28_aarch64.whl", False),
        ("x-1.0-cp311-cp311-manylinux_2_28_x86_64.whl", False),
        ("x-1.0.tar.gz", False),
        ("", False),
    ],
)
def test_a_wheel_for_another_python_or_processor_does_not_fit(wheel: str, good: bool) -> None:
    assert fits(wheel, "311") is good
