from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.audio.block import BLOCK, BLOCK_SECONDS, CALL, CALL_SECONDS, RATE, Samples
from device.audio.level import rms_dbfs
from device.audio.opus import OpusDecoder, OpusEncoder
from device.audio.reception import Reception
from tests.device.audio.sound import blocks, likeness, speech, tone


def packets_of(sound: Samples) -> list[bytes]:
    encoder = OpusEncoder(expected_loss_percent=10)
    return [encoder.encode(block) for block in blocks(sound)]


SPEECH = packets_of(speech(12.0))


def listen(
    reception: Reception,
    packets: list[bytes],
    late: Callable[[int], float | None] = lambda _: 0.0,
    *,
    drift: float = 0.0,
    first: int = 0,
    phase: float = 0.007,
) -> tuple[Samples, list[float]]:
    """Let `packets` arrive, and pull as long as they come; return what is heard and for each 10 ms how long packets wait, in ms."""
    lateness = [(index, late(index)) for index in range(len(packets))]
    coming = sorted((index * BLOCK_SECONDS + late, index) for index, late in lateness if late is not None)
    heard, waiting = list[Samples](), list[float]()
    now = phase
    while now < len(packets) * BLOCK_SECONDS:
        while coming and coming[0][0] <= now:
            at, index = coming.pop(0)
            reception.put((first + index) & 0xFFFF, index * BLOCK, packets[index], at)
        heard.append(reception.pull(now))
        waiting += [reception.counters()["waiting_ms"]] * round(heard[-1].size / CALL)
        now += heard[-1].size / RATE * (1 + drift)
    return np.concatenate(heard), waiting


def offline(packets: list[bytes]) -> Samples:
    decoder = OpusDecoder()
    return np.concatenate([decoder.decode(packet) for packet in packets])


def test_what_was_sent_is_heard() -> None:
    packets = packets_of(speech(3.0, pause_every=9.0))
    heard, _ = listen(Reception(), packets, phase=0.001)  # no correction is due
    assert likeness(offline(packets)[: 40 * BLOCK], heard, most=3 * BLOCK) > 0.99


def test_a_sender_that_has_stopped_is_not_late() -> None:
    _, waiting = listen(Reception(), SPEECH[:150], lambda index: None if index >= 100 else 0.0)
    assert all(wait > 0 for wait in waiting[2 * 50 : 2 * 100])
    assert waiting[2 * 115 :] == [0.0] * 70


def test_silence_before_anything_comes_and_after_it_ended() -> None:
    reception = Reception()
    assert not reception.pull(0.0).any()
    listen(reception, packets_of(tone(1.0)))
    ending = [reception.pull(1.0 + tick * CALL_SECONDS + 0.007) for tick in range(40)]
    assert ending[0].any()
    assert not any(sound.any() for sound in ending[28:])
    assert all(sound.size and sound.size % CALL == 0 for sound in ending)


def test_sound_that_stops_fades_instead_of_clicking() -> None:
    reception = Reception()
    listen(reception, packets_of(tone(1.0, amplitude=20_000)))
    ending = [reception.pull(1.0 + tick * CALL_SECONDS + 0.007) for tick in range(40)]
    last = np.abs([block for block in ending if block.any()][-1].astype(np.int32))
    assert last[-96:].mean() < last[:96].mean() / 10


def test_what_is_made_up_for_longer_than_100_ms_fades_within_another_100() -> None:
    reception = Reception()
    listen(reception, packets_of(tone(1.0, amplitude=20_000)))
    pulled = [reception.pull(1.0 + tick * CALL_SECONDS + 0.007) for tick in range(60)]
    loud = [rms_dbfs(block) for block in pulled]
    made_up_from = next(place for place, level in enumerate(loud) if level < loud[0] - 0.5)
    sounding = max(place for place, level in enumerate(loud) if level > -90)
    assert 10 < sounding - made_up_from <= 21, "calls of 10 ms"
    assert not any(block.any() for block in pulled[sounding + 2 :])


def test_sound_that_begins_in_the_middle_rises_instead_of_clicking() -> None:
    heard, _ = listen(Reception(), packets_of(tone(2.0, 300, 20_000))[50:])
    first = np.flatnonzero(heard)[0]
    assert np.abs(heard[first : first + 48].astype(np.int32)).max() < 4000
    assert np.abs(heard[first : first + BLOCK].astype(np.int32)).max() > 15_000


def test_a_lost_packet_is_not_heard_and_the_delay_stays() -> None:
    reception = Reception()
    heard, waiting = listen(reception, SPEECH, lambda index: None if index in {100, 250} else 0.0)
    assert reception.counters()["recovered"] >= 1, "the first loss made it wait for the copy of the second"
    place = slice(250 * BLOCK, 258 * BLOCK)
    assert likeness(offline(SPEECH)[place], heard[place.start : place.stop + 4 * BLOCK], most=4 * BLOCK) > 0.9
    assert waiting[2 * 248] == pytest.approx(waiting[-1], abs=10)


def test_a_tenth_of_the_packets_lost_still_sounds_like_all_of_them() -> None:
    chance = random.Random(3)
    lost = [chance.random() < 0.1 for _ in SPEECH]
    heard, _ = listen(Reception(), SPEECH, lambda index: None if lost[index] else 0.0)
    whole, _ = listen(Reception(), SPEECH)
    assert likeness(whole[250 * BLOCK : 450 * BLOCK], heard[250 * BLOCK : 454 * BLOCK], most=4 * BLOCK) > 0.85


def test_the_delay_is_back_five_seconds_after_a_stall() -> None:
    heard, waiting = listen(
        Reception(), SPEECH, lambda index: (215 - index) * BLOCK_SECONDS if 200 <= index < 215 else 0.0
    )
    assert waiting[2 * 230] > waiting[2 * 190] + 100
    assert waiting[2 * (215 + 250)] == pytest.approx(waiting[2 * 190], abs=10)
    assert rms_dbfs(heard[470 * BLOCK :]) > -30


@pytest.mark.parametrize("drift", [0.002, -0.002])
def test_clocks_that_differ_are_followed_without_running_dry(drift: float) -> None:
    reception = Reception()
    _, waiting = listen(reception, SPEECH * 4, drift=drift)
    counters = reception.counters()
    assert counters["dry"] == counters["late"] == counters["skipped"] == 0
    assert counters["shortened"] + counters["lengthened"] >= 3
    assert all(2 <= wait < 65 for wait in waiting[100:]), (min(waiting[100:]), max(waiting[100:]))


@pytest.mark.parametrize("samples", [480, 1920, 2880])
def test_packets_of_other_durations_are_heard_whole(samples: int) -> None:
    encoder, reception, sound = OpusEncoder(), Reception(), tone(2.4)
    packets = [encoder.encode(sound[start : start + samples]) for start in range(0, sound.size, samples)]
    heard: list[Samples] = []
    played = 0
    for index, packet in enumerate(packets):
        reception.put(index, index * samples, packet, index * samples / RATE)
        while played < index * samples:
            heard.append(reception.pull(played / RATE))
            played += heard[-1].size
    settled = np.concatenate(heard)[48_000:]
    assert abs(rms_dbfs(settled) - rms_dbfs(sound)) < 1.0
    assert np.abs(np.diff(settled.astype(np.int32))).max() < 1500


def test_a_flush_silences_the_next_block() -> None:
    reception = Reception()
    listen(reception, packets_of(tone(1.0)))
    reception.flush()
    assert not reception.pull(1.007).any()


def test_another_stream_is_heard_after_a_restart() -> None:
    reception = Reception()
    listen(reception, packets_of(tone(1.0)), first=60_000)
    reception.restart()
    heard, _ = listen(reception, packets_of(tone(1.0)), first=17)
    assert rms_dbfs(heard[10 * BLOCK :]) > -20


def test_corrupt_packets_are_counted_and_nothing_breaks() -> None:
    chance = random.Random(5)
    spoilt = [chance.randbytes(50) if index % 5 == 0 else packet for index, packet in enumerate(SPEECH)]
    reception = Reception()
    listen(reception, spoilt)
    counters = reception.counters()
    assert counters["corrupt"] + counters["malformed"] > 10
    assert counters["decoded"] > 400


def test_a_burst_is_made_up_as_by_the_best_decoder_though_in_pieces_of_10_ms() -> None:
    lost = range(200, 204)
    heard, _ = listen(Reception(), SPEECH, lambda index: None if index in lost else 0.0)
    decoder, best = OpusDecoder(), list[Samples]()
    for index, packet in enumerate(SPEECH):
        if index not in lost:
            best.append(decoder.decode(packet))
        else:
            best.append(decoder.conceal() if index < lost[-1] else decoder.decode_fec(SPEECH[index + 1]))
    place = slice(199 * BLOCK, 206 * BLOCK)
    around = heard[place.start : place.stop + 4 * BLOCK]
    assert likeness(np.concatenate(best)[place], around, most=4 * BLOCK) > 0.98


TONE = packets_of(tone(1.2))
LATENESS = st.one_of(st.none(), st.just(0.0), st.floats(0.0, 0.3))


@given(st.lists(st.tuples(LATENESS, st.booleans()), min_size=len(TONE), max_size=len(TONE)), st.integers(0, 0xFFFF))
@settings(max_examples=25, deadline=None)
def test_whatever_comes_whenever_nothing_is_heard_but_what_was_sent_and_what_replaces_it(
    network: list[tuple[float | None, bool]], first: int
) -> None:
    reception, heard = Reception(), list[tuple[float, Samples]]()
    coming = sorted(
        (index * BLOCK_SECONDS + late + again * 0.011, index)
        for index, (late, twice) in enumerate(network)
        if late is not None
        for again in range(1 + twice)
    )
    times = [at for at, _ in coming] or [0.0]
    now = 0.0
    while now < times[-1] + 1.0:
        while coming and coming[0][0] <= now:
            at, index = coming.pop(0)
            reception.put((first + index) & 0xFFFF, index * BLOCK, TONE[index], at)
        sound = reception.pull(now)
        assert sound.size > 0
        assert sound.size % CALL == 0
        heard.append((now, sound))
        now += sound.size / RATE
    counters = reception.counters()
    made_up = BLOCK * (counters["recovered"] + counters["concealed"]) + CALL * counters["dry"]
    sounding = sum(np.count_nonzero(sound) for _, sound in heard)
    assert sounding <= BLOCK * counters["decoded"] + made_up + 2 * BLOCK * counters["lengthened"]
    assert not any(sound.any() for at, sound in heard if at < times[0]), "nothing before anything came"
    assert not any(sound.any() for at, sound in heard if at > times[-1] + 0.85), "nor long after the last"
    assert np.abs(np.concatenate([sound for _, sound in heard]).astype(int)).max() < 1.5 * 8000, "nor louder"
    assert counters["corrupt"] == counters["malformed"] == 0
