"""From a release to a version that waits: what is refused, and that nothing half done is ever started."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import pytest

from device.errors import UpdateError
from device.update import guard, staging
from device.update.fetching import Intake, Local
from device.update.guard import read_trial
from device.update.staging import Staging
from tests.device.update.board import CRASHES, Board, Said, member, release_of, signer
from tests.device.update.cuts import cut


def refused(board: Board, said: Said, why: str) -> None:
    assert said.code == 1, said.out
    assert why in said.err
    assert not board.places.staged.exists()
    assert board.current == "versions/0.1.0"


@pytest.mark.parametrize(
    ("version", "why"), [("0.1.0", "is what runs"), ("0.0.9", "older than 0.1.0"), ("0.1", "is what runs")]
)
def test_only_a_newer_version_is_taken_over(board: Board, version: str, why: str) -> None:
    refused(board, board.update(board.package(version)), why)


def test_an_older_one_is_for_who_is_root_here_and_says_so(board: Board) -> None:
    assert board.update(board.package("0.0.9"), "--downgrade").code == 0


def test_a_release_by_another_key_is_none(board: Board) -> None:
    board.signer, _ = signer()
    refused(board, board.update(board.package("0.2.0")), "unknown key")


def test_nobody_is_trusted_until_root_says_whom(board: Board, tmp_path: Path) -> None:
    kept = (tmp_path / "keys/release.pem").rename(tmp_path / "mine.pem")
    package = board.package("0.2.0")
    refused(board, board.update(package), "holds no key")
    assert board.update("--trust", kept).out == f"releases by {board.signer.kid} are taken over from now on\n"
    assert board.update(package).code == 0


def test_what_is_no_key_is_not_trusted(board: Board, tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("-----BEGIN NONSENSE-----")
    assert board.update("--trust", tmp_path / "no.pem").code == 1
    (tmp_path / "keys/no.pem").write_text("nonsense")
    refused(board, board.update(board.package("0.2.0")), "no.pem")


@pytest.mark.parametrize("cut_off", [0, 1, -1, -100])
def test_a_package_that_was_cut_off_or_grew_is_refused(board: Board, cut_off: int) -> None:
    package = board.package("0.2.0")
    data = package.read_bytes()
    package.write_bytes(data[:cut_off] if cut_off <= 0 else data + b"x")
    refused(board, board.update(package), "the package")


@pytest.mark.parametrize("place", [0.0, 0.3, 0.7, 0.99])
def test_a_package_with_one_other_bit_is_refused(board: Board, place: float) -> None:
    package = board.package("0.2.0")
    data = bytearray(package.read_bytes())
    data[int(len(data) * place)] ^= 1
    package.write_bytes(data)
    refused(board, board.update(package), "its hash is another")


def test_a_package_without_its_release_is_nothing(board: Board) -> None:
    package = board.package("0.2.0")
    release_of(package).unlink()
    refused(board, board.update(package), ".release: No such file")
    release_of(package).write_bytes(b"x" * 10_000)
    refused(board, board.update(package), "not a release")


class Disk(NamedTuple):
    total: int
    used: int
    free: int


def test_a_disk_without_room_is_named_before_anything_is_fetched(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(2**30, 2**30, 10 * 2**20))
    refused(board, board.update(board.package("0.2.0")), "MiB are needed, 10 are free")


def test_a_disk_that_fills_up_meanwhile_is_no_trouble_of_the_network(board: Board) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full")
    package = board.package("0.2.0")
    wish = board.wish(package)
    intake = Intake(full, wish.release, lambda _: None)
    wish.source.bring(intake)
    with pytest.raises(UpdateError, match="cannot be written: No space left"):
        intake.check()
    intake.close()


def test_a_version_that_is_not_what_its_release_says_is_refused(board: Board) -> None:
    refused(board, board.update(board.package("0.2.0", says="0.3.0")), "calls itself 'kaiwa-device 0.3.0'")


def test_a_version_that_never_answers_is_refused(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "REHEARSAL_SECONDS", 0.05)
    refused(board, board.update(board.package("0.2.0", says='"; exec sleep 9; : "')), "does not start")


def test_what_is_staged_is_on_the_disk_before_it_is_said_to_be_staged(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, seen = board.package("0.2.0"), list[str]()
    rename, replaced = Path.rename, Path.replace

    def seen_first(change: Callable[[Path, Path], Path]) -> Callable[[Path, Path], Path]:
        def changed(path: Path, to: Path) -> Path:
            seen.append(path.name)
            return change(path, to)

        return changed

    monkeypatch.setattr(os, "sync", lambda: seen.append("sync"))
    monkeypatch.setattr(Path, "rename", seen_first(rename))
    monkeypatch.setattr(Path, "replace", seen_first(replaced))
    monkeypatch.setattr(staging, "synced", lambda folder: seen.append(folder.name))
    board.stage(package)
    assert seen == ["sync", ".new", "updates", ".staged.new"]


def test_a_version_that_cannot_read_this_robot_s_settings_is_refused(board: Board) -> None:
    refused(board, board.update(board.package("0.2.0", config=2)), "fails at `config")


@pytest.mark.parametrize(
    "evil",
    [
        member("./opt/kaiwa-device/versions/0.2.0/../../../../etc/evil", b"x"),
        member("./opt/kaiwa-device/versions/0.2.0/lib64/evil", b"x"),
    ],
)
def test_even_a_released_package_writes_nowhere_else(board: Board, evil: tuple[object, bytes]) -> None:
    refused(board, board.update(board.package("0.2.0", more=[evil])), "the package holds")  # type: ignore[list-item]  # tarfile's own type
    assert not list(board.root.rglob("evil"))


def test_while_one_is_under_way_no_other_is(board: Board) -> None:
    board.update(board.package("0.2.0", CRASHES))
    assert "under way" in board.update(board.package("0.3.0")).err
    board.start()
    assert "under way" in board.update(board.package("0.3.0")).err
    board.starts()
    assert board.update(board.package("0.3.0")).code == 0
    assert {path.name for path in (board.home / "updates").iterdir()} == {"0.3.0"}


@dataclass
class Slow:
    """A package that takes so long to come that something happens `meanwhile`."""

    package: Path
    meanwhile: Callable[[], object]

    def bring(self, intake: Intake) -> None:
        self.meanwhile()
        Local(self.package).bring(intake)


def stage(board: Board, package: Path, meanwhile: Callable[[], object]) -> None:
    wish = replace(board.wish(package), source=Slow(package, meanwhile))
    Staging(board.places, board.kind, board.config, lambda _: None).stage(wish)


def test_while_one_is_fetched_no_other_is_and_neither_gets_the_other_s_bytes(board: Board) -> None:
    package, other, said = board.package("0.2.0"), board.package("0.3.0"), list[Said]()
    stage(board, package, lambda: said.extend([board.update(other), board.update("--rollback")]))
    assert [(each.code, "another update is under way" in each.err) for each in said] == [(1, True), (1, True)]
    guard.start(board.places)
    assert board.current == "updates/0.2.0"


def test_one_that_was_cut_off_while_it_was_fetched_is_in_nobody_s_way(board: Board) -> None:
    with pytest.raises(ZeroDivisionError):
        stage(board, board.package("0.2.0"), lambda: 1 // 0)
    assert board.update(board.package("0.3.0")).code == 0


def test_a_version_that_a_package_brings_meanwhile_is_not_gone_back_from(board: Board) -> None:
    package = board.package("0.2.0")
    newer = board.installed("0.9.0")
    with pytest.raises(UpdateError, match="installed meanwhile"):
        stage(board, package, lambda: guard.point(board.places.current, newer))
    assert not board.places.staged.exists()
    assert board.start() == 0
    assert board.current == newer


def test_the_version_before_is_kept_and_older_ones_go(board: Board) -> None:
    for version in ("0.2.0", "0.3.0", "0.4.0", "0.5.0"):
        board.stage(board.package(version))
        guard.start(board.places)
        board.well(version)
        assert guard.look(board.places, 0.0, 300.0) is True
    assert {path.name for path in (board.home / "updates").iterdir()} == {"0.3.0", "0.4.0", "0.5.0"}
    assert (board.current, guard.target(board.places.previous)) == ("updates/0.5.0", "updates/0.4.0")


def test_what_a_trial_is_about_is_written_down(board: Board) -> None:
    board.stage(board.package("0.2.0"))
    trial = read_trial(board.places.staged)
    assert trial is not None
    assert (trial.id, trial.version, trial.to, trial.back) == ("0.2.0", "0.2.0", "updates/0.2.0", "versions/0.1.0")


def test_where_no_package_was_installed_nothing_is_taken_over(board: Board) -> None:
    package = board.package("0.2.0")
    shutil.rmtree(board.home)
    said = board.update(package)
    assert said.code == 1
    assert "No such file" in said.err


def test_cut_at_any_step_what_ran_runs_and_the_next_try_succeeds(tmp_path: Path) -> None:
    first = tmp_path / "0"
    first.mkdir()
    Board(first).package("0.2.0")
    roots = [first, *(shutil.copytree(first, tmp_path / str(number), symlinks=True) for number in range(1, 32))]
    dead = cut(roots, "stage", "tests.device.update.board")
    assert len(dead) >= 15
    for number, board in enumerate(map(Board.again, dead)):
        guard.start(board.places)
        assert guard.usable(board.places, board.current)
        if board.current == "versions/0.1.0":
            if number % 4:  # a try costs two programs
                continue
            board.stage()
            guard.start(board.places)
        assert board.current == "updates/0.2.0"
