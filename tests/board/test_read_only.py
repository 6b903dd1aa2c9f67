"""A root file system that is read-only, as of an appliance; the robot's state has a small disk of its own."""

from __future__ import annotations

from typing import Final

from tests.board.board import STATE, UNIT, Board
from tests.board.conftest import Tell
from tests.board.releasing import Releases
from tests.board.report import Line
from tests.board.versions import Kind

MOVE: Final = f"""systemctl stop {UNIT} && mkfs.ext4 -q /dev/vdc && mount /dev/vdc /mnt && cp -a {STATE}/. /mnt && umount /mnt &&
sed -i 's,^/dev/vda .*,/dev/vda / ext4 ro 0 1,' /etc/fstab &&
echo '/dev/vdc {STATE} ext4 nosuid,nodev,noexec 0 2' >> /etc/fstab"""
"""Give the state its own disk, and make everything else read-only from the next start."""

FAULT: Final = "kaiwa-device-fault.service"


def test_a_robot_on_a_read_only_system_lacks_nothing(board: Board, releases: Releases, tell: Tell) -> None:
    board.run(MOVE, 120)
    board.machine.power_off()
    board.machine.root = "ro"
    took = board.start()
    for place in ("/", "/opt/kaiwa-device", "/etc/kaiwa", "/var/lib", "/root"):
        assert "Read-only" in board.machine.agent.tried(f"touch {place}/written").errors, place
    assert failed(board) == []
    board.talk()
    board.lamp("breathing", 60)
    journal = board.run(f"journalctl -b -o cat -u {UNIT}")
    assert "Read-only" not in journal, journal
    refused = releases.order(Kind.LOST)
    assert (refused.returncode, "Read-only file system" in refused.stdout) == (3, True), refused.stdout
    board.run("systemctl reset-failed kaiwa-device-update.service")  # it says so, too
    fault_light_works(board)
    tell(
        Line(
            "the whole system is read-only, but for the robot's state on a disk of its own",
            "It starts, a press starts a conversation, no unit of ours fails, the unit of the fault light works; an"
            " update is refused, and the operator hears why.",
            seen="the light `idle`: it breathes",
            seconds=took,
        )
    )


def failed(board: Board) -> list[str]:
    """Return the units of ours that have failed; of Debian's, some want a `/tmp` that can be written to."""
    said = board.run("systemctl list-units --failed --plain --no-legend --no-pager")
    return [name for name in (line.split()[0] for line in said.splitlines()) if name.startswith("kaiwa")]


def fault_light_works(board: Board) -> None:
    """Start what shows that the robot cannot run, and press, which has the robot tried again."""
    board.run(f"systemctl stop {UNIT}", 60)
    since = board.cloud.now()
    board.run(f"systemctl start {FAULT}", 60)
    board.lamp("fault", 90)
    board.press()
    board.cloud.wait_phase("idle", since=since, seconds=180)
    assert failed(board) == []
