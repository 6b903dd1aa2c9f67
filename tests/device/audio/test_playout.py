from __future__ import annotations

from itertools import zip_longest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.block import BLOCK, CALL, SILENCE, Samples
from device.audio.level import rms_dbfs
from device.audio.playout import PlayedClock, Playout
from tests.device.audio.sound import blocks, speech, tone
from tests.device.audio.speaker import RingSpeaker


def run(playout: Playout, speaker: RingSpeaker, voice: list[Samples]) -> Samples:
    """Play `voice` while the speaker takes what it is handed; return what it took."""
    heard = []
    for part in voice:
        playout.play(part)
        heard.append(speaker.take(part.size))
    return np.concatenate(heard)


def test_the_voice_is_played_whole_and_in_order() -> None:
    speaker = RingSpeaker()
    voice = speech(2.0)
    assert np.array_equal(run(Playout(speaker), speaker, blocks(voice)), voice)


@pytest.mark.parametrize("size", [CALL, BLOCK, 3 * CALL])
def test_an_earcon_goes_on_over_pieces_of_any_length(size: int) -> None:
    speaker = RingSpeaker()
    playout = Playout(speaker)
    playout.earcon(tone(0.05, 1000))
    playout.then(tone(0.02, 500))
    heard = run(playout, speaker, [np.zeros(size, np.int16)] * (8 * CALL // size))
    sounded = np.concatenate((tone(0.05, 1000), tone(0.02, 500)))
    assert np.array_equal(heard[: sounded.size], sounded[: heard.size])
    assert not heard[sounded.size :].any()


def test_an_earcon_that_is_cut_ends_at_the_next_sample_and_the_words_after_it_are_said() -> None:
    speaker = RingSpeaker()
    playout = Playout(speaker)
    playout.earcon(tone(0.05, 1000))
    playout.then(tone(0.02, 500))
    before = run(playout, speaker, [SILENCE])
    playout.cut_earcon()
    after = run(playout, speaker, [SILENCE] * 3)
    assert np.array_equal(before, tone(0.05, 1000)[:BLOCK])
    assert np.array_equal(after[:BLOCK], tone(0.02, 500))
    assert not after[BLOCK:].any()


def test_the_next_earcon_replaces_the_words_that_were_to_follow_the_one_before() -> None:
    speaker = RingSpeaker()
    playout = Playout(speaker)
    playout.then(tone(0.02, 500))
    playout.earcon(tone(0.02, 1000))
    heard = run(playout, speaker, [SILENCE] * 3)
    assert np.array_equal(heard[:BLOCK], tone(0.02, 1000))
    assert not heard[BLOCK:].any()


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


COUNTS = st.integers(1, 700)
STEPS = st.one_of(
    st.tuples(st.sampled_from(["voice", "silence", "earcon", "then", "take"]), COUNTS),
    st.sampled_from([("flush", 0), ("cut earcon", 0)]),
)


@given(st.lists(STEPS, max_size=40))
def test_whatever_is_done_the_speaker_gets_voice_and_earcon_in_order_and_nothing_else(
    steps: list[tuple[str, int]],
) -> None:
    speaker = RingSpeaker()
    playout = Playout(speaker)
    ring, earcon, words = list[tuple[int, bool]](), list[int](), list[int]()
    made = played = 0
    for what, count in steps:
        fresh = [1 + (made + number) % 5000 for number in range(count)]
        made += count
        match what:
            case "voice" | "silence":
                voice = fresh if what == "voice" else [0] * count
                playout.play(np.array(voice, np.int16))
                due, earcon, words = (
                    (earcon + words)[:count],
                    earcon[count:],
                    words[max(0, count - len(earcon)) :],
                )
                ring += [(sample + over, what == "voice") for sample, over in zip_longest(voice, due, fillvalue=0)]
            case "earcon":
                playout.earcon(np.array(fresh, np.int16))
                earcon, words = fresh, []
            case "then":
                playout.then(np.array(fresh, np.int16))
                words = words + fresh
            case "cut earcon":
                playout.cut_earcon()
                earcon = []
            case "flush":
                assert playout.flush() == len(ring)
                ring = [(0, False)] * len(ring)
            case _:
                taken, ring = ring[:count], ring[count:]
                assert speaker.take(count).tolist() == [sample for sample, _ in taken] + [0] * (count - len(taken))
                played += sum(voiced for _, voiced in taken)
        assert speaker.queued == len(ring)
        assert playout.played_seconds == pytest.approx(played / 48_000)
