"""A board in a folder: versions that are shell scripts, packages of such, and what systemd does with them."""

from __future__ import annotations

import io
import json
import lzma
import subprocess
import tarfile
import time
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.__main__ import main
from device.messages.envelope import KeySigner, public_pem
from device.messages.releases import key_id
from device.update import guard
from device.update.fetching import Local
from device.update.fitness import Board as Kind
from device.update.guard import Outcome
from device.update.staging import Staging, Wish, this_board
from device.update.trust import trusted
from provisioning.releases import beside, sign

PROGRAM: Final = """\
#!/bin/sh
case "$1" in
--version) echo "kaiwa-device {version}" ;;
config) exit {config} ;;
run) {run} ;;
esac
"""
WELL: Final = """sed -n 's/.*"id": "\\([^"]*\\)".*/\\1/p' {home}/trial | tr -d '\\n' >{healthy}"""
CRASHES: Final = "exit 1"
HANGS: Final = "exit 0"
"""Starts, and never says that it is well."""


def signer() -> tuple[KeySigner, str]:
    """Return a key that signs releases, and its PEM."""
    key = Ed25519PrivateKey.generate()
    return KeySigner(key_id(key.public_key()), key), public_pem(key.public_key())


def member(
    name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.size = kind, link, mode, len(data)
    return info, data


def archive(members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """Return a compressed tar archive."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return lzma.compress(packed.getvalue(), preset=0)


def ar(*parts: tuple[str, bytes]) -> bytes:
    """Return an archive as ar(5) has it."""
    found = b"!<arch>\n"
    for name, data in parts:
        found += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
    return found


class Said(NamedTuple):
    """What a command has said, and how it ended."""

    code: int
    out: str
    err: str


class Board:
    """One board with version 0.1.0 on it, and whoever releases versions for it."""

    def __init__(self, root: Path) -> None:
        self._find(root)
        (self.state / "update").mkdir(parents=True)
        self.signer, pem = signer()
        (root / "keys").mkdir()
        (root / "keys/release.pem").write_text(pem)
        self.config.write_text(f'state_dir = "{self.state}"\n{self.settings()}')
        self.installed("0.1.0", HANGS)
        guard.point(self.places.current, "versions/0.1.0")

    def _find(self, root: Path) -> None:
        self.root = root
        self.home = root / "opt/kaiwa-device"
        self.state = root / "var/lib/kaiwa"
        self.places = guard.Places(self.home, self.state / "update/healthy")
        self.kind: Kind = this_board()
        self.config = root / "device.toml"

    def keep_state_in(self, folder: Path) -> None:
        """Let the guard find the state of a robot that keeps it elsewhere."""
        (self.state / "update").rmdir()
        self.state.rmdir()
        self.state.symlink_to(folder)

    def settings(self) -> str:
        """Return the settings of a robot on this board."""
        folders = f'home = "{self.home}"\nkeys = "{self.root}/keys"\nprogress = "{self.root}/run/progress"\n'
        return f"[update]\n{folders}"

    def program(self, version: str, run: str = WELL, config: int = 0) -> str:
        run = run.format(home=self.home, healthy=self.places.healthy)
        return PROGRAM.format(version=version, run=run, config=config)

    def installed(self, version: str, run: str = WELL, where: str = "versions") -> str:
        """Put a version there, as a package's installation has."""
        program = self.home / where / version / guard.PROGRAM
        program.parent.mkdir(parents=True)
        program.write_text(self.program(version, run))
        program.chmod(0o755)
        return f"{where}/{version}"

    def package(
        self,
        version: str,
        run: str = WELL,
        *,
        config: int = 0,
        says: str = "",
        more: Iterable[tuple[tarfile.TarInfo, bytes]] = (),
    ) -> Path:
        """Return a package of a version, with its release beside it."""
        folder = f"./opt/kaiwa-device/versions/{version}"
        program = self.program(says or version, run, config).encode()
        data = archive(
            [
                member("./usr/lib/systemd/system/kaiwa-device.service", b"[Service]\n"),
                *(member(f"{folder}{part}", kind=tarfile.DIRTYPE, mode=0o755) for part in ("", "/bin", "/lib")),
                member(f"{folder}/bin/kaiwa-device", program, mode=0o755),
                member(f"{folder}/bin/python", kind=tarfile.SYMTYPE, link="/usr/bin/python3"),
                member(f"{folder}/lib64", kind=tarfile.SYMTYPE, link="lib"),
                member(f"{folder}/lib/some.py", b"pass\n"),
                *more,
            ]
        )
        control = (
            f"Package: kaiwa-device\nVersion: {version}\nArchitecture: {self.kind.architecture}\n"
            f"Depends: python3 (>= {self.kind.python}), python3 (<< 4)\n"
        )
        packed = ar(
            ("debian-binary", b"2.0\n"),
            ("control.tar.xz", archive([member("./control", control.encode())])),
            ("data.tar.xz", data),
        )
        path = self.root / f"kaiwa-device_{version}_{self.kind.architecture}.deb"
        path.write_bytes(packed)
        sign(path, self.signer, time.time())
        return path

    def wish(self, package: Path) -> Wish:
        """Return what is asked for, in the name of its version."""
        release = trusted(release_of(package).read_bytes(), self.root / "keys")
        return Wish(release.version, release, Local(package))

    def stage(self, package: Path | None = None) -> None:
        """Stage a package, as a board on which its predecessor runs."""
        found = package or next(self.root.glob("*.deb"))
        runs = replace(self.kind, version=self.current.rpartition("/")[2])
        Staging(self.places, runs, self.config, lambda _: None).stage(self.wish(found))

    @classmethod
    def again(cls, root: Path) -> Self:
        """Return a board that was there before the power was cut."""
        board = cls.__new__(cls)
        board._find(root)
        return board

    # What systemd does ------------------------------------------------------------------------------------------------

    def guard(self, verb: str, patience: float = 0.2) -> str:
        """Run the guard as the units do; return what it said."""
        done = subprocess.run(
            ["/usr/bin/python3", "-I", "-S", guard.__file__, verb],
            env={
                "KAIWA_ROOT": str(self.root),
                "KAIWA_TRIAL_SECONDS": str(patience),
                "PATH": f"{self.root}:/usr/bin:/bin",
            },
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        )
        return done.stderr

    def start(self) -> int:
        """Start the robot once, as its unit does; return its exit code."""
        self.guard("start")
        return subprocess.run([self.places.current / guard.PROGRAM, "run"], check=False, timeout=30).returncode

    def starts(self, most: int = 6) -> str:
        """Start it until it does not crash; return which version that is."""
        for _ in range(most):
            if self.start() == 0:
                return self.current
        raise AssertionError(f"{self.current} has crashed {most} times")

    def update(self, *words: str | Path) -> Said:
        """Run `kaiwa-device update`, in this process."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main(["update", "--config", str(self.config), *map(str, words)])
        return Said(code, out.getvalue(), err.getvalue())

    @property
    def current(self) -> str:
        return guard.target(self.places.current)

    @property
    def outcome(self) -> Outcome | None:
        return guard.read_outcome(self.places.outcome)

    def well(self, identity: str) -> None:
        """Say what a robot says that is well."""
        self.places.healthy.write_text(identity)


def release_of(package: Path) -> Path:
    """Return where the release of a package lies."""
    return beside(package)


def record(path: Path) -> dict[str, object]:
    """Return what stands in a file of JSON."""
    told: dict[str, object] = json.loads(path.read_text())
    return told


def stage(root: str) -> None:
    """What a power cut cuts."""
    Board.again(Path(root)).stage()
