from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from device.errors import CodecError
from device.rtc.h264 import H264Encoder
from device.rtc.pictures import LONGEST_QUEUE, PictureSender, PictureSettings

SETTINGS = PictureSettings(64, 48, rate=100, bit_rate=100_000)


class Grey:
    """Gets a step lighter every `every` looks."""

    def __init__(self, every: int = 1) -> None:
        self._every, self.looks, self.drawn = every, 0, 0

    def look(self, _now: float) -> int:
        self.looks += 1
        return self.looks // self._every

    def draw(self, look: int, /) -> NDArray[np.uint8]:
        self.drawn += 1
        return np.full((48, 64, 3), look % 256, np.uint8)


@asynccontextmanager
async def running(sender: PictureSender) -> AsyncIterator[None]:
    task = asyncio.create_task(sender.run())
    try:
        async with asyncio.timeout(5):
            yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        sender.track.stop()


async def sent(sender: PictureSender) -> av.Packet[av.VideoStream]:
    packet = await sender.track.recv()
    assert isinstance(packet, av.Packet)
    return packet


def whole(packet: av.Packet[av.VideoStream]) -> bool:
    """Tell whether it holds an IDR slice (NAL unit type 5) with what is needed to begin there (7, 8)."""
    kinds = {part[0] & 31 for part in bytes(packet).split(b"\0\0\1")[1:]}
    return kinds >= {5, 7, 8}


async def test_the_first_picture_is_whole_and_the_next_is_not_until_somebody_asks() -> None:
    sender = PictureSender(Grey(), SETTINGS)
    async with running(sender):
        assert [whole(await sent(sender)) for _ in range(4)] == [True, False, False, False]
        sender._track.want_whole()
        assert any([whole(await sent(sender)) for _ in range(3)])


async def test_what_stays_the_same_is_not_drawn_again() -> None:
    motif = Grey(every=5)
    sender = PictureSender(motif, SETTINGS)
    async with running(sender):
        for _ in range(21):
            await sent(sender)
    counters = sender.counters()
    assert motif.drawn == counters["pictures"] - counters["pictures_repeated"]
    assert motif.drawn <= 6


async def test_when_the_connection_does_not_take_them_pictures_are_dropped_and_what_follows_is_whole() -> None:
    sender = PictureSender(Grey(), SETTINGS)
    async with running(sender):
        while sender.counters()["pictures_dropped"] == 0:
            await asyncio.sleep(0.005)
        dropped = sender.counters()["pictures_dropped"]
        assert dropped >= LONGEST_QUEUE
        assert whole(await sent(sender))


async def test_pictures_that_take_too_long_are_left_out_and_counted() -> None:
    class Slow(Grey):
        def draw(self, look: int, /) -> NDArray[np.uint8]:
            until = time.monotonic() + 0.025
            while time.monotonic() < until:
                np.ones(100).sum()
            return super().draw(look)

    sender = PictureSender(Slow(), SETTINGS)
    async with running(sender):
        for _ in range(3):
            await sent(sender)
    assert sender.counters()["pictures_late"] >= 4


async def test_it_decodes_to_what_was_drawn() -> None:
    encoder = H264Encoder(64, 48, rate=10, bit_rate=100_000)
    decoder = av.CodecContext.create("h264", "r")
    for number in range(3):
        shade = 60 * (number + 1)
        data = encoder.encode(np.full((48, 64, 3), shade, np.uint8), number * 9000, whole=number == 0)
        (frame,) = decoder.decode(av.Packet(data))
        assert isinstance(frame, av.VideoFrame)
        assert abs(float(frame.to_ndarray(format="rgb24").mean()) - shade) < 4


@pytest.mark.skipif(Path("/dev/video11").exists(), reason="this board has the encoder of a Pi")
def test_an_encoder_that_is_not_there_is_an_error_that_says_what_to_set() -> None:
    with pytest.raises(CodecError, match="picture_encoder"):
        H264Encoder(640, 360, rate=10, bit_rate=100_000, encoder="h264_v4l2m2m")
