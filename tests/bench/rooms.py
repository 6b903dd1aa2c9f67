"""Rows in simulated time: what the path adds, clocks that differ, and rooms whose echo is to be taken out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import soxr
import webrtcvad

from device.audio.block import BLOCK, BLOCK_SECONDS, CALL, RATE, SILENCE, Samples
from device.audio.doubletalk import DoubleTalk
from device.audio.echo import Aec3, EchoControl, EchoMode, choose_echo
from device.audio.jitter import FADE, LONGEST_CONCEALMENT
from device.audio.ladder import guarded
from device.audio.level import energies, rms_dbfs
from device.audio.opus import OpusDecoder, OpusEncoder, OpusSettings
from device.soundcard.room import Room
from device.soundcard.settings import RoomSettings
from device.soundcard.tap import Tap
from tests.bench.impairments import ALL
from tests.bench.quality import judge, lag
from tests.bench.rows import Row, at_least, at_most
from tests.bench.simulated import receive
from tests.bench.utterances import Speech, encoded, floor, speech

ENDING = (LONGEST_CONCEALMENT + FADE) // CALL
"""Calls of the speaker for which sound is made up when a sender has ended."""
_FRAME = 480  # samples that a card gives at once


def blocks(sound: Samples) -> list[Samples]:
    """Return the sound in whole blocks."""
    return [sound[start : start + BLOCK] for start in range(0, sound.size - BLOCK + 1, BLOCK)]


def arrival_rows(said: Speech) -> Iterator[Row]:
    """Packet arrival to sample handed to the card: eight phases of the clocks, no impairment, median."""
    packets = encoded(said.samples)
    whole = floor(packets, [True] * len(packets))
    found = [receive(packets, [0.0] * len(packets), seed=seed) for seed in range(8)]
    delays = [judge(said, heard.samples, whole).delay_ms for heard in found]
    yield at_most("added receive delay, simulated clocks", float(np.median(delays)), "ms", 60, 45)
    yield Row("added receive delay, worst of eight phases", max(delays), "ms")


def network_rows(said: Speech) -> Iterator[Row]:
    """What every bad network does to the path itself: the same traces as on the wire, against the floor."""
    packets = encoded(said.samples)
    whole = floor(packets, [True] * len(packets))
    for impairment in ALL:
        trace = impairment.trace(len(packets))
        best = judge(said, floor(packets, [late is not None for late in trace]))
        heard = receive(packets, trace, sender_ppm=impairment.ppm)
        got = judge(said, heard.samples, whole, impairment.ppm)
        name = f"simulated, {impairment.name}"
        row = at_least(f"{name}: PESQ-WB", got.pesq, "", round(best.pesq - 0.15, 2), round(best.pesq - 0.05, 2))
        yield replace(row, peers={"floor": best.pesq})
        yield Row(f"{name}: delay to the card", got.delay_ms, "ms")


def stall_rows(said: Speech) -> Iterator[Row]:
    """The network stands still for 200 ms, once: how much later packets wait five seconds after it."""
    packets = encoded(said.samples)
    trace = [max(0.0, (610 - index) * BLOCK_SECONDS) if 600 <= index < 610 else 0.0 for index in range(len(packets))]
    waits = receive(packets, list(trace)).waiting_ms
    at = 600 + 10  # blocks: 0.2 s before the first packet is sent
    row = abs(float(np.median(waits[at + 260 : at + 270]) - np.median(waits[at - 60 : at - 10])))
    yield at_most("delay five seconds after a stall of 200 ms, against before", row, "ms", 10)


def drift_rows(said: Speech) -> Iterator[Row]:
    """Ten minutes of talk; both clocks off the microphone's by 200 ppm, against each other."""
    packets = encoded(np.tile(said.samples, 1 + 600 * RATE // said.samples.size)[: 600 * RATE])
    for ppm in (200.0, -200.0):
        heard = receive(packets, [0.0] * len(packets), sender_ppm=ppm, speaker_ppm=-ppm)
        waits = np.array(heard.waiting_ms[1000:-100])
        name = f"10 min at {ppm:+.0f} ppm"
        made_up = heard.counters["dry"] + heard.counters["concealed"] - ENDING
        yield at_most(f"{name}: blocks made up and underruns", made_up + heard.counters["underruns"], "", 0)
        off = float(np.abs(waits - np.median(waits)).max())
        yield at_most(f"{name}: how far the delay gets from its median", off, "ms", 20)


def uplink_rows(said: Speech) -> Iterator[Row]:
    """Speech in a room with a noise floor of -65 dBFS through echo control, noise suppression and the uplink's codec."""
    noise = np.random.default_rng(1).standard_normal(said.samples.size) * 10 ** (-65 / 20) * 32768
    captured = (said.samples + noise).clip(-32768, 32767).astype(np.int16)
    control, settings = choose_echo(EchoMode.AEC3), OpusSettings()
    encoder = OpusEncoder(
        bit_rate=settings.bit_rate,
        complexity=settings.complexity,
        expected_loss_percent=settings.expected_loss_percent,
    )
    decoder = OpusDecoder()
    near = [control.process(block, SILENCE) for block in blocks(captured)]
    sent = np.concatenate([decoder.decode(encoder.encode(block)) for block in near])
    yield at_least("uplink PESQ-WB, processing on, quiet room", judge(said, sent).pesq, "", 3.6, 4.1)
    span = said.spans[0]
    late = lag(said.samples[span], np.concatenate(near)[span.start : span.stop + RATE // 2])
    yield at_most("uplink: delay of the echo control", late / RATE * 1000, "ms", 25, 15)


@dataclass(frozen=True)
class Case:
    """One room."""

    name: str
    settings: RoomSettings
    drift_ppm: float = 0.0
    """How much faster the speaker's clock is than the microphone's; the tap pairs the two as on a device."""
    jump: float = 0.0
    """Seconds by which the echo is later from the middle on."""


CASES = (
    *(Case(f"echo {loss:g} dB, 80 ms", RoomSettings(echo_loss=loss)) for loss in (0.0, 6.0, 12.0)),
    *(Case(f"echo 6 dB, {1000 * delay:.0f} ms", RoomSettings(delay=delay)) for delay in (0.040, 0.120, 0.250)),
    *(Case(f"echo 6 dB, {ppm:+d} ppm", RoomSettings(), drift_ppm=ppm) for ppm in (100, 200, -200)),
    Case("echo 6 dB, jump of 40 ms", RoomSettings(), jump=0.040),
)


def room_rows(far: Speech, near: Speech) -> Iterator[Row]:
    """The robot talks alone, then somebody talks too; AEC3 with noise suppression, and the ladder over it."""
    for case in CASES:
        alone = far.samples
        both = np.pad(near.samples, (alone.size, 0))
        played = np.concatenate((alone, alone[-near.samples.size :]))  # not the words that the other says just then
        captured = _heard(case, played, np.pad(both, (0, max(0, played.size - both.size))))
        cleaned, lowered = _process(guarded(Aec3()), captured, _paired(case, played))
        size = alone.size
        raw, rest = rms_dbfs(captured[RATE:size]), rms_dbfs(cleaned[RATE:size])
        name = f"room, {case.name}"
        at_six = case.settings.echo_loss == 6.0
        removed = at_least(f"{name}: echo removed after 1 s", raw - rest, "dB", 40, 45)
        yield removed if at_six else Row(removed.name, removed.value, "dB")
        yield at_most(f"{name}: robot alone called speech", 100 * _voiced(cleaned[:size]), "%", 1, 0)
        wanted = _mask(near.samples)
        share = 100 * _voiced(cleaned[size : size + wanted.size * BLOCK], wanted)
        yield at_most(
            f"{name}: robot alone lowered for nobody", 100 * float(lowered[50 : size // BLOCK].mean()), "%", 1, 0
        )
        barge = at_least(f"{name}: both, called speech", share, "%", 65, 75)
        yield barge if at_six else Row(barge.name, share, "%")


def _heard(case: Case, played: Samples, near: Samples) -> Samples:
    speaker = played
    if case.drift_ppm:
        rate = RATE * (1 + case.drift_ppm * 1e-6)
        speaker = soxr.resample(played.astype(np.float32), rate, RATE).astype(np.int16)
    if case.jump:
        middle = played.size // 4
        held = np.zeros(round(case.jump * RATE), np.int16)
        speaker = np.concatenate((played[:middle], held, played[middle:]))
    speaker = np.resize(speaker, played.size)
    room = Room(case.settings, _FRAME)
    pieces = range(0, played.size - _FRAME + 1, _FRAME)
    return np.concatenate([room.hear(speaker[at : at + _FRAME], near[at : at + _FRAME]) for at in pieces])


def _paired(case: Case, played: Samples) -> Samples:
    """Return what the tap pairs with each block of the microphone, when the speaker's clock is another."""
    if not case.drift_ppm:
        return played
    tap, period, calls = Tap(_FRAME), _FRAME / RATE / (1 + case.drift_ppm * 1e-6), 0
    pairs = []
    for number in range(played.size // BLOCK):
        at = (number + 1) * BLOCK_SECONDS
        while calls * period <= at:
            tap.write(played[calls * _FRAME : (calls + 1) * _FRAME].tobytes(), calls * period)
            calls += 1
        pairs.append(tap.pair(number * BLOCK, BLOCK, at))
    return np.concatenate(pairs)


def _process(control: EchoControl, captured: Samples, played: Samples) -> tuple[Samples, np.typing.NDArray[np.bool_]]:
    """Return what is left of the microphone, and in which blocks both were found to speak."""
    double_talk, cleaned, found = DoubleTalk(), list[Samples](), list[bool]()
    for near, far in zip(blocks(captured), blocks(played), strict=False):
        cleaned.append(control.process(near, far))
        double_talk.add(energies(near, cleaned[-1], far))
        found.append(double_talk.active)
    return np.concatenate(cleaned), np.array(found)


def _mask(sound: Samples) -> np.typing.NDArray[np.bool_]:
    return np.array([rms_dbfs(block) > -40 for block in blocks(sound)])


def _voiced(sound: Samples, where: np.typing.NDArray[np.bool_] | None = None) -> float:
    """Return the share of blocks that WebRTC's detector, at its strictest, calls speech."""
    detector = webrtcvad.Vad(3)
    called = np.array([detector.is_speech(block.tobytes(), RATE) for block in blocks(sound)])
    return float(called.mean() if where is None else called[where[: called.size]].mean())


def rows(utterances: int) -> Iterator[Row]:
    """Give every row of this file."""
    said = speech(utterances)
    yield from arrival_rows(said)
    yield from stall_rows(speech(8))
    yield from drift_rows(said)
    yield from uplink_rows(said)
    yield from room_rows(said, speech(3))
    yield from network_rows(said)
