"""The newer versions that the virtual board is updated to can still be made of this tree."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from device import __version__
from device.messages.releases import order_of
from tests.board import versions
from tests.board.versions import Change, Kind


def unpacked(folder: Path, kind: Kind) -> tuple[Path, Path]:
    """Return an unpacked package in small, and where its program lies once it is of this kind."""
    place = "lib/python3.11/site-packages"
    program = folder / versions.HOME / __version__ / place
    (folder / "DEBIAN").mkdir(parents=True)
    (folder / "DEBIAN/control").write_text(f"Package: kaiwa-device\nVersion: {__version__}\nArchitecture: amd64\n")
    shutil.copytree(versions.ROOT / "device", program / "device", ignore=shutil.ignore_patterns("__pycache__"))
    return folder, folder / versions.HOME / versions.number(kind) / place


@pytest.mark.parametrize("kind", Kind)
def test_each_is_this_package_with_a_higher_number_and_its_fault(kind: Kind, tmp_path: Path) -> None:
    package, program = unpacked(tmp_path / "package", kind)
    versions.change(kind, package)
    number = versions.number(kind)
    assert order_of(number) > order_of(__version__)
    assert f"\nVersion: {number}\n" in (package / "DEBIAN/control").read_text()
    for change in versions.changes(kind):
        assert change.new in (program / change.file).read_text()
        assert Path(cache_from_source(str(program / change.file))).exists(), "the old one would be run"
    said = subprocess.run(
        [
            sys.executable,
            "-I",
            "-c",
            f"import sys; sys.path.insert(0, {str(program)!r}); import device; print(device.__version__)",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    assert said.stdout.strip() == number


def test_one_works_and_the_others_do_not() -> None:
    assert [bool(versions.BROKEN[kind]) for kind in Kind] == [False, True, True]


def test_a_passage_that_is_gone_is_missed(tmp_path: Path) -> None:
    (tmp_path / "some.py").write_text("pass\npass\n")
    for passage in ("raise", "pass"):
        with pytest.raises(ValueError, match=passage):
            Change("some.py", passage, "").made_in(tmp_path)


def test_a_package_is_found_by_its_number(tmp_path: Path) -> None:
    wanted = tmp_path / f"kaiwa-device_{versions.number(Kind.LOST)}_amd64.deb"
    wanted.touch()
    (tmp_path / f"kaiwa-device_{versions.number(Kind.LOST)}1_amd64.deb").touch()
    assert versions.package(Kind.LOST, tmp_path) == wanted
    with pytest.raises(FileNotFoundError, match=versions.number(Kind.WORKS)):
        versions.package(Kind.WORKS, tmp_path)
