"""What a board does at its first boot, with a package manager, a systemd and a robot that do what the test says."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from device.config import load
from provisioning.card.writing import SCRIPT
from provisioning.enrolment import OVER

HARDWARE = Path(__file__).parents[3] / "hardware"
CARDS = " 0 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0\n 1 [Speak          ]: USB-Audio - A speakerphone\n"
PROGRAMS = {
    "dpkg-query": '[ ! -e "$KAIWA_ROOT/installed" ] || printf "install ok installed"',
    "dpkg": "",
    "apt-get": '[ ! -e "$KAIWA_ROOT/broken" ] || { echo "Reading..."; cat "$KAIWA_ROOT/broken"; exit 100; }\n'
    'case "$*" in *.deb) [ ! -e "$KAIWA_ROOT/offline" ] && touch "$KAIWA_ROOT/installed" ;; esac',
    "kaiwa-device": 'cat > "$KAIWA_ROOT/claimed"\n'
    '[ ! -e "$KAIWA_ROOT/offline" ] || { echo "no answer"; exit 3; }\n'
    '[ ! -e "$KAIWA_ROOT/refused" ] || { cat "$KAIWA_ROOT/refused"; exit 3; }\n'
    'cp "$KAIWA_ROOT/claimed" "$KAIWA_ROOT/var/lib/kaiwa/enrolment.json"\n'
    '[ ! -e "$KAIWA_ROOT/cut" ] || { rm "$KAIWA_ROOT/cut"; kill -9 "$(cat "$KAIWA_ROOT/pid")"; }\n'
    'echo "This board is now robot-1"',
    "systemctl": "",
    "sync": "",
}
CLAIM = "kaiwa:cloud:8443/CODE#abc"
REFUSED = "kaiwa-device: the cloud refused the claim: "


FOLDERS = (
    "boot/firmware/kaiwa", "etc/kaiwa", "run/systemd/timesync", "proc/asound", "var/lib/kaiwa", "bin", "sys/class/leds/ACT"
)  # fmt: skip


class Board:
    """A folder that looks like a board with its card."""

    def __init__(self, root: Path, build: str) -> None:
        self.root, self.card = root, root / "boot/firmware/kaiwa"
        for folder in FOLDERS:
            (root / folder).mkdir(parents=True)
        shutil.copytree(HARDWARE / build, root / "usr/share/doc/kaiwa-device/hardware" / build)
        shutil.copy(SCRIPT, self.card / "first-boot")
        (self.card / "build").write_text(build)
        self.write_claim(CLAIM)
        (self.card / "language").touch()
        (self.card / "kaiwa-device_1_arm64.deb").touch()
        (root / "proc/asound/cards").write_text(CARDS)
        self.config = root / "boot/firmware/config.txt"
        self.config.write_text("[cm5]\ndtoverlay=dwc2\n")
        for name, does in PROGRAMS.items():
            program = root / "bin" / name
            program.write_text(f'#!/bin/sh\necho "{name} $*" >> "$KAIWA_ROOT/calls"\n{does}\n')
            program.chmod(0o755)

        self.green = root / "sys/class/leds/ACT/trigger"
        self.green.write_text("[mmc0]")

    def write_claim(self, claim: str) -> None:
        """Do what writing the card anew does."""
        (self.card / "claim").write_text(claim)
        (self.card / "before").unlink(missing_ok=True)
        (self.card / "log.txt").unlink(missing_ok=True)

    def boot(self) -> int:
        environment = {"PATH": f"{self.root}/bin:{os.environ['PATH']}", "KAIWA_ROOT": str(self.root)}
        script = ["/bin/sh", "-c", 'echo $$ > "$KAIWA_ROOT/pid"; exec /bin/sh "$0"', str(self.card / "first-boot")]
        (self.root / "calls").unlink(missing_ok=True)
        return subprocess.run(script, env=environment, check=False, capture_output=True, timeout=30).returncode

    @property
    def calls(self) -> list[str]:
        return (self.root / "calls").read_text().splitlines()

    @property
    def log(self) -> list[str]:
        """What whoever has the card only reads, without the times."""
        return [line.partition(" ")[2] for line in (self.card / "log.txt").read_text().splitlines()]

    @property
    def asked(self) -> list[str]:
        return [call for call in self.calls if call.startswith("kaiwa-device")]

    def says(self, name: str) -> str:
        return (self.root / name).read_text()


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path, "i2s")


@pytest.fixture(params=["speakerphone", "i2s", "voice-hat"])
def each(tmp_path: Path, request: pytest.FixtureRequest) -> Board:
    return Board(tmp_path, request.param)


def test_a_board_installs_enrols_and_starts(tmp_path: Path) -> None:
    board = Board(tmp_path, "speakerphone")
    assert board.boot() == 0
    assert board.says("claimed") == CLAIM
    assert [call for call in board.calls if call.startswith(("dpkg ", "apt-get "))] == [
        "dpkg --configure -a",  # where a power cut has left one half installed
        "apt-get update",
        f"apt-get install -y {board.card}/kaiwa-device_1_arm64.deb",
    ]
    assert not (board.card / "claim").exists()
    assert not any("CODE" in call for call in board.calls)
    assert board.calls[-2:] == [
        "systemctl stop kaiwa-device-fault.service",
        "systemctl start --no-block kaiwa-device.service",
    ]
    assert "systemctl disable kaiwa-first-boot.service" in board.calls
    assert 'pcm "hw:CARD=Speak"' in board.says("etc/asound.conf")
    assert "NAME" not in board.says("etc/asound.conf").partition("pcm.!default")[2]
    assert board.log == ["installing", "enrolling", "This board is now robot-1", "done"]
    assert board.green.read_text() == "mmc0\n"


def test_each_build_gets_what_its_folder_holds(each: Board) -> None:
    given = HARDWARE / (each.card / "build").read_text()
    assert each.boot() == 0
    assert each.says("etc/kaiwa/device.toml") == (given / "device.toml").read_text()
    lines = (given / "config.txt").read_text() if (given / "config.txt").exists() else ""
    appended = each.config.read_text().partition("[all]\n")[2]
    assert appended.partition("\n")[2] == lines
    ends = "systemctl --no-block reboot" if lines else "systemctl start --no-block kaiwa-device.service"
    assert each.calls[-1] == ends
    if lines:
        assert each.says("etc/asound.conf") == (given / "asound.conf").read_text()


def test_a_robot_speaks_the_language_of_its_card(each: Board) -> None:
    (each.card / "language").write_text("ja")
    assert each.boot() == 0
    settings = load(each.root / "etc/kaiwa/device.toml")
    assert settings.language == "ja"
    assert settings == msgspec.structs.replace(
        load(HARDWARE / (each.card / "build").read_text() / "device.toml"), language="ja"
    )


def test_without_a_network_it_keeps_the_claim_and_goes_on_where_it_was(board: Board) -> None:
    (board.root / "offline").touch()
    assert board.boot() != 0
    assert (board.card / "claim").exists()
    (board.root / "installed").touch()
    assert board.boot() != 0
    assert "no answer" in board.log
    assert board.calls[-1] == "systemctl start --no-block kaiwa-device-fault.service"
    (board.root / "offline").unlink()
    before = board.config.read_text()
    assert board.boot() == 0
    assert board.config.read_text() == before
    assert not any(call.startswith("apt-get install") for call in board.calls)


def test_what_is_written_once_is_on_the_card_before_the_claim_is_used(board: Board) -> None:
    assert board.boot() == 0
    calls = [call.partition(" ")[0] for call in board.calls]
    enrolled = calls.index("kaiwa-device")
    assert board.calls[enrolled - 1] == "sync "
    written = (
        board.config,
        board.root / "etc/kaiwa/device.toml",
        board.root / "etc/asound.conf",
        board.card / "before",
    )
    assert {f"sync {path}.new" for path in written} <= set(board.calls)
    assert "sync" in calls[enrolled:]


def test_a_power_cut_after_the_enrolment_uses_no_claim_twice(board: Board) -> None:
    (board.root / "cut").touch()
    assert board.boot() == -9
    assert (board.card / "claim").exists()
    assert board.boot() == 0
    assert not board.asked
    assert not (board.card / "claim").exists()
    assert board.log[-1].startswith("done")


def test_a_board_that_was_a_robot_becomes_the_one_of_a_card_that_is_written_anew(board: Board) -> None:
    assert board.boot() == 0
    board.write_claim("kaiwa:other:8443/NEXT#def")
    assert board.boot() == 0
    assert board.says("var/lib/kaiwa/enrolment.json") == "kaiwa:other:8443/NEXT#def"
    assert not (board.card / "claim").exists()


def test_an_identity_that_the_service_has_taken_over_is_still_the_same(board: Board) -> None:
    (board.root / "cut").touch()
    (board.root / "var/lib/kaiwa/enrolment.json").write_text("of before")
    assert board.boot() == -9
    (board.root / "var/lib/private").mkdir()
    (board.root / "var/lib/kaiwa").rename(board.root / "var/lib/private/kaiwa")
    (board.root / "var/lib/kaiwa").symlink_to("private/kaiwa")
    assert board.boot() == 0
    assert not board.asked


def test_a_claim_that_is_over_is_not_tried_again_and_the_robot_shows_it(board: Board) -> None:
    (board.root / "refused").write_text(f"{REFUSED}this claim has been used; {OVER}")
    assert board.boot() == 0
    assert board.log[2] == f"{REFUSED}this claim has been used; {OVER}"
    assert board.log[3].startswith("this card's claim is over: write the card anew")
    assert not (board.card / "claim").exists()
    assert "systemctl disable kaiwa-first-boot.service" in board.calls


@pytest.mark.parametrize(
    "reason", ["too many failures from this address; wait ten minutes", "the cloud cannot enrol now"]
)
def test_a_cloud_that_is_busy_is_asked_again(board: Board, reason: str) -> None:
    (board.root / "refused").write_text(REFUSED + reason)
    assert board.boot() != 0
    (board.root / "refused").unlink()
    assert board.boot() == 0
    assert "This board is now robot-1" in board.log


def test_why_the_package_cannot_be_installed_is_written_once(board: Board) -> None:
    (board.root / "broken").write_text("kaiwa-device : Depends: python3 (< 3.12) but 3.13.5-1 is to be\nE: Unable\n")
    assert board.boot() != 0
    assert board.boot() != 0
    assert board.log == [
        "installing",
        "apt-get failed: Reading... kaiwa-device : Depends: python3 (< 3.12) but 3.13.5-1 is to be E: Unable",
    ]
    assert board.green.read_text() == "timer\n"


@pytest.mark.parametrize("is_set", [False, True])
def test_a_clock_that_is_not_set_is_named(board: Board, is_set: bool) -> None:
    (board.root / "refused").write_text("the server's certificate is not good: not yet valid")
    if is_set:
        (board.root / "run/systemd/timesync/synchronized").touch()
    assert board.boot() != 0
    assert ("the clock is not set: NTP (UDP port 123) has to get through" in board.log) is not is_set


def test_a_speakerphone_that_is_not_there_is_named_and_waited_for(tmp_path: Path) -> None:
    board = Board(tmp_path, "speakerphone")
    (board.root / "proc/asound/cards").write_text("--- no soundcards ---\n")
    assert board.boot() != 0
    assert any("no USB speakerphone" in line for line in board.log)
    assert not (board.root / "etc/asound.conf").exists()
    assert not (board.card / "claim").exists(), "its time runs out, so it is used before"
    assert board.calls[-1] == "systemctl start --no-block kaiwa-device-fault.service"
    (board.root / "proc/asound/cards").write_text(CARDS)
    assert board.boot() == 0
    assert not board.asked
    assert 'pcm "hw:CARD=Speak"' in board.says("etc/asound.conf")


def test_a_log_that_cannot_be_written_keeps_no_board_from_becoming_a_robot(board: Board) -> None:
    (board.card / "log.txt").mkdir()
    assert board.boot() == 0
    assert board.says("claimed") == CLAIM
