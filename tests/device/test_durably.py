"""Whatever writes the robot's state, the power may be cut at any moment of it: the state is the old one or the new one.

A disk forgets at a power cut what it was not told to keep: the bytes of a file that was not fsynced, and a new name in a
folder that was not. A trace of what a writer tells the disk shows both. Then each writer is really cut short, before and
after each thing that it asks of the operating system, and whoever reads the file afterwards must still understand it.
"""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from device.audio.echo import EchoMode
from device.calibrate.keep import keep
from device.claiming import USED, Claims
from device.config import load
from device.durably import write_durably
from device.identity import Identity, keep_enrolment, keep_key
from device.messages.enrolment import BrokerAddress, Enrolment
from device.orders import Journal
from device.record.folder import read_manifest, write_manifest
from provisioning.authority import Authority
from tests.device.record.shelves import manifest

NOW = 1_800_000_000.0


class PowerCut(BaseException):
    """Everything stops here."""


class Disk:
    """What has been told to the disk, by number of the file and by name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.synced: dict[int, bytes] = {}
        self.pending: set[Path] = set()
        self.renamed: set[Path] = set()
        self._folder = folder
        self._fsync, self._replace = os.fsync, Path.replace
        monkeypatch.setattr(os, "fsync", self.fsync)
        monkeypatch.setattr(Path, "replace", lambda source, target: self.replace(source, Path(target)))

    def fsync(self, number: int) -> None:
        status = os.fstat(number)
        if stat.S_ISDIR(status.st_mode):
            self.pending = {path for path in self.pending if path.parent.stat().st_ino != status.st_ino}
        else:
            self.synced[status.st_ino] = Path(f"/proc/self/fd/{number}").read_bytes()
        self._fsync(number)

    def replace(self, source: Path, target: Path) -> Path:
        assert self.synced.get(source.stat().st_ino) == source.read_bytes(), f"{target} is named before it is kept"
        self.pending.add(target)
        self.renamed.add(target)
        return self._replace(source, target)


@dataclass(frozen=True)
class Writer:
    """One that changes the state in a folder, and what whoever reads it sees."""

    prepare: Callable[[Path], object]
    write: Callable[[Path], object]
    read: Callable[[Path], object]


KEY, FRESH = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))


@cache
def enrolment(device: str) -> Enrolment:
    """Return what a cloud, the same one at each call, gave `device`, whose key is `KEY` for robot-1 and else `FRESH`."""
    key = KEY if device == "robot-1" else FRESH
    cloud = authority()
    certificate = cloud.chained(cloud.issue_device(key.public_key(), device, NOW, 30)).decode()
    return Enrolment(
        device=device,
        certificate=certificate,
        authority=cloud.root_pem,
        broker=BrokerAddress(host="127.0.0.1", port=8883),
        mint_kid=cloud.mint_signer.kid,
        mint_key=cloud.mint_pem,
        operators={},
        server_time=NOW,
    )


@cache
def authority() -> Authority:
    with TemporaryDirectory() as folder:
        return Authority.open(Path(folder), ("127.0.0.1",), NOW)


def enrol(folder: Path, key: ec.EllipticCurvePrivateKey, device: str) -> None:
    keep_key(folder, key)
    keep_enrolment(folder, enrolment(device))


def ids(folder: Path) -> list[str]:
    return list(Journal(folder / "orders")._known)


SETTINGS = '# mine\n[echo]\nmode = "none"\n'

WRITERS = {
    "the journal of orders": Writer(
        lambda folder: Journal(folder / "orders").record("a"),
        lambda folder: Journal(folder / "orders").record("b"),
        ids,
    ),
    "the identity": Writer(
        lambda folder: enrol(folder, KEY, "robot-1"),
        lambda folder: enrol(folder, FRESH, "robot-2"),
        lambda folder: Identity.load(folder, NOW + 60).device,
    ),
    "the claims that were used": Writer(
        lambda folder: Claims((), folder).use_up("one"),
        lambda folder: Claims((), folder).use_up("two"),
        lambda folder: (folder / USED).read_text().split(),
    ),
    "the settings, by calibration": Writer(
        lambda folder: (folder / "device.toml").write_text(SETTINGS),
        lambda folder: keep(folder / "device.toml", EchoMode.AEC3, "now"),
        lambda folder: load(folder / "device.toml").echo.mode,
    ),
    "the manifest of a record": Writer(
        lambda folder: write_manifest(folder, manifest()),
        lambda folder: write_manifest(folder, msgspec.structs.replace(manifest(), seconds=9.0)),
        lambda folder: read_manifest(folder).seconds,
    ),
}
each_writer = pytest.mark.parametrize("writer", WRITERS.values(), ids=list(WRITERS))


def prepared(folder: Path, writer: Writer) -> Path:
    board = folder / "board"
    board.mkdir(parents=True)
    writer.prepare(board)
    return board


@each_writer
def test_nothing_gets_its_name_before_it_is_on_the_disk_and_the_name_is_kept_too(
    writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = prepared(tmp_path, writer)
    before = contents(board)
    with monkeypatch.context() as patched:
        disk = Disk(patched, board)
        writer.write(board)
    assert disk.renamed
    assert not disk.pending, "on return the names are on the disk, too"
    changed = {path for path, data in contents(board).items() if before.get(path) != data}
    assert changed <= disk.renamed, "nothing is changed in its place"


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.iterdir()}


@contextmanager
def power_cut(monkeypatch: pytest.MonkeyPatch, at: int, *, after: bool) -> Iterator[None]:
    """Cut the power before or after the thing number `at` that is asked of the operating system."""
    asked = itertools.count()

    def cut_short(original: Callable[..., Any]) -> Callable[..., Any]:
        def ask(*arguments: Any, **options: Any) -> Any:
            mine = next(asked) == at
            if mine and not after:
                raise PowerCut
            answer = original(*arguments, **options)
            if mine:
                raise PowerCut
            return answer

        return ask

    with monkeypatch.context() as patched:
        for owner, name in ((os, "open"), (os, "fchmod"), (os, "fsync"), (Path, "replace"), (Path, "unlink")):
            patched.setattr(owner, name, cut_short(getattr(owner, name)))
        yield


@each_writer
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_cut_short_anywhere_it_can_be_read_and_written_again(
    writer: Writer, after: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    for at in itertools.count():
        board = prepared(tmp_path / str(at), writer)
        old = writer.read(board)
        cut = False
        try:
            with power_cut(monkeypatch, at, after=after):
                writer.write(board)
        except PowerCut:
            cut = True
        if not seen:
            seen.append(old)
        if (now := writer.read(board)) not in seen:
            seen.append(now)
        if not cut:
            break
        writer.write(board)
        assert writer.read(board) != old, "what was cut short is no obstacle"
    assert at >= 5
    assert len(seen) == 2, "the old one and the new one, and no third"


def test_a_disk_that_is_full_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_durably(path, b"old", 0o640)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640

    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_durably(path, b"new")
    assert path.read_bytes() == b"old"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_writes_can_be_read_by_the_service_whose_folder_it_is(tmp_path: Path) -> None:
    board = tmp_path / "board"
    board.mkdir()
    os.chown(board, 61184, 61185)
    enrol(board, KEY, "robot-1")
    for path in board.iterdir():
        status = path.stat()
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (61184, 61185, 0o600), path.name


def test_a_link_that_lies_in_the_way_is_not_followed(tmp_path: Path) -> None:
    shadow = tmp_path / "shadow"
    shadow.write_text("of the system")
    (tmp_path / ".state.new").symlink_to(shadow)
    with pytest.raises(OSError, match="symbolic links"):
        write_durably(tmp_path / "state", b"ours")
    assert shadow.read_text() == "of the system"
