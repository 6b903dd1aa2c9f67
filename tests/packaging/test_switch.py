"""Switching versions, with a systemctl that does what the test says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SWITCH = Path(__file__).parents[2] / "packaging" / "switch"

SYSTEMCTL = """\
#!/bin/sh
echo "$@" >> {log}
case "$1" in
is-enabled) exit 0 ;;
restart) [ -e "$KAIWA_ROOT/opt/kaiwa-device/current/starts" ] ;;
is-active) [ -e "$KAIWA_ROOT/opt/kaiwa-device/current/stays" ] ;;
esac
"""


class Board:
    """A folder that looks like a board with two versions."""

    def __init__(self, root: Path) -> None:
        self.root, self.log = root, root / "log"
        self.log.touch()
        (root / "bin").mkdir()
        systemctl = root / "bin/systemctl"
        systemctl.write_text(SYSTEMCTL.format(log=self.log))
        systemctl.chmod(0o755)

    @property
    def home(self) -> Path:
        return self.root / "opt/kaiwa-device"

    def version(self, name: str, *marks: str) -> str:
        folder = self.home / "versions" / name
        (folder / "bin").mkdir(parents=True)
        program = folder / "bin/kaiwa-device"
        program.touch(0o755)
        for mark in marks:
            (folder / mark).touch()
        return f"versions/{name}"

    def switch(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{self.root}/bin:{os.environ['PATH']}", "KAIWA_ROOT": str(self.root)}
        return subprocess.run(
            [str(SWITCH), "kaiwa-device", *arguments],
            env=environment | {"KAIWA_SETTLE": "0"},
            check=False,
            capture_output=True,
            text=True,
            timeout=30,
        )

    @property
    def current(self) -> str:
        return str((self.home / "current").readlink())


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def test_a_first_version_is_made_current_and_not_started(board: Board) -> None:
    assert board.switch(board.version("1")).returncode == 0
    assert board.current == "versions/1"
    assert board.log.read_text() == ""


def test_a_version_that_becomes_ready_stays(board: Board) -> None:
    board.switch(board.version("1", "starts", "stays"))
    done = board.switch(board.version("2", "starts", "stays"), "--restart")
    assert done.returncode == 0
    assert board.current == "versions/2"
    assert board.log.read_text().splitlines().count("restart kaiwa-device.service") == 1


@pytest.mark.parametrize("marks", [(), ("starts",), ("stays",)], ids=["never", "falls-over", "odd"])
def test_a_version_that_does_not_is_gone_back_from(board: Board, marks: tuple[str, ...]) -> None:
    board.switch(board.version("1", "starts", "stays"))
    done = board.switch(board.version("2", *marks), "--restart")
    assert done.returncode == 1
    assert "versions/1 runs again" in done.stderr
    assert board.current == "versions/1"
    assert board.log.read_text().splitlines()[-1] == "restart kaiwa-device.service"


def test_with_nothing_to_go_back_to_it_says_so(board: Board) -> None:
    done = board.switch(board.version("1"), "--restart")
    assert done.returncode == 1
    assert "does not become ready" in done.stderr
    assert board.current == "versions/1"


def test_a_folder_without_the_program_changes_nothing(board: Board) -> None:
    board.switch(board.version("1"))
    assert board.switch("versions/3").returncode == 1
    assert board.current == "versions/1"
