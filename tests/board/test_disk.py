"""The disk is full: what cannot be written down is not obeyed, and everything else goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from device.messages.commands import Step
from tests.board.board import Board
from tests.board.conftest import Tell
from tests.board.ordering import Ordering
from tests.board.report import Line

FILL: Final = (
    "rm -f /var/tmp/written; fallocate -l $(df --output=avail -B1 / | tail -n 1) /var/tmp/full;"
    " dd if=/dev/zero bs=1M of=/var/tmp/rest; dd if=/dev/zero of=/var/tmp/crumbs bs=1 count=8192"
)
"""What is free to everybody at once, then what is kept for root, then what is left of the last block."""

EMPTY: Final = "rm -f /var/tmp/full /var/tmp/rest /var/tmp/crumbs"


def test_a_full_disk_stops_no_conversation(board: Board, tell: Tell) -> None:
    orders = Ordering(board.cloud.config)
    assert orders.once().step is Step.SUCCEEDED
    with full(board):
        refused = orders.once()
        assert refused.step is Step.REJECTED
        assert "cannot be written down" in refused.reason
        board.talk()
        board.lamp("breathing", 60)
    began = time.monotonic()
    assert orders.once().step is Step.SUCCEEDED
    tell(
        Line(
            "the disk is filled to the last byte; an order; a press; then there is room again",
            "The order is rejected, with the reason; a press starts a conversation; the next order is obeyed.",
            seen="afterwards the light `idle` again: it breathes",
            seconds=time.monotonic() - began,
        )
    )


@contextmanager
def full(board: Board) -> Iterator[None]:
    """Fill the disk, and in the end make room again, whatever happens."""
    board.run(f"({FILL}) 2>/dev/null; true", 300)
    try:
        yield
    finally:
        board.run(EMPTY)
