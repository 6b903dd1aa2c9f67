"""The network gets bad, is silent, and comes back; somebody pulls the cable."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from device.panel.faults import Fault
from tests.board.board import Board
from tests.board.conftest import Tell
from tests.board.report import Line

LINK: Final = "$(basename $(readlink -f /sys/class/net/e*))"


@contextmanager
def worsened(board: Board, how: str) -> Iterator[None]:
    """Do to what leaves and to what arrives what netem is told."""
    board.run(
        f"link={LINK}; ip link add bad type ifb; ip link set bad up; tc qdisc add dev $link root netem {how};"
        " tc qdisc add dev $link ingress; tc filter add dev $link parent ffff: matchall action mirred egress redirect dev bad;"
        f" tc qdisc add dev bad root netem {how}"
    )
    try:
        yield
    finally:
        board.run(f"link={LINK}; tc qdisc del dev $link root; tc qdisc del dev $link ingress; ip link del bad")


def test_a_bad_network_is_lived_with(board: Board, tell: Tell) -> None:
    with worsened(board, "delay 80ms 20ms loss 5%"):
        took = board.talk()
    board.lamp("breathing", 60)
    tell(
        Line(
            "the network loses every twentieth packet, and is 80 ms slower, each way",
            "A press still starts a conversation.",
            seen="afterwards the light `idle` again: it breathes",
            seconds=took,
        )
    )


@pytest.mark.parametrize("how", ["silence", "cable"])
def test_a_network_that_is_gone_is_seen_and_comes_back(board: Board, tell: Tell, how: str) -> None:
    began = time.monotonic()
    if how == "silence":
        with worsened(board, "loss 100%"):
            noticed = _noticed(board, began)
    else:
        board.machine.cable(plugged=False)
        noticed = _noticed(board, began)
        board.machine.cable(plugged=True)
    since, back = board.cloud.now(), time.monotonic()
    board.cloud.wait_phase("idle", since=since, seconds=180)
    took = time.monotonic() - back
    board.lamp("breathing", 60)
    what = "nothing comes through any more" if how == "silence" else "the cable is pulled"
    tell(
        Line(
            f"{what}; after {noticed:.0f} s the light says so; a press; then it is mended",
            "The press is given up; the robot connects again by itself.",
            seen="the light `offline`; after the press `fault-network`: long, short, pause",
            heard="after the press the earcon `fault-network`, and its words",
            seconds=took,
        )
    )


def _noticed(board: Board, began: float) -> float:
    """Wait until the lamp shows that it is offline, press, and see the fault; return how long the first took."""
    board.lamp("offline", 180)
    noticed = time.monotonic() - began
    board.tells_after_press(Fault.NETWORK)
    return noticed
