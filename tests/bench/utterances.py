"""Known speech: eight utterances of espeak-ng, and the same as Opus packets with forward error correction."""

from __future__ import annotations

import subprocess
import wave
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
import soxr

from device.audio.block import BLOCK, RATE, Samples
from device.audio.opus import OpusDecoder, OpusEncoder

TEXTS: Final = (
    ("en-us", "Good morning, what would you like to talk about today?"),
    ("en-gb+f2", "The quick brown fox jumps over the lazy dog near the river."),
    ("en-us+m3", "Please turn the light on and tell me what time it is."),
    ("en-gb", "A robot that hears itself is no pleasure to talk to."),
    ("en-us+f4", "Six bright birds were singing on the old wooden fence."),
    ("en-gb+m7", "We will be on the air in five minutes, so hurry up."),
    ("en-us+f1", "My favourite season is autumn, when the leaves turn red."),
    ("en-gb+m2", "Thank you very much, and good night to everybody."),
)
"""Voices and sentences, about three seconds each."""

LEAD: Final = RATE
"""Samples of silence before the first: a receiver settles meanwhile."""
PAUSE: Final = RATE // 2
"""Samples of silence after each."""

_LEVEL: Final = 10 ** (-24 / 20) * 32768.0  # RMS of an utterance


@dataclass(frozen=True)
class Speech:
    """One recording and where in it each utterance lies."""

    samples: Samples
    spans: tuple[slice, ...]


def speech(count: int = len(TEXTS)) -> Speech:
    """Return the first `count` utterances with silence around them."""
    parts: list[Samples] = [np.zeros(LEAD, np.int16)]
    spans, place = [], LEAD
    for voice, text in TEXTS[:count]:
        said = spoken(voice, text)
        parts += [said, np.zeros(PAUSE, np.int16)]
        spans.append(slice(place, place + said.size))
        place += said.size + PAUSE
    whole = np.concatenate(parts)
    return Speech(np.pad(whole, (0, -whole.size % BLOCK)), tuple(spans))


def spoken(voice: str, text: str) -> Samples:
    """Return one utterance at -24 dBFS RMS."""
    command = ["espeak-ng", "-v", voice, "-s", "155", "--stdout", text]
    data = subprocess.run(command, check=True, capture_output=True, timeout=30).stdout
    with wave.open(BytesIO(data)) as sound:
        rate, raw = sound.getframerate(), sound.readframes(sound.getnframes())
    wide = soxr.resample(np.frombuffer(raw, np.int16).astype(np.float64), rate, RATE, quality="HQ")
    loud = wide * (_LEVEL / np.sqrt(np.mean(wide**2)))
    said: Samples = np.clip(np.rint(loud), -32000, 32000).astype(np.int16)
    return said


def encoded(sound: Samples) -> list[bytes]:
    """Return one packet for each 20 ms: 64 kbit/s, a copy of each in the next."""
    encoder = OpusEncoder(bit_rate=64_000, expected_loss_percent=10, complexity=9)
    return [encoder.encode(sound[start : start + BLOCK]) for start in range(0, sound.size, BLOCK)]


def floor(packets: list[bytes], arrived: list[bool]) -> Samples:
    """Return what the best decoder makes of the packets that arrived, given all the time in the world."""
    decoder, sound = OpusDecoder(), list[Samples]()
    for index, packet in enumerate(packets):
        follows = index + 1 < len(packets) and arrived[index + 1]
        if arrived[index]:
            sound.append(decoder.decode(packet))
        else:
            sound.append(decoder.decode_fec(packets[index + 1]) if follows else decoder.conceal())
    return np.concatenate(sound)
