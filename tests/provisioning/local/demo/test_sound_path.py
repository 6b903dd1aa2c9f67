"""The sound path in words, from counters as a robot reports them."""

from __future__ import annotations

from device.audio.block import Block
from device.audio.echo import NoEchoControl
from device.rtc.receiving import VoiceReceiver
from device.voice import VoicePath
from provisioning.local.demo.sound_path import figures
from tests.device.audio.sound import tone
from tests.device.audio.speaker import RingSpeaker


def test_losses_are_shares_of_what_was_played() -> None:
    call = {"downlink_target_ms": 40.0, "downlink_waiting_ms": 61.0}
    counters = call | {"downlink_decoded": 180.0, "downlink_recovered": 15.0, "downlink_concealed": 5.0}
    assert list(figures(counters)) == [
        ("jitter buffer", "61 ms, aims at 40"),
        ("lost packets", "7.5 % mended, 2.5 % not"),
    ]


def test_a_robot_in_a_call_reports_all_that_is_told() -> None:
    voice = VoicePath(NoEchoControl(), RingSpeaker())
    assert [name for name, _ in figures(voice.counters())] == ["echo", "sound card"]
    voice.source = VoiceReceiver(lambda: 0.0)
    voice.feed()
    voice.on_block(Block(tone(0.02), tone(0.02), 0.02))
    told = dict(figures(voice.counters()))
    assert list(told) == ["jitter buffer", "lost packets", "echo", "sound card"]
    assert told["sound card"] == "0 xruns, loop 0.0 ms"


def test_a_late_event_loop_is_told() -> None:
    card = {"blocks": 1.0, "input_xruns": 1.0, "output_xruns": 2.0, "blocks_dropped": 3.0, "loop_lag_p99_ms": 1.25}
    assert list(figures(card)) == [("sound card", "6 xruns, loop 1.2 ms")]


def test_a_closed_microphone_is_named() -> None:
    assert list(figures({"echo_loss_db": 3.0, "echo_half_duplex": 1.0})) == [("echo", "half duplex")]


def test_nothing_is_told_of_nothing() -> None:
    assert list(figures({})) == []
