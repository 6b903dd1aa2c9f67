"""Changes of the sound's form: rate, WAV, Opus."""

from __future__ import annotations

import io
import wave

import av
import numpy as np

from provisioning.local.realtime.sound import RATE, Samples


def resampled(samples: Samples, rate: int, target: int) -> Samples:
    """Return `samples` of `rate` Hz at `target` Hz."""
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = rate
    resampler = av.AudioResampler(format="s16", layout="mono", rate=target)
    frames = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray()[0] for part in frames]).astype(np.int16)


def from_wave(data: bytes) -> Samples:
    """Return the sound in a mono 16-bit WAV file at 48 kHz; espeak-ng writes 22 050 Hz and a length it cannot know."""
    with wave.open(io.BytesIO(data)) as file:
        rate = file.getframerate()
    return resampled(np.frombuffer(data[44 : len(data) - len(data) % 2], np.int16), rate, RATE)


class Encoder:
    """Opus, mono, with in-band FEC: one packet for each 20 ms."""

    def __init__(self, bitrate: int) -> None:
        self._codec = av.CodecContext.create("libopus", "w")
        self._codec.bit_rate, self._codec.format = bitrate, "s16"
        self._codec.layout, self._codec.sample_rate = "mono", RATE
        self._codec.options = {"application": "voip", "compression_level": "5", "fec": "1", "packet_loss": "10"}

    def encode(self, samples: Samples) -> bytes:
        """Return the packet for the next `samples`, shape (960,)."""
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        return b"".join(bytes(packet) for packet in self._codec.encode(frame))
