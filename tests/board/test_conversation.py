"""A visitor: the kernel's pin is pressed, the kernel's sound card is heard, the lamp's pin is watched."""

from __future__ import annotations

import asyncio

from device.panel.earcons import Earcon
from device.panel.earcons import sound as of_earcon
from provisioning.local.realtime.mouth import Mouth
from tests.board import light, sound
from tests.board.board import Board
from tests.board.conftest import Tell
from tests.board.report import Line


def test_a_press_is_heard_and_starts_a_conversation(board: Board, tell: Tell) -> None:
    since = board.cloud.now()
    heard = board.hear(6, board.press)
    before = sound.level(heard[:2400])
    assert sound.level(heard) > sound.HEARD, f"{sound.level(heard):.0f} dBFS"
    assert before < sound.HEARD, f"{before:.0f} dBFS before the press"
    alike = sound.likeness(heard, of_earcon(Earcon.START))
    assert alike > sound.ALIKE, f"likeness {alike:.2f}"
    assert alike > sound.likeness(heard, of_earcon(Earcon.ERROR))
    began = board.cloud.wait_phase("preparing", since=since, seconds=60)["since"]
    took = board.cloud.wait_phase("listening", "speaking", "thinking", since=since, seconds=120)["since"] - began
    assert light.named(board.watch(3.0)) in {"steady", "moving"}
    board.press()
    board.cloud.wait_phase("idle", since=since, seconds=60)
    board.lamp("breathing", 60)
    tell(
        Line(
            "the pin of the button is pulled to ground and let go",
            "A conversation over WebRTC is up; a second press ends it.",
            seen="the light is steady, or follows a voice; after the second press it breathes",
            heard=f"the earcon `start`, at {sound.level(heard):.0f} dBFS",
            seconds=took,
        )
    )


def test_a_voice_at_the_microphone_is_heard_and_answered(board: Board, tell: Tell) -> None:
    question = asyncio.run(Mouth("en-gb", 150).say("Hello robot, what can you see in the room today?"))
    answered: list[float] = []

    def ask() -> None:
        since = board.cloud.now()
        board.speak(question.samples)
        board.cloud.wait_phase("speaking", since=since, seconds=90)
        answered.append(sound.level(board.hear(4)))

    board.talk(ask)
    assert answered[0] > sound.HEARD, f"{answered[0]:.0f} dBFS"
    board.lamp("breathing", 60)
    tell(
        Line(
            f"somebody speaks for {question.seconds:.0f} s into the other end of the microphone, in a conversation",
            "The other side hears that somebody spoke and has stopped, and answers.",
            seen="afterwards the light breathes",
            heard=f"the answer, at {answered[0]:.0f} dBFS",
        )
    )
