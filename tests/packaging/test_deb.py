"""What is in the Debian packages; built here without their dependencies, which `make deb` fetches, at its lowest effort."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from device import __version__
from device.config import load
from device.doctor.checks.computer import MEGABYTE

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, **options: Any) -> str:
    done = subprocess.run([*map(str, command)], check=True, capture_output=True, text=True, timeout=120, **options)
    told: str = done.stdout
    return told.strip()


class Package:
    """One built package, unpacked."""

    def __init__(self, role: str, folder: Path) -> None:
        self.name = f"kaiwa-{role}"
        uv = Path(sys.executable).with_name("uv")
        self.file = Path(
            run(ROOT / "packaging/build-deb", role, folder, "--bare", cwd=ROOT, env=os.environ | {"UV": str(uv)})
        )
        self.root = folder / f"root-{role}"
        run("dpkg-deb", "-x", self.file, self.root)
        run("dpkg-deb", "-e", self.file, self.root / "DEBIAN")

    def field(self, name: str) -> str:
        return run("dpkg-deb", "-f", self.file, name)

    @property
    def home(self) -> Path:
        return self.root / "opt" / self.name / "versions" / __version__

    def files(self) -> list[Path]:
        return [path for path in self.root.rglob("*") if not path.is_dir()]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Package]:
    if not Path("/usr/bin/dpkg-deb").exists() or not Path("/usr/bin/python3").exists():
        pytest.skip("this is not Debian")
    folder = tmp_path_factory.mktemp("deb")
    try:
        return {role: Package(role, folder) for role in ("device", "cloud")}
    except subprocess.CalledProcessError as error:
        if "Failed to fetch" in error.stderr or "No solution found" in error.stderr:
            pytest.skip("the build backend cannot be fetched")
        pytest.fail(error.stderr)


@pytest.fixture(params=["device", "cloud"])
def package(request: pytest.FixtureRequest, packages: dict[str, Package]) -> Package:
    return packages[request.param]


def test_it_says_what_it_is(package: Package) -> None:
    assert package.field("Package") == package.name
    assert package.field("Version") == __version__
    assert package.field("Architecture") == run("dpkg", "--print-architecture")
    series = run("/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
    assert f"python3 (>= {series})" in package.field("Depends")


def test_units_and_command_are_there(package: Package) -> None:
    units = package.root / "usr/lib/systemd/system"
    assert {unit.name for unit in units.iterdir()} == {
        unit.name for unit in (ROOT / "systemd").glob(f"{package.name}*.service")
    }
    assert (package.root / "usr/bin" / package.name).readlink() == Path(
        f"/opt/{package.name}/current/bin", package.name
    )


def test_what_the_unit_starts_is_in_the_package(package: Package) -> None:
    unit = (package.root / f"usr/lib/systemd/system/{package.name}.service").read_text()
    program = next(line for line in unit.splitlines() if line.startswith("ExecStart=")).removeprefix("ExecStart=")
    within = program.split()[0].replace(f"/opt/{package.name}/current", str(package.home))
    assert os.access(within, os.X_OK)
    assert [path.name for path in (package.home / "bin").iterdir() if not path.is_symlink()] == [package.name]


def test_the_environment_works_wherever_it_lies(packages: dict[str, Package], tmp_path: Path) -> None:
    moved = packages["device"].home.rename(tmp_path / "elsewhere")
    try:
        found = run(moved / "bin/python", "-I", "-c", "import device; print(device.__file__)")
        assert Path(found).is_relative_to(moved)
        first = (moved / "bin/kaiwa-device").read_text().splitlines()[0]
        assert first == "#!/bin/sh"
    finally:
        moved.rename(packages["device"].home)


def test_nothing_names_the_place_it_was_built_in(package: Package) -> None:
    here = str(ROOT).encode()
    assert not [path for path in package.files() if not path.is_symlink() and here in path.read_bytes()]


def test_modules_are_compiled_and_stay_so_whatever_the_times_of_files(package: Package) -> None:
    compiled = [path for path in package.files() if path.suffix == ".pyc"]
    assert len(compiled) > 100
    assert {int.from_bytes(path.read_bytes()[4:8], "little") for path in compiled} == {1}  # PEP 552: unchecked hash


def test_files_belong_to_root_and_only_to_be_read(package: Package) -> None:
    for line in run("dpkg-deb", "-c", package.file).splitlines():
        mode, owner, *_ = line.split()
        assert owner == "root/root"
        assert mode.startswith("l") or mode[5] == mode[8] == "-", line


def test_settings_are_kept_over_updates_and_can_be_read(packages: dict[str, Package]) -> None:
    device = packages["device"]
    assert (device.root / "DEBIAN/conffiles").read_text() == "/etc/kaiwa/device.toml\n"
    load(device.root / "etc/kaiwa/device.toml")
    assert (packages["cloud"].root / "etc/kaiwa/credentials").stat().st_mode & 0o777 == 0o700


def test_the_scripts_of_the_package_are_sound(package: Package) -> None:
    for name in ("preinst", "postinst", "prerm", "postrm"):
        script = package.root / "DEBIAN" / name
        assert "@" not in script.read_text().replace('"$@"', "")
        assert os.access(script, os.X_OK)
        run("sh", "-n", script)


def test_nothing_is_fetched_when_it_starts(package: Package) -> None:
    texts = [package.root / "DEBIAN" / name for name in ("preinst", "postinst")]
    texts += list((package.root / "usr/lib/systemd/system").iterdir())
    for text in texts:
        assert not {"pip", "curl", "wget", "apt-get", "uv "} & set(text.read_text().split())


def test_a_package_without_its_libraries_is_small(package: Package) -> None:
    assert package.file.stat().st_size < 5 * MEGABYTE
