"""The folder of the state: for whom it is closed, and what in it the robot could not use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from device.audio.echo import EchoMode
from device.calibrate.keep import keep
from device.doctor.checks.state import TOLD, StateFacts, check
from device.doctor.examine import examine
from device.doctor.gather.state import gather
from device.durably import write_durably
from device.instance import LOCK, only_one
from device.record.settings import RecordSettings
from device.record.shelf import Shelf
from tests.device.doctor.test_examine import QUICK, settings

NOBODY = 65_534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@contextmanager
def somebody_else() -> Iterator[None]:
    """Be an account that is not the robot's; who is not root is one already, and has closed the folder to itself."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def locked() -> Iterator[Path]:
    """A folder that can be seen, and is the robot's own."""
    with TemporaryDirectory() as top:
        Path(top).chmod(0o755)
        folder = Path(top) / "state"
        folder.mkdir()
        folder.chmod(0o000)
        yield folder
        folder.chmod(0o700)


def codes(facts: StateFacts) -> list[str]:
    return [finding.phrase.code for finding in check(facts)]


def test_a_folder_of_one_s_own_or_none_yet_needs_no_word(tmp_path: Path) -> None:
    (tmp_path / "update").mkdir()
    (tmp_path / "update/healthy").touch()
    for folder in (tmp_path, tmp_path / "none"):
        assert gather(folder) == StateFacts(str(folder), gather(folder).user, closed=False, foreign=())
        assert check(gather(folder)) == []


async def test_who_may_not_look_hears_that_and_not_that_card_and_enrolment_are_broken(locked: Path) -> None:
    with somebody_else():
        for folder in (locked, locked / "deeper"):
            assert codes(gather(folder)) == ["state.closed"]
        found = [finding.phrase.code for finding in await examine(settings(locked), QUICK)]
    assert "state.closed" in found
    assert not {code.partition(".")[0] for code in found} & {"disk", "record", "identity", "broker", "doctor"}


@needs_root
def test_a_folder_that_this_user_may_not_even_make_is_closed(locked: Path) -> None:
    with somebody_else():
        assert codes(gather(locked.parent / "none" / "yet")) == ["state.closed"]
    assert codes(gather(locked.parent / "none" / "yet")) == []


@needs_root
def test_what_root_has_left_to_itself_is_named_for_the_robot_cannot_read_it(tmp_path: Path) -> None:
    os.chown(tmp_path, NOBODY, NOBODY)
    (tmp_path / "records").mkdir()
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "enrolment.json").touch()
    facts = gather(tmp_path)
    assert facts.foreign == ("enrolment.json", "records")
    (finding,) = check(facts)
    assert finding.text("en").endswith("cannot use it: enrolment.json, records")
    assert f"chown -R --reference={tmp_path}/. {tmp_path}/." in finding.fix("ja")


def test_of_many_files_a_few_are_named() -> None:
    (finding,) = check(StateFacts("/s", "root", closed=False, foreign=tuple("abcdef")))
    assert finding.values["files"] == f"a, b, c (+ {6 - TOLD})"


@needs_root
def test_what_root_writes_into_the_robot_s_folder_is_the_robot_s(tmp_path: Path) -> None:
    os.chown(tmp_path, NOBODY, NOBODY)
    (tmp_path / "device.toml").touch()
    write_durably(tmp_path / "deep" / "er" / "file", b"x")
    with only_one(tmp_path):
        pass
    Shelf(RecordSettings(), tmp_path).check_room()
    keep(tmp_path / "device.toml", EchoMode.NONE, "today")
    made = {str(path.relative_to(tmp_path)): path.stat().st_uid for path in tmp_path.rglob("*")}
    assert made == dict.fromkeys(["deep", "deep/er", "deep/er/file", LOCK, "records", "device.toml"], NOBODY)
    assert gather(tmp_path).foreign == ()
