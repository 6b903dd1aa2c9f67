"""Resolves what the device needs for 64-bit ARM, on the Pythons of Bookworm and Trixie, and writes docs/arm64.md.

Fails when a package has neither a wheel nor a place among those that are compiled. Run by `make check-arm64`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
SYSTEMS: Final = {"Bookworm": ("3.11", 36), "Trixie": ("3.13", 41)}
"""Python of each, and the minor version of its C library, glibc 2.x."""
COMPILED: Final = {"pyaudio": "compiled by `make deb` (portaudio19-dev), some seconds"}
OLDEST_GLIBC: Final = 17


def main() -> int:
    """Resolve, write the page, and return the exit code."""
    found = {system: _wheels(system, python, glibc) for system, (python, glibc) in SYSTEMS.items()}
    (ROOT / "docs/arm64.md").write_text(_page(found), encoding="utf-8")
    print(f"docs/arm64.md: {', '.join(f'{len(wheels)} packages for {system}' for system, wheels in found.items())}")
    return 0


def _wheels(system: str, python: str, glibc: int) -> dict[str, tuple[str, str]]:
    """Return version and file of each package, in the order of their names; end the program where there is none.

    pip holds a wheel's `Requires-Python` against the Python it runs on, so that is left to uv, which resolves for `python`.
    """
    with tempfile.TemporaryDirectory() as folder:
        pins = _resolved(system, python, glibc)
        report = Path(folder) / "report.json"
        wanted = [pin for pin in pins if pin.partition("==")[0] not in COMPILED]
        platforms = [f"--platform=manylinux_2_{minor}_aarch64" for minor in range(glibc, OLDEST_GLIBC - 1, -1)]
        _run(
            system, sys.executable, "-m", "pip", "install", "-qq", "--dry-run", "--no-deps", "--only-binary=:all:",
            "--disable-pip-version-check", "--ignore-requires-python", f"--target={folder}/none", f"--report={report}",
            f"--python-version={python}", "--implementation=cp", "--platform=manylinux2014_aarch64", *platforms, *wanted,
        )  # fmt: skip
        files = {_name(entry): Path(entry["download_info"]["url"]).name for entry in _report(report)["install"]}
    return {
        name: (version, COMPILED.get(name) or files[name]) for name, _, version in (pin.partition("==") for pin in pins)
    }


def _name(entry: Any) -> str:
    return str(entry["metadata"]["name"]).lower().replace("_", "-")


def _resolved(system: str, python: str, glibc: int) -> list[str]:
    """Return `name==version` of everything the device needs there, as constraints.txt pins it."""
    built = [option for name in COMPILED for option in ("--no-binary", name)]
    text = _run(
        system, Path(sys.executable).with_name("uv"), "pip", "compile", "pyproject.toml", "--extra", "device", "--quiet",
        "--constraints", "constraints.txt", "--python-version", python, "--no-header", "--no-annotate",
        "--python-platform", f"aarch64-manylinux_2_{min(glibc, 40)}", "--only-binary", ":all:", *built,
    )  # fmt: skip
    return [line.split()[0] for line in text.splitlines() if "==" in line]


def _report(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _run(system: str, *command: object) -> str:
    done = subprocess.run([*map(str, command)], cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{system}: not everything that a board needs has a wheel for 64-bit ARM or is compiled; see above")
    return done.stdout


def _page(found: dict[str, dict[str, tuple[str, str]]]) -> str:
    lines = [
        "# Wheels for 64-bit ARM",
        "",
        "Written by `make check-arm64`, which fails when one is missing. Everything a robot needs, at the versions of",
        "`constraints.txt`, on the Pythons of Raspberry Pi OS Bookworm (3.11, glibc 2.36) and Trixie (3.13, glibc 2.41).",
        "From Debian itself come `libportaudio2`, `libopus0`, `libasound2-plugins` and `alsa-utils`.",
    ]
    for system, wheels in found.items():
        lines += ["", f"## {system}", "", "| package | version | from |", "|---|---|---|"]
        lines += [f"| {name} | {version} | {wheel} |" for name, (version, wheel) in wheels.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
