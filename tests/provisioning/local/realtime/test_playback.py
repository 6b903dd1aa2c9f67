import asyncio
import itertools
import time

import av
import numpy as np

from provisioning.local.realtime import sound
from provisioning.local.realtime.mouth import Utterance
from provisioning.local.realtime.playback import Playback


def tone(milliseconds: int) -> Utterance:
    wave = 8000 * np.sin(np.arange(48 * milliseconds) * 2 * np.pi * 440 / 48_000)
    return Utterance("tone", wave.astype(np.int16))


async def test_packets_are_opus_of_20_ms_one_tick_apart_and_not_early() -> None:
    playback, decoder = Playback(), av.CodecContext.create("libopus", "r")
    decoder.sample_rate, decoder.layout = 48_000, "mono"
    begun = time.monotonic()
    ended = playback.play(tone(100))
    packets = [await playback.recv() for _ in range(5)]
    assert time.monotonic() - begun >= 0.08
    assert [b.pts - a.pts for a, b in itertools.pairwise(packets) if a.pts and b.pts] == [960] * 4
    decoded = np.concatenate([frame.to_ndarray()[0] for packet in packets for frame in decoder.decode(packet)])
    assert len(decoded) == 4800
    last = asyncio.create_task(playback.recv())
    assert await ended is True
    last.cancel()


async def test_a_cut_ends_it_at_once_and_tells_how_much_was_played() -> None:
    playback = Playback()
    ended = playback.play(tone(1000))
    for _ in range(3):
        await playback.recv()
    assert playback.cut() == 60
    assert await ended is False
    assert not playback.playing


async def test_time_stamps_move_on_in_silence() -> None:
    playback = Playback()
    playback.play(tone(20))
    first = await playback.recv()
    waiting = asyncio.create_task(playback.recv())
    await asyncio.wait({waiting}, timeout=0.1)
    playback.play(tone(20))
    second = await waiting
    assert first.pts is not None
    assert second.pts is not None
    assert second.pts - first.pts >= 4 * sound.FRAME
