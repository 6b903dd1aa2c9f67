"""What the tests of sound cards share: somebody who takes the blocks, and sounds that are easy to find again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np

from device.audio.block import RATE, Block, Samples


class Listener:
    """Takes blocks, and lets a test wait for what they bring."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._more = asyncio.Event()

    def __call__(self, block: Block) -> None:
        self.blocks.append(block)
        self._more.set()

    async def until(self, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        """Return after the block that made the condition true."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._more.clear()
                await self._more.wait()

    async def count(self, blocks: int) -> None:
        """Return when this many more blocks have come."""
        wanted = len(self.blocks) + blocks
        await self.until(lambda: len(self.blocks) >= wanted)

    @property
    def played(self) -> Samples:
        return np.concatenate([block.played for block in self.blocks])

    @property
    def captured(self) -> Samples:
        return np.concatenate([block.captured for block in self.blocks])


class Asked:
    """Counts how often it was asked for more to play."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


def noise(seconds: float, seed: int = 1, level: float = 3000.0) -> Samples:
    return (
        (np.random.default_rng(seed).standard_normal(round(seconds * RATE)) * level)
        .clip(-32768, 32767)
        .astype(np.int16)
    )


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.int16)


def find(needle: Samples, hay: Samples) -> int:
    """Return where in `hay` the `needle` fits best; its sign does not matter."""
    size = len(needle) + len(hay)
    spectrum = np.fft.rfft(hay, size) * np.conj(np.fft.rfft(needle, size))
    return int(np.argmax(np.abs(np.fft.irfft(spectrum, size)[: len(hay) - len(needle) + 1])))
