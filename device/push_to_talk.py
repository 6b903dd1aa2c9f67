"""The floor of a conversation by push-to-talk: the microphone opens at the press, and closes a moment after the release."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final, Protocol

from device.audio.block import BLOCK_SECONDS

TAIL: Final = 0.2
"""Seconds for which the microphone stays open after the button came up: thumbs are quicker than tongues, and what was said
last is still on its way through the sound card, the encoder and the network, which the commit would overtake."""


class Microphone(Protocol):
    """The part of the voice path that is needed here."""

    waiting: bool

    @property
    def behind(self) -> int:
        """Blocks that were kept and are still to be sent."""


class Line(Protocol):
    """The part of the call that is needed here."""

    def take_floor(self, *, fresh: bool) -> None:
        """Somebody is heard from now on."""

    def give_floor(self, *, answer: bool) -> None:
        """They have been heard to their end."""


Start = Callable[[Coroutine[None, None, None]], asyncio.Task[None]]
"""Runs something as a task that ends with the session."""


class PushToTalk:
    """Takes and gives the floor of one session."""

    def __init__(self, microphone: Microphone, start: Start) -> None:
        self._microphone, self._start = microphone, start
        self._giving: asyncio.Task[None] | None = None

    def take(self, line: Line, *, fresh: bool) -> None:
        """Open the microphone; whoever presses again before the last turn was given goes on with it."""
        self._microphone.waiting = False
        if self._giving is not None and not self._giving.done():
            self._giving.cancel()
            return
        line.take_floor(fresh=fresh)

    def give(self, line: Line, *, answer: bool) -> None:
        """Close the microphone as soon as everything that was said has been sent, and then give the floor."""
        self._giving = self._start(self._give(line, answer=answer))

    async def _give(self, line: Line, *, answer: bool) -> None:
        if answer:
            await asyncio.sleep(TAIL + self._microphone.behind * BLOCK_SECONDS)  # one block is caught up with each
        self._microphone.waiting = True
        line.give_floor(answer=answer)
