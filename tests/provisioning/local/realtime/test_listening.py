from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RtpPacket
from av import AudioFrame

from provisioning.local.realtime.listening import PromptBuffer, frames


class Arrivals(MediaStreamTrack):
    kind = "audio"

    def __init__(self, times: Sequence[int]) -> None:
        super().__init__()
        self._times = list(times)

    async def recv(self) -> AudioFrame:
        if not self._times:
            raise MediaStreamError
        frame = AudioFrame.from_ndarray(np.full((1, 1920), 7, np.int16), format="s16", layout="stereo")
        frame.pts, frame.sample_rate, frame.time_base = self._times.pop(0) * 960, 48_000, Fraction(1, 48_000)
        return frame


async def heard(times: Sequence[int]) -> list[bool]:
    return [bool(samples.any()) async for samples in frames(Arrivals(times))]


async def test_what_is_lost_is_silence() -> None:
    assert await heard([0, 1, 4, 5]) == [True, True, False, False, True, True]


async def test_a_clock_that_jumped_is_believed() -> None:
    assert await heard([0, 1000, 1001]) == [True, True, True]


def packet(number: int) -> RtpPacket:
    made = RtpPacket(sequence_number=number, timestamp=number * 960)
    made._data = bytes([number % 256])  # type: ignore[attr-defined]
    return made


def test_every_packet_goes_on_at_once_and_late_ones_never() -> None:
    buffer = PromptBuffer()
    passed = [buffer.add(packet(number))[1] for number in (65_534, 65_535, 1, 0, 1, 2)]
    assert [frame and frame.data[0] for frame in passed] == [254, 255, 1, None, None, 2]
