"""The terminal view, as text."""

from __future__ import annotations

import pytest
from rich.console import Console

from device.messages.reports import Caption, Levels, Speaker, Spent
from device.phase import Phase
from provisioning.local.demo.view import METER_CELLS, PHASES, Snapshot, meter, render


def drawn(shot: Snapshot) -> str:
    console = Console(width=100, record=True, force_terminal=False)
    with console.capture() as captured:
        console.print(render(shot))
    return captured.get()


def caption(speaker: Speaker, text: str) -> Caption:
    return Caption(session="s", id=text, speaker=speaker, text=text, start=0, end=1, final=True)


def test_it_shows_who_speaks_what_was_said_and_where_to_watch() -> None:
    text = drawn(
        Snapshot(
            robot="lobby",
            phase="speaking",
            on_air=True,
            captions=(caption(Speaker.USER, "What can you do?"), caption(Speaker.ASSISTANT, "お話しできます。")),
            page_url="http://127.0.0.1:1/",
            keys=(("q", "quit"),),
        )
    )
    for words in (
        "lobby",
        "speaking",
        "ON AIR",
        "What can you do?",
        "お話しできます。",
        "http://127.0.0.1:1/",
        "q quit",
    ):
        assert words in text


def test_a_delay_is_told_beside_the_mark_that_says_on_air() -> None:
    assert "ON AIR 5 s late" in drawn(Snapshot(on_air=True, delay=5.0))
    assert "late" not in drawn(Snapshot(on_air=False, delay=5.0))


def test_an_end_that_was_announced_is_counted_down_to() -> None:
    assert "ends in 25 s" in drawn(Snapshot(phase="listening", ends_at=100.0, now=75.0))
    assert "ends in" not in drawn(Snapshot(phase="listening", now=75.0))


def test_every_phase_of_a_robot_has_words_of_its_own() -> None:
    assert set(PHASES) == {*Phase, "muted"}
    assert len({words for _colour, words in PHASES.values()}) == len(PHASES)


@pytest.mark.parametrize(("level", "filled"), [(-100.0, 0), (-60.0, 0), (-30.0, METER_CELLS // 2), (0.0, METER_CELLS)])
def test_a_meter_runs_from_minus_60_to_0_dbfs(level: float, filled: int) -> None:
    assert meter(level, "red").plain.count("█") == filled


def test_levels_are_told_in_numbers_too() -> None:
    assert "-18.5 dBFS" in drawn(Snapshot(levels=Levels(assistant=-18.5)))


def test_the_keys_are_seen_in_a_small_terminal_at_the_busiest_moment() -> None:
    long = "It was a long story about a robot that lived on a kitchen shelf, and the rain, and the kettle."
    shot = Snapshot(
        phase="speaking",
        on_air=True,
        captions=tuple(caption(Speaker.ASSISTANT, f"{number} {long}") for number in range(9)),
        counters={
            "downlink_target_ms": 140.0,
            "downlink_waiting_ms": 143.0,
            "downlink_decoded": 512.0,
            "downlink_recovered": 99.0,
            "downlink_concealed": 99.0,
            "echo_loss_db": 41.0,
            "blocks": 1.0,
            "loop_lag_p99_ms": 12.3,
        },
        page_url="http://127.0.0.1:8080/r/demo",
        playlist="http://127.0.0.1:41313/hls/af6cf847/index.m3u8",
        stood_in=(
            "button and lights: mock pins",
            "microphone and speaker: a room",
            "OpenAI Realtime: x",
            "ImageFlux: x",
        ),
        keys=(("space", "the button"), ("q", "quit")),
    )
    console = Console(width=80, height=24, force_terminal=False)
    with console.capture() as captured:
        console.print(render(shot))
    lines = captured.get().splitlines()
    assert len(lines) <= 24
    assert "q quit" in lines[-1]


def test_what_the_conversation_has_cost_so_far_stands_beside_its_phase() -> None:
    assert "listening  0.0210 USD" in drawn(Snapshot(robot="lobby", phase="listening", spent=Spent(micros=21_000)))
    assert "USD" not in drawn(Snapshot(robot="lobby", phase="idle"))
