"""What comes out of a package, and what never does."""

from __future__ import annotations

import io
import tarfile
from contextlib import suppress
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import UpdateError
from device.messages.packages import section
from device.update import unpacking
from device.update.unpacking import leads_within, unpack, within
from tests.device.update.board import ar, archive, member

FOLDER = "opt/it"
PART = st.sampled_from(["..", ".", "opt", "it", "lib", "", "etc", "a b", "é"])
PATH = st.lists(PART, max_size=7).map("/".join)


def package(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    path.write_bytes(ar(("debian-binary", b"2.0\n"), ("data.tar.xz", archive(members))))
    return path


@given(PATH)
def test_a_name_leads_below_the_folder_or_nowhere(name: str) -> None:
    try:
        inside = within(name, PurePosixPath(FOLDER))
    except UpdateError:
        assert ".." in name.split("/")
    else:
        assert inside is None or (".." not in inside.parts and not inside.is_absolute())


@given(PATH, PATH)
def test_a_link_never_leaves_the_folder(inside: str, target: str) -> None:
    place = PurePosixPath("x" + inside.replace("..", "up"))
    if leads_within(place, target):
        reached = list[str]()
        for part in PurePosixPath("root", place.parent, target).parts:
            reached = reached[:-1] if part == ".." else [*reached, part]
            assert reached[:1] == ["root"]


@pytest.mark.parametrize(
    ("target", "good"),
    [
        ("/usr/bin/python3", True),
        ("/usr/bin/python3.11", True),
        ("/usr/bin/python3/../../../etc/passwd", False),
        ("/usr/bin/python3\n", False),
        ("/etc/passwd", False),
        ("..", True),
        ("../..", False),
        ("../../x", False),
        ("../lib/../bin", False),
        ("lib/..", False),
        ("./x", True),
        (".././lib", True),
    ],
)
def test_of_links_out_of_it_there_is_one(target: str, good: bool) -> None:
    assert leads_within(PurePosixPath("bin/python"), target) is good


def test_files_folders_and_links_come_out_and_nothing_else_of_them(tmp_path: Path) -> None:
    suid = member("./opt/it/bin/run", b"#!/bin/sh\n", mode=0o4777)
    suid[0].uid, suid[0].mtime = 12345, 1
    there = package(
        tmp_path / "deb",
        member("./etc/evil", b"not ours"),
        member("./opt/it/", kind=tarfile.DIRTYPE),
        member("./opt/it/bin", kind=tarfile.DIRTYPE, mode=0o777),
        suid,
        member("./opt/it/bin/same", kind=tarfile.LNKTYPE, link="./opt/it/bin/run"),
        member("./opt/it/bin/python", kind=tarfile.SYMTYPE, link="/usr/bin/python3"),
    )
    unpack(there, FOLDER, tmp_path / "out", 100_000)
    out = tmp_path / "out"
    assert {str(path.relative_to(out)) for path in out.rglob("*")} == {"bin", "bin/run", "bin/same", "bin/python"}
    run = (out / "bin/run").stat()
    assert (run.st_mode & 0o7777, run.st_uid == 12345, run.st_mtime > 1) == (0o755, False, True)
    assert (out / "bin").stat().st_mode & 0o777 == 0o755
    assert (out / "bin/same").samefile(out / "bin/run")
    assert (out / "bin/python").readlink() == Path("/usr/bin/python3")


LIB = member("./opt/it/lib", kind=tarfile.SYMTYPE, link=".")


@pytest.mark.parametrize(
    "members",
    [
        [member("./opt/it/a", kind=tarfile.SYMTYPE, link="/etc/passwd")],
        [member("./opt/it/a", kind=tarfile.LNKTYPE, link="./etc/passwd")],
        [member("./opt/it/a", kind=tarfile.LNKTYPE, link="./opt/it/../../etc/passwd")],
        [member("./opt/it/a", kind=tarfile.FIFOTYPE)],
        [member("./opt/it/a", kind=tarfile.CHRTYPE)],
        [member("./opt/it/../a", b"x")],
        [member("./opt/it/a/b", b"x")],
        [LIB, member("./opt/it/lib/evil", b"x")],
        [LIB, member("./opt/it/lib", b"x")],
        [member("./opt/it/a", b"x"), member("./opt/it/a", b"y")],
        [member("./opt/it/a", b"x" * 30_000)],
        [member(f"./opt/it/{n}") for n in range(6)],
        [member("./etc/only", b"x")],
    ],
)
def test_what_does_not_belong_there_ends_it(tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    there = package(tmp_path / "deb", *members)
    with pytest.raises((UpdateError, FileExistsError)):
        unpack(there, FOLDER, tmp_path / "out", 20_000)
    assert {path.name for path in tmp_path.iterdir()} == {"deb", "out"}


@pytest.mark.parametrize(
    ("kind", "link", "why"),
    [
        (tarfile.SYMTYPE, "a/b/up/../etc/passwd", "leads out of its folder"),
        (tarfile.LNKTYPE, "./opt/it/a/b/up", "a second name of a link"),
    ],
)
def test_a_link_that_stays_in_the_folder_helps_no_other_one_out(
    tmp_path: Path, kind: bytes, link: str, why: str
) -> None:
    folders = [member(f"./opt/it/{name}", kind=tarfile.DIRTYPE) for name in ("a", "a/b")]
    up = member("./opt/it/a/b/up", kind=tarfile.SYMTYPE, link="../..")
    unpack(package(tmp_path / "good", *folders, up), FOLDER, tmp_path / "kept", 100_000)
    assert (tmp_path / "kept/a/b/up").resolve() == tmp_path / "kept"
    bad = package(tmp_path / "bad", *folders, up, member("./opt/it/out", kind=kind, link=link))
    with pytest.raises(UpdateError, match=why):
        unpack(bad, FOLDER, tmp_path / "out", 100_000)
    assert not (tmp_path / "out/out").is_symlink()


PLACES = ["a", "a/b", "a/b/c", "a/b/c/d", "e", "f"]
STEPS = st.lists(st.sampled_from(["..", "..", "a", "b", "c", "d", "e", "f"]), min_size=1, max_size=6).map("/".join)
MADE = st.tuples(st.sampled_from(PLACES), st.sampled_from([tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE]), STEPS)


@given(st.lists(MADE, min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_no_link_leads_out_of_the_folder_however_links_stand_one_behind_another(
    made: list[tuple[str, bytes, str]],
) -> None:
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        members = [
            member(f"./opt/it/{name}", kind=kind, link=f"./opt/it/{link}" if kind == tarfile.LNKTYPE else link)
            for name, kind, link in made
        ]
        with suppress(UpdateError, OSError):
            unpack(package(Path(folder) / "deb", *members), FOLDER, out, 200_000)
        for path in out.rglob("*"):
            with suppress(RuntimeError, OSError):  # a link to itself leads nowhere
                assert path.resolve(strict=False).is_relative_to(out.resolve())


@given(st.binary(max_size=200))
def test_bytes_that_are_no_package_are_named_so(data: bytes) -> None:
    with pytest.raises(UpdateError, match="not a Debian package"):
        section(io.BytesIO(data), "data.tar")
    with pytest.raises(UpdateError, match="not a Debian package"):
        section(io.BytesIO(b"!<arch>\n" + data), "data.tar")


@pytest.mark.parametrize("cut", [8, 30, 68, 75, 140, 200])
def test_a_package_that_ends_early_is_damaged(tmp_path: Path, cut: int) -> None:
    whole = package(tmp_path / "deb", member("./opt/it/a", bytes(range(256)) * 40)).read_bytes()
    (tmp_path / "deb").write_bytes(whole[:cut])
    with pytest.raises(UpdateError):
        unpack(tmp_path / "deb", FOLDER, tmp_path / "out", 100_000)


def test_a_package_with_ever_so_many_small_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MOST_MEMBERS", 3)
    many = [member(f"./{FOLDER}/{number}") for number in range(5)]
    with pytest.raises(UpdateError, match="more than its release says"):
        unpack(package(tmp_path / "it.deb", *many), FOLDER, tmp_path / "new", 10**9)
