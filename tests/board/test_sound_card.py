"""The sound card is pulled out of the kernel in a conversation, and plugged in again."""

from __future__ import annotations

import time
from typing import Final

from device.panel import earcons
from device.panel.earcons import Earcon
from tests.board import sound
from tests.board.board import UNIT, Board
from tests.board.conftest import Tell
from tests.board.report import Line

DRIVER: Final = "/sys/bus/platform/drivers/snd_aloop"
CARD: Final = "snd_aloop.0"
FAMILY: Final = (Earcon.END, Earcon.MUTED, Earcon.ERROR, Earcon.OFF_AIR)
COUNT: Final = f"journalctl -b -o cat -u {UNIT} | grep -c 'the sound card is back' || true"
"""How often it has come back so far."""


def test_a_sound_card_that_is_pulled_out_is_taken_up_again(board: Board, tell: Tell) -> None:
    since = board.cloud.now()
    board.press()
    board.cloud.wait_phase("listening", "speaking", "thinking", since=since, seconds=120)
    before = board.run(COUNT)
    board.run(f"echo {CARD} > {DRIVER}/unbind", 60)
    board.lamp("fault-sound", 60)
    board.run(f"echo {CARD} > {DRIVER}/bind", 60)
    began = time.monotonic()
    board.run(f"until [ $({COUNT}) -gt {before} ]; do sleep 0.2; done", 60)
    took = time.monotonic() - began
    assert board.cloud.card["phase"] in {"listening", "thinking", "speaking"}, "the conversation is over"
    since = board.cloud.now()
    heard = board.hear(6, board.press)
    board.cloud.wait_phase("idle", since=since, seconds=60)
    assert sound.level(heard) > sound.HEARD, f"{sound.level(heard):.0f} dBFS"
    assert max(FAMILY, key=lambda earcon: sound.pieces(heard, earcons.sound(earcon))) is Earcon.END
    board.lamp("breathing", 60)
    tell(
        Line(
            "in a conversation the sound card is taken from the kernel (`unbind`), as when its plug is pulled; then it is back",
            "The same conversation goes on.",
            seen="the light `fault-sound`: short, short, pause; after the second press it breathes",
            heard=f"nothing meanwhile; at the second press the earcon `end`, at {sound.level(heard):.0f} dBFS",
            seconds=took,
        )
    )
