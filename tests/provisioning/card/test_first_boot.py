"""What a board does at its first boot, with a package manager, a systemd and a robot that do what the test says."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from provisioning.card.writing import SCRIPT

HARDWARE = Path(__file__).parents[3] / "hardware"
CARDS = " 0 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0\n 1 [Speak          ]: USB-Audio - A speakerphone\n"
PROGRAMS = {
    "dpkg-query": '[ ! -e "$KAIWA_ROOT/installed" ] || printf "install ok installed"',
    "dpkg": "",
    "apt-get": 'case "$*" in *.deb) [ ! -e "$KAIWA_ROOT/offline" ] && touch "$KAIWA_ROOT/installed" ;; esac',
    "kaiwa-device": 'cat > "$KAIWA_ROOT/claimed"; [ ! -e "$KAIWA_ROOT/offline" ] || { echo "no answer"; exit 3; }; '
    'touch "$KAIWA_ROOT/var/lib/kaiwa/enrolment.json"; echo "This board is now robot-1"',
    "systemctl": "",
    "sync": "",
}


class Board:
    """A folder that looks like a board with its card."""

    def __init__(self, root: Path, build: str) -> None:
        self.root, self.card = root, root / "boot/firmware/kaiwa"
        for folder in ("boot/firmware/kaiwa", "etc/kaiwa", "run", "proc/asound", "var/lib/kaiwa", "bin"):
            (root / folder).mkdir(parents=True)
        shutil.copytree(HARDWARE / build, root / "usr/share/doc/kaiwa-device/hardware" / build)
        shutil.copy(SCRIPT, self.card / "first-boot")
        (self.card / "build").write_text(build)
        (self.card / "claim").write_text("kaiwa:cloud:8443/CODE#abc")
        (self.card / "kaiwa-device_1_arm64.deb").touch()
        (root / "proc/asound/cards").write_text(CARDS)
        self.config = root / "boot/firmware/config.txt"
        self.config.write_text("[cm5]\ndtoverlay=dwc2\n")
        for name, does in PROGRAMS.items():
            program = root / "bin" / name
            program.write_text(f'#!/bin/sh\necho "{name} $*" >> "$KAIWA_ROOT/calls"\n{does}\n')
            program.chmod(0o755)

    def boot(self) -> int:
        environment = {"PATH": f"{self.root}/bin:{os.environ['PATH']}", "KAIWA_ROOT": str(self.root)}
        script = ["/bin/sh", str(self.card / "first-boot")]
        return subprocess.run(script, env=environment, check=False, capture_output=True, timeout=30).returncode

    @property
    def calls(self) -> list[str]:
        return (self.root / "calls").read_text().splitlines()

    def says(self, name: str) -> str:
        return (self.root / name).read_text()


@pytest.fixture(params=["speakerphone", "i2s", "voice-hat"])
def board(tmp_path: Path, request: pytest.FixtureRequest) -> Board:
    return Board(tmp_path, request.param)


def test_a_board_installs_enrols_and_starts(tmp_path: Path) -> None:
    board = Board(tmp_path, "speakerphone")
    assert board.boot() == 0
    assert board.says("claimed") == "kaiwa:cloud:8443/CODE#abc"
    assert not (board.card / "claim").exists()
    assert not any("CODE" in call for call in board.calls)
    assert board.calls[-1] == "systemctl start --no-block kaiwa-device.service"
    assert "systemctl disable kaiwa-first-boot.service" in board.calls
    assert 'pcm "hw:CARD=Speak"' in board.says("etc/asound.conf")
    assert "NAME" not in board.says("etc/asound.conf").partition("pcm.!default")[2]
    assert "This board is now robot-1" in (board.card / "log.txt").read_text()


def test_each_build_gets_what_its_folder_holds(board: Board) -> None:
    given = HARDWARE / (board.card / "build").read_text()
    assert board.boot() == 0
    assert board.says("etc/kaiwa/device.toml") == (given / "device.toml").read_text()
    lines = (given / "config.txt").read_text() if (given / "config.txt").exists() else ""
    appended = board.config.read_text().partition("[all]\n")[2]
    assert appended.partition("\n")[2] == lines
    ends = "systemctl --no-block reboot" if lines else "systemctl start --no-block kaiwa-device.service"
    assert board.calls[-1] == ends
    if lines:
        assert board.says("etc/asound.conf") == (given / "asound.conf").read_text()


def test_without_a_network_it_keeps_the_claim_and_goes_on_where_it_was(board: Board) -> None:
    (board.root / "offline").touch()
    assert board.boot() != 0
    assert (board.card / "claim").exists()
    (board.root / "installed").touch()
    assert board.boot() != 0
    assert "no answer" in (board.card / "log.txt").read_text()
    (board.root / "offline").unlink()
    before = board.config.read_text()
    assert board.boot() == 0
    assert board.config.read_text() == before
    assert sum(call.startswith("apt-get install") for call in board.calls) == 1


def test_what_is_written_once_is_on_the_card_before_the_claim_is_used(board: Board) -> None:
    assert board.boot() == 0
    calls = [call.partition(" ")[0] for call in board.calls]
    enrolled = calls.index("kaiwa-device")
    assert "sync" in calls[calls.index("apt-get") : enrolled]
    assert board.calls[enrolled - 1] == "sync "
    assert "sync" in calls[enrolled:]


def test_a_power_cut_after_the_enrolment_uses_no_claim_twice(board: Board) -> None:
    for place in ("installed", "var/lib/kaiwa/enrolment.json"):
        (board.root / place).touch()
    assert board.boot() == 0
    assert not any(call.startswith("kaiwa-device") for call in board.calls)
    assert not (board.card / "claim").exists()


def test_a_speakerphone_that_is_not_there_is_named(tmp_path: Path) -> None:
    board = Board(tmp_path, "speakerphone")
    (board.root / "proc/asound/cards").write_text("--- no soundcards ---\n")
    assert board.boot() == 0
    assert "no USB speakerphone" in (board.card / "log.txt").read_text()
    assert not (board.root / "etc/asound.conf").exists()
