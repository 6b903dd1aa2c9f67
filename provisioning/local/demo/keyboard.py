"""Single keys from a terminal, without Enter."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def keys() -> AsyncIterator[asyncio.Queue[str]]:
    """Give a queue of the keys that are pressed; the terminal is as before afterwards."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    pressed: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    tty.setcbreak(descriptor)

    def take() -> None:
        for key in os.read(descriptor, 64).decode(errors="ignore"):
            pressed.put_nowait(key)

    loop.add_reader(descriptor, take)
    try:
        yield pressed
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
