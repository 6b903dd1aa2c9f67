"""The power is pulled in the middle of writing, again and again."""

from __future__ import annotations

import random
from typing import Final

from tests.board.board import STATE, Board
from tests.board.conftest import Tell
from tests.board.ordering import Ordering
from tests.board.report import Line

TIMES: Final = 3
SEED: Final = 20261126
ORDERS: Final = 3

WRITING: Final = (
    "while :; do dd if=/dev/urandom of=/var/tmp/written bs=64k count=40 conv=fsync; sync; done >/dev/null 2>&1 &"
)
"""Keeps the disk busy, so that what the robot writes waits in line."""


def test_a_robot_whose_power_is_pulled_is_the_one_it_was(board: Board, tell: Tell) -> None:
    chance, took, orders = random.Random(SEED), list[float](), Ordering(board.cloud.config)
    who = identity(board)
    for turn in range(1, TIMES + 1):
        board.run(WRITING)
        orders.until(chance.uniform(0.0, 1.0), least=turn * ORDERS)
        board.machine.pull_plug()
        took.append(board.start())
        assert identity(board) == who
        check_journal(board, orders)
        assert not board.run("dmesg --level=emerg,alert,crit,err | grep -i ext4 || true")
    board.lamp("breathing", 60)
    tell(
        Line(
            f"the power is pulled while the robot writes down orders and the disk is busy, {TIMES} times",
            f"It starts, is who it was, and knows each of the {len(orders.obeyed)} orders that it took.",
            seen="afterwards the light `idle`: it breathes",
            seconds=max(took),
        )
    )


def check_journal(board: Board, orders: Ordering) -> None:
    """Check that every order that was taken is written down, whole."""
    known = board.run(f"cat {STATE}/orders").split()
    assert all(len(order) == 32 and order.isalnum() for order in known), "half an order in the journal"
    assert set(orders.obeyed) <= set(known), "an order was taken and is not in the journal"
    assert not board.run(f"ls {STATE}/*.damaged 2>/dev/null || true")


def identity(board: Board) -> str:
    """Return the hashes of what makes the robot who it is."""
    return board.run(f"cd {STATE} && sha256sum enrolment.json *.key *.pem")
