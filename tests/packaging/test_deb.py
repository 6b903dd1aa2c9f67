"""What is in the Debian packages; built here without their dependencies, which `make deb` fetches, at its lowest effort."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device import __version__
from device.config import load
from device.doctor.checks.computer import MEGABYTE
from device.errors import SettingsError
from device.messages.envelope import public_pem
from device.messages.releases import key_id
from device.update.fitness import objection
from device.update.staging import this_board
from device.update.trust import release_keys
from device.update.unpacking import unpack
from provisioning.releases import described

ROOT = Path(__file__).parents[2]
RELEASER = Ed25519PrivateKey.generate()


def run(*command: str | Path, **options: Any) -> str:
    done = subprocess.run([*map(str, command)], check=True, capture_output=True, text=True, timeout=120, **options)
    told: str = done.stdout
    return told.strip()


class Package:
    """One built package, unpacked."""

    def __init__(self, role: str, folder: Path) -> None:
        self.name = f"kaiwa-{role}"
        uv = Path(sys.executable).with_name("uv")
        mine = folder / "mine.pem"
        mine.write_text(public_pem(RELEASER.public_key()))
        environment = os.environ | {"UV": str(uv), "RELEASE_KEY": str(mine)}
        self.file = Path(run(ROOT / "packaging/build-deb", role, folder, "--bare", cwd=ROOT, env=environment))
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
        unit.name for unit in (ROOT / "systemd").glob(f"{package.name}*")
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


def test_the_guard_of_the_versions_is_beside_them_and_needs_nothing_of_theirs(packages: dict[str, Package]) -> None:
    device = packages["device"]
    guard = device.root / "opt/kaiwa-device/guard.py"
    run("/usr/bin/python3", "-I", "-S", guard, "start", env={"KAIWA_ROOT": str(device.root)})
    units = [unit.read_text() for unit in (device.root / "usr/lib/systemd/system").glob("kaiwa-device*.service")]
    assert sum(f"/usr/bin/python3 -I -S /{guard.relative_to(device.root)} " in unit for unit in units) == 2
    assert (device.root / "usr/share/doc/kaiwa-device/updating.md").exists()
    assert release_keys(device.root / "etc/kaiwa/release-keys").keys() == {key_id(RELEASER.public_key())}


def test_the_package_of_a_robot_is_what_is_released_for_robots(packages: dict[str, Package], tmp_path: Path) -> None:
    device = packages["device"]
    release = described(device.file, 0.0)
    assert (release.product, release.version) == ("kaiwa-device", __version__)
    assert objection(release, this_board()) == f"{__version__} is what runs here"
    assert objection(release, replace(this_board(), version="0.0.1")) == ""
    unpack(device.file, f"opt/kaiwa-device/versions/{__version__}", tmp_path / "there", release.unpacked)
    assert run(tmp_path / "there/bin/python", "-I", "-c", "import device; print(device.__version__)") == __version__
    there = {str(path.relative_to(tmp_path / "there")) for path in (tmp_path / "there").rglob("*")}
    assert there == {str(path.relative_to(device.home)) for path in device.home.rglob("*")}


def test_the_cloud_s_package_is_nothing_for_robots(packages: dict[str, Package]) -> None:
    with pytest.raises(SettingsError, match="kaiwa-cloud"):
        described(packages["cloud"].file, 0.0)


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
    kept = set((device.root / "DEBIAN/conffiles").read_text().split())
    assert kept == {"/etc/kaiwa/device.toml", "/etc/kaiwa/release-keys/mine.pem"}
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


def test_the_first_installation_enables_the_service_also_in_an_image_that_is_being_built(
    package: Package, tmp_path: Path
) -> None:
    script = (package.root / "DEBIAN/postinst").read_text().replace(f"/opt/{package.name}/switch", "true")
    (tmp_path / "postinst").write_text(script.replace("/run/systemd/system", str(tmp_path / "no-systemd")))
    (tmp_path / "systemctl").write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\n')
    (tmp_path / "systemctl").chmod(0o755)
    with_path = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    for before in ("", "0.0.9"):
        run("sh", tmp_path / "postinst", "configure", before, env=with_path)
    assert (tmp_path / "calls").read_text() == f"enable --quiet {package.name}.service\n"
