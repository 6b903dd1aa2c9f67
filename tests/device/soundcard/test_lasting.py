"""A card that is unplugged and plugged in again: here the PulseAudio server behind it ends and begins anew."""

from __future__ import annotations

import asyncio
from functools import partial

import numpy as np
import pytest

from device.audio.block import BLOCK_SECONDS
from device.errors import SoundError
from device.soundcard.lasting import LastingCard, Standstill, lasting
from device.soundcard.pyaudio_card import PyAudioCard
from device.soundcard.settings import SoundSettings
from tests.device.soundcard.listening import Asked, Listener, noise
from tests.pulse import Socket, socket

__all__ = ["socket"]

PATIENCE = 10.0


class Words:
    """What was told, in order."""

    def __init__(self) -> None:
        self._told: asyncio.Queue[str] = asyncio.Queue()

    def __call__(self, text: str) -> None:
        self._told.put_nowait(text)

    async def next(self) -> str:
        async with asyncio.timeout(PATIENCE):
            return await self._told.get()


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LastingCard, "RETRY_SECONDS", 0.05)


async def test_a_card_that_was_pulled_out_is_opened_again(socket: Socket) -> None:
    listener, words, asked = Listener(), Words(), Asked()
    async with lasting(partial(PyAudioCard, SoundSettings(), listener), listener, asked, words) as card:
        await listener.count(10)
        await asyncio.to_thread(socket.pull_out)
        assert await words.next() == "the sound card is gone: default and default"
        card.play(noise(0.1))
        assert (card.queued, card.flush()) == (0, 0)
        known, asked_before = len(listener.blocks), asked.times
        await listener.count(10)
        assert asked.times - asked_before == 10, "what would be played is asked for, and dropped"
        assert not any(block.captured.any() for block in listener.blocks[known:])
        times = np.array([block.at for block in listener.blocks[known:]])
        assert np.diff(times) == pytest.approx(BLOCK_SECONDS)
        before = card.counters()
        await asyncio.to_thread(socket.plug_in)
        assert await words.next() == ""
        known = len(listener.blocks)
        card.play(noise(0.1))
        await listener.until(lambda: any(block.played.any() for block in listener.blocks[known:]))
        after = card.counters()
    assert after["reopening_attempts"] > before["reopening_attempts"] > 0
    assert all(after[name] >= before[name] for name in ("blocks", "spoken", "speaker_underruns", "pair_jumps"))


async def test_it_ends_while_it_searches_and_does_not_begin_without_a_card(socket: Socket) -> None:
    words = Words()
    async with lasting(partial(PyAudioCard, SoundSettings(), Listener()), Listener(), Asked(), words):
        await asyncio.to_thread(socket.pull_out)
        assert await words.next()
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not {name for name in names if "sound card" in name}
    with pytest.raises(SoundError, match="speaker"):
        async with lasting(partial(PyAudioCard, SoundSettings(), Listener()), Listener(), Asked(), words):
            pass


def test_one_direction_that_stands_still_for_long_is_a_standstill() -> None:
    still = Standstill()
    assert not still.found((1, 5), 100.0)
    assert not still.found((1, 6), 100.0 + Standstill.LONGEST)
    assert still.found((1, 7), 100.1 + Standstill.LONGEST) == "nothing was heard for 1.6 s"
    assert not still.found((2, 8), 100.2 + Standstill.LONGEST)
    assert still.found((3, 8), 100.3 + 2 * Standstill.LONGEST) == "nothing was played for 1.6 s"
