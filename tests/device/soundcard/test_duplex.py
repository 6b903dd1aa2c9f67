from __future__ import annotations

import asyncio
import threading
import time

import numpy as np
import pytest

from device.audio.block import BLOCK, RATE
from device.soundcard.duplex import LOOK, PENDING, Duplex
from tests.device.soundcard.listening import Asked, Listener, noise


def from_a_thread(work: object) -> None:
    assert callable(work)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


async def test_pieces_of_any_length_become_whole_blocks() -> None:
    listener = Listener()
    duplex = Duplex(listener, 480)
    sound = noise(0.2)

    def capture() -> None:
        for start in range(0, len(sound), 700):
            piece = sound[start : start + 700]
            duplex.hear(piece, (start + len(piece)) / RATE)

    from_a_thread(capture)
    await listener.count(10)

    np.testing.assert_array_equal(listener.captured, sound)
    times = np.array([block.at for block in listener.blocks])
    np.testing.assert_allclose(times, np.arange(1, 11) * BLOCK / RATE)


async def test_a_busy_event_loop_loses_the_newest_and_counts_them() -> None:
    listener = Listener()
    duplex = Duplex(listener, 480)
    sound = np.repeat(np.arange(1, PENDING + 11, dtype=np.int16), BLOCK)

    from_a_thread(lambda: duplex.hear(sound, 1.0))
    await listener.count(PENDING)
    assert duplex.counters()["blocks_dropped"] == 10
    assert listener.blocks[-1].captured[0] == PENDING

    from_a_thread(lambda: duplex.hear(sound[:BLOCK], 2.0))
    await listener.count(1)
    assert duplex.counters()["blocks"] == PENDING + 1


async def test_a_block_waits_for_a_late_speaker() -> None:
    listener = Listener()
    duplex = Duplex(listener, 480)
    loop = asyncio.get_running_loop()
    sound = noise(1.0)
    duplex.ring.play(sound)
    start = loop.time()
    for number in range(4):
        duplex.speak(480, start + number * 0.01)
    duplex.hear(np.zeros(BLOCK, np.int16), start + 0.032)
    await listener.count(1)
    first = listener.blocks[0].played

    duplex.hear(np.zeros(BLOCK, np.int16), max(start + 0.052, loop.time()))
    await asyncio.sleep(0)
    for number in range(4, 7):
        duplex.speak(480, start + number * 0.01)
    await listener.count(1)

    assert duplex.counters()["pair_missing"] == 0
    second = listener.blocks[1].played
    offset = int(np.flatnonzero((np.lib.stride_tricks.sliding_window_view(sound, 50) == second[:50]).all(axis=1))[0])
    np.testing.assert_array_equal(second, sound[offset : offset + BLOCK])
    assert first.any()


async def test_nothing_is_delivered_once_closed() -> None:
    listener = Listener()
    duplex = Duplex(listener, 480)
    from_a_thread(lambda: duplex.hear(noise(0.1), 1.0))
    duplex.close()
    from_a_thread(lambda: duplex.hear(noise(0.1), 2.0))
    for _ in range(10):
        await asyncio.sleep(0)
    assert listener.blocks == []


async def test_more_is_asked_for_by_the_speakers_clock_and_given_in_time() -> None:
    rang = asyncio.Event()

    def feed() -> None:
        duplex.ring.play(np.ones(BLOCK, np.int16))
        rang.set()

    duplex = Duplex(Listener(), 480, feed)
    await asyncio.sleep(0)
    assert not rang.is_set(), "nobody plays yet"
    for _ in range(5):
        from_a_thread(lambda: duplex.speak(480, time.monotonic()))
        if duplex.ring.queued < 480:
            rang.clear()
            async with asyncio.timeout(2):
                await rang.wait()
            assert duplex.ring.queued >= BLOCK
    duplex.close()
    assert duplex.counters()["speaker_lead_ms"] == pytest.approx(5.0)


async def test_who_has_nothing_to_play_is_asked_again_a_little_later() -> None:
    asked = Asked()
    duplex = Duplex(Listener(), 480, asked)
    from_a_thread(lambda: duplex.speak(480, time.monotonic() - 1.0))
    async with asyncio.timeout(2):
        while asked.times < 3:
            await asyncio.sleep(LOOK)
    duplex.close()
    before = asked.times
    await asyncio.sleep(3 * LOOK)
    assert asked.times == before
