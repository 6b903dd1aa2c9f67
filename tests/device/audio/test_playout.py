from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.block import BLOCK, SILENCE, Samples
from device.audio.level import rms_dbfs
from device.audio.playout import FEWEST_QUEUED, FULL, MOST_QUEUED, PlayedClock, Playout
from tests.device.audio.sound import blocks, speech, tone
from tests.device.audio.speaker import RingSpeaker


def run(playout: Playout, speaker: RingSpeaker, voice: list[Samples], drift: float = 0.0) -> Samples:
    """Play `voice` while the speaker takes `1 + drift` blocks per block; return what it took."""
    heard, due = [], 0.0
    for block in voice:
        playout.play(block)
        due += BLOCK * (1 + drift)
        heard.append(speaker.take(int(due)))
        due -= int(due)
    return np.concatenate(heard)


def test_the_voice_is_played_whole_and_in_order() -> None:
    speaker = RingSpeaker()
    voice = tone(0.4)  # the first half second tells how full the ring should be
    assert np.array_equal(run(Playout(speaker), speaker, blocks(voice)), voice)


def test_silence_fills_the_ring_to_its_target_and_speech_then_keeps_it() -> None:
    speaker, playout = RingSpeaker(), Playout(RingSpeaker())
    playout = Playout(speaker)
    run(playout, speaker, [SILENCE] * 100)
    assert speaker.queued == FEWEST_QUEUED
    assert playout.counters()["repeated"] == FEWEST_QUEUED


@pytest.mark.parametrize("drift", [0.002, -0.002])
def test_clocks_that_differ_leave_the_ring_small_and_never_dry(drift: float) -> None:
    speaker = RingSpeaker()
    playout = Playout(speaker)
    run(playout, speaker, [SILENCE] * 100)
    dry = speaker.dry
    for part in blocks(speech(20.0)):
        run(playout, speaker, [part], drift)
        assert speaker.queued <= MOST_QUEUED + 2 * BLOCK
    assert speaker.dry - dry <= BLOCK * abs(drift) * 10


@pytest.mark.parametrize("drift", [0.0002, -0.0002])
def test_clocks_that_differ_are_followed_for_hours_though_nobody_pauses(drift: float) -> None:
    speaker = RingSpeaker()
    playout = Playout(speaker)
    run(playout, speaker, [SILENCE] * 100)
    dry = speaker.dry
    run(playout, speaker, blocks(tone(60.0)), drift)
    assert abs(speaker.queued - FEWEST_QUEUED) < 240
    assert speaker.dry == dry
    assert playout.counters()["stretched"] > 100


def test_a_late_event_loop_is_made_good_for_without_a_pause_and_the_aim_grows() -> None:
    speaker, voice = RingSpeaker(), blocks(tone(12.0, 200))
    playout = Playout(speaker)
    run(playout, speaker, [SILENCE] * 50)
    speaker.take(5 * BLOCK)
    for part in voice[:5]:
        playout.play(part)
    run(playout, speaker, voice[5 : 5 + 250])
    aim = playout.counters()["ring_aim"]
    assert aim > FEWEST_QUEUED
    assert abs(speaker.queued - aim) <= 600


def test_a_full_ring_is_relieved_even_amid_speech() -> None:
    speaker = RingSpeaker()
    playout = Playout(speaker)
    for block in blocks(tone(1.0)):
        playout.play(block)
        assert speaker.queued <= FULL + BLOCK
    assert playout.counters()["overfull"] > 30


def test_an_earcon_lies_over_the_voice_for_its_length() -> None:
    speaker = RingSpeaker()
    playout = Playout(speaker)
    playout.earcon(tone(0.05, 1000))
    heard = run(playout, speaker, [SILENCE] * 5)
    assert np.array_equal(heard[:2400], tone(0.05, 1000))
    assert not heard[2400:].any()


def test_earcon_and_voice_together_do_not_clip() -> None:
    speaker = RingSpeaker()
    playout = Playout(speaker)
    playout.earcon(tone(1.0, 1000, 30_000))
    heard = run(playout, speaker, blocks(tone(1.0, 1000, 30_000)))
    assert np.abs(heard.astype(np.int32)).max() < 32_767


def test_volume_applies_to_everything() -> None:
    speaker = RingSpeaker()
    playout = Playout(speaker)
    playout.volume = 0.1
    assert rms_dbfs(run(playout, speaker, blocks(tone(1.0)))) == pytest.approx(rms_dbfs(tone(1.0)) - 20, abs=0.1)


def test_a_flush_is_heard_from_the_next_sample_on_and_keeps_the_ring_filled() -> None:
    speaker = RingSpeaker()
    playout = Playout(speaker)
    playout.play(tone(0.02))
    playout.play(tone(0.02))
    assert playout.flush() == 2 * BLOCK
    assert speaker.queued == 2 * BLOCK
    assert not speaker.take(2 * BLOCK).any()
    assert playout.played_seconds == 0.0


def test_only_the_voice_that_left_the_ring_counts_as_played() -> None:
    speaker = RingSpeaker()
    playout = Playout(speaker)
    playout.earcon(tone(0.02))
    for block in (SILENCE, tone(0.02), tone(0.02), SILENCE):
        playout.play(block)
    assert playout.played_seconds == 0.0
    speaker.take(BLOCK + 480)
    assert playout.played_seconds == pytest.approx(0.01)
    speaker.take(10 * BLOCK)
    assert playout.played_seconds == pytest.approx(0.04)


def test_the_silence_that_replaces_what_was_flushed_does_not_count() -> None:
    speaker = RingSpeaker()
    playout = Playout(speaker)
    playout.play(tone(0.02))
    playout.flush()
    playout.play(tone(0.02))
    speaker.take(BLOCK)
    assert playout.played_seconds == 0.0
    speaker.take(BLOCK)
    assert playout.played_seconds == pytest.approx(0.02)


@given(st.lists(st.tuples(st.integers(1, 3000), st.booleans(), st.integers(0, 4000)), max_size=50))
def test_the_clock_counts_every_voiced_sample_once(steps: list[tuple[int, bool, int]]) -> None:
    clock, ring = PlayedClock(), list[bool]()
    counted = 0
    for samples, voiced, taken in steps:
        clock.handed(samples, voiced=voiced)
        ring += [voiced] * samples
        counted += sum(ring[:taken])
        ring = ring[taken:]
        clock.settle(len(ring))
        assert clock.voiced == counted
