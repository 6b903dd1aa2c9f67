"""The board's disk: a base that is built once for each state of its recipe, and the package in it.

Kept outside of the repository, in `$XDG_CACHE_HOME/kaiwa/board`, by the content of what they are made of.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.board import versions

HERE: Final = Path(__file__).parent
ROOT: Final = versions.ROOT
SUITE: Final = "bookworm"
DAY: Final = "1764115200"


class ImageError(Exception):
    """The image cannot be built here; with what to do."""


@dataclass(frozen=True, slots=True)
class Image:
    """What a machine starts from, and what it may become."""

    base: Path
    disk: Path
    package: Path
    newer: Path
    """Folder of newer versions of the package (`tests.board.versions`)."""
    release_key: Path
    """The key that signs releases; the package has its public half pinned."""

    @property
    def kernel(self) -> Path:
        """The kernel of the base."""
        return self.base / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """Its initial RAM disk."""
        return self.base / "initrd.img"

    @property
    def versions(self) -> list[str]:
        """Name and version of the parts that matter, a line each."""
        return (self.base / "versions").read_text(encoding="ascii").splitlines()


def built(*, with_newer: bool) -> Image:
    """Return the image of what is in the work tree, and build what is missing of it; newer versions only where wanted.

    Raises:
        ImageError: it cannot be built on this machine.
    """
    if os.geteuid() != 0:
        raise ImageError("the board's disk is made with debootstrap and its network with a tap device: run it as root")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kaiwa" / "board"
    base = _base(cache)
    release_key = _release_key(cache)
    package = _package(cache / "package", release_key)
    recipe = [*_files(HERE / "rootfs"), HERE / "build-image"]
    disk = cache / f"image-{_key([*recipe, package], base.name)}.img"
    if not disk.exists():
        _forget(cache, "image-*")
        _say(f"installing {package.name} in it")
        _run([HERE / "build-image", base, package, disk], cache / "image.log")
    newer = cache / f"newer-{_key([package, Path(versions.__file__)], base.name)}"
    if with_newer and not newer.exists():
        _forget(cache, "newer-*")
        _newer(package, newer)
    return Image(base, disk, package, newer, release_key)


def _base(cache: Path) -> Path:
    base = cache / f"base-{_key([HERE / 'build-base', *_files(HERE / 'modules')], SUITE)}"
    if not (base / "rootfs.tar").exists():
        _forget(cache, "base-*")
        base.mkdir(parents=True)
        _say("building Debian with a kernel for the board: about five minutes, once")
        _run([HERE / "build-base", base, mirror()], cache / "base.log")
    return base


def _release_key(cache: Path) -> Path:
    key = cache / "kaiwa-release.key"
    if not key.exists():
        cache.mkdir(parents=True, exist_ok=True)
        new_key: list[str | Path] = [
            sys.executable,
            "-m",
            "provisioning",
            "release",
            "new-key",
            "--out",
            key.with_suffix(""),
        ]
        _run(new_key, cache / "key.log")
    return key


def _package(folder: Path, release_key: Path) -> Path:
    _forget(folder, "*.deb")
    _say("building the package")
    folder.mkdir(parents=True, exist_ok=True)
    build: list[str | Path] = [ROOT / "packaging" / "build-deb", "device", folder]
    _run(build, folder.parent / "package.log", RELEASE_KEY=str(release_key.with_suffix(".pem")))
    [package] = folder.glob("*.deb")
    return package


def _newer(package: Path, folder: Path) -> None:
    """Build the newer versions; they are there only when all are."""
    fresh = folder.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    for kind in versions.Kind:
        _say(f"building {versions.number(kind)}, which {kind.value}")
        versions.build(kind, package, fresh)
    fresh.rename(folder)


def mirror() -> str:
    """Return the mirror of Debian that this machine installs from.

    Raises:
        ImageError: it installs from none of this suite, whose Python the package would not fit.
    """
    asked = ["apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"]
    said = subprocess.run(asked, check=True, capture_output=True, text=True, timeout=60).stdout
    for codename, component, address in (line.split() for line in said.splitlines()):
        if (codename, component) == (SUITE, "main"):
            return address
    raise ImageError(f"this machine does not install from Debian {SUITE}, for which the board is built")


def _key(files: Iterable[Path], more: str) -> str:
    digest = hashlib.sha256(more.encode())
    for file in files:
        digest.update(f"{file.name}\0{file.stat().st_mode & 0o111}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _forget(folder: Path, pattern: str) -> None:
    for old in folder.glob(pattern):
        shutil.rmtree(old) if old.is_dir() else old.unlink()


def _run(command: list[str | Path], log: Path, **environment: str) -> None:
    # Packed less tightly, with the same in it; and of one day, for a commit alone makes no other package.
    quickly = os.environ | {"KAIWA_DEB_LEVEL": "1", "SOURCE_DATE_EPOCH": DAY} | environment
    with log.open("wb") as out:
        done = subprocess.run(command, check=False, cwd=ROOT, env=quickly, stdout=out, stderr=subprocess.STDOUT)
    if done.returncode:
        raise ImageError(
            f"{Path(command[0]).name} failed; the end of {log}:\n" + log.read_text(errors="replace")[-2000:]
        )


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
