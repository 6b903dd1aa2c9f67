"""A new board: without a claim it says so; with one on its card it becomes a robot, under its unit as shipped."""

from __future__ import annotations

import time
from typing import Final

from tests.board.board import STATE, UNIT, Board
from tests.board.conftest import Tell
from tests.board.image import ROOT
from tests.board.report import Line

MOST_EXPOSED: Final = 2.0
"""By `systemd-analyze security`."""


def test_a_board_without_a_claim_says_so(new_board: Board, tell: Tell) -> None:
    new_board.machine.start()
    new_board.lamp("fault", 240)
    assert new_board.property("ExecMainStatus") == "3"
    assert new_board.run("systemctl is-active kaiwa-device-fault.service") == "active"
    tell(
        Line(
            "a new board is given power, and there is no claim on its card",
            "The unit ended as not enrolled; `kaiwa-device-fault.service` shows it, and tries again for ever.",
            seen="the light `fault`: three short blinks",
        )
    )


def test_a_claim_on_the_card_makes_it_a_robot(new_board: Board, tell: Tell) -> None:
    new_board.machine.power_off()
    new_board.give_claim()
    took = new_board.start()
    new_board.lamp("breathing", 60)
    assert new_board.property("ActiveState") == "active"
    assert "enrolment.json" in new_board.run(f"ls {STATE}")
    tell(
        Line(
            "`kaiwa-claim.txt` is put on its card, and it is given power",
            "It has enrolled by itself, the cloud sees it, and the unit is active.",
            seen="the light `idle`: it breathes",
            seconds=took,
        )
    )


def test_the_unit_is_the_one_that_is_shipped(board: Board, tell: Tell) -> None:
    assert board.property("DropInPaths") == ""
    assert board.run(f"realpath {board.property('FragmentPath')}") == f"/usr/lib/systemd/system/{UNIT}"
    shipped = (ROOT / "systemd" / UNIT).read_text(encoding="utf-8")
    assert board.run(f"cat /usr/lib/systemd/system/{UNIT}") == shipped.rstrip("\n")
    score = exposure(board)
    assert score <= MOST_EXPOSED
    held = dict(line.split(":\t") for line in status(board) if ":\t" in line)
    assert (held["NoNewPrivs"], held["Seccomp"], int(held["CapEff"], 16)) == ("1", "2", 0)
    assert held["Uid"].split("\t")[0] != "0"
    tell(
        Line(
            "the running process and its unit are looked at",
            f"Exposure {score} by `systemd-analyze security`, no directive overridden; no capability, no new privileges,"
            " system calls filtered, an account of its own; pins and sound are the kernel's all the same.",
        )
    )


def exposure(board: Board) -> float:
    """Return the score of the loaded unit."""
    last = board.run(f"systemd-analyze security --no-pager {UNIT}", 120).splitlines()[-1]
    return float(last.partition(UNIT + ": ")[2].split()[0])


def status(board: Board) -> list[str]:
    """Return what the kernel says of the robot's process."""
    return board.run(f"cat /proc/{board.main_pid()}/status").splitlines()


def test_pins_and_sound_are_the_kernels(board: Board) -> None:
    log = board.run(f"journalctl -b -o cat -u {UNIT}")
    assert "exist in memory only" not in log
    owners = board.run("cat /sys/kernel/debug/gpio; cat /proc/asound/Loopback/pcm0p/sub0/status")
    assert "lg" in owners, owners
    assert "RUNNING" in owners, owners
    assert time.time() - board.clock() < 60
