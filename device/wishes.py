"""PURE. What operators want said or answered in a conversation, until the model has answered it.

A call may be gone before it has answered, or before anybody knows that it is gone: what is still open is put to the call that
takes its place. Nothing counts as done before the model has answered, and what is open when the conversation ends has failed.
"""

from __future__ import annotations

from collections.abc import Iterator

from device import command as do
from device import phase as p
from device.command import Command

Wish = p.SayWished | p.Written


class Wishes:
    """The wishes of one conversation that are open, oldest first."""

    def __init__(self) -> None:
        self._open: dict[int, Wish] = {}

    def keep(self, wish: Wish) -> None:
        """Take a wish for the next call."""
        self._open[wish.wish] = wish

    def put(self, wish: Wish, session: str) -> Iterator[Command]:
        """Take a wish, and put it to the call in use."""
        self.keep(wish)
        yield _put(wish, session)

    def put_again(self, session: str) -> Iterator[Command]:
        """Another call is in use: put to it what is open."""
        for wish in self._open.values():
            yield _put(wish, session)

    def heeded(self, event: p.Heeded) -> Iterator[Command]:
        """The model has answered one of them, or refused to; what is told twice is told on once."""
        if self._open.pop(event.wish, None) is not None:
            yield do.Settle(event.wish, event.why_not)

    def drop(self, why_not: str) -> Iterator[Command]:
        """The conversation has ended: nothing that is open will be answered."""
        given_up, self._open = list(self._open), {}
        for wish in given_up:
            yield do.Settle(wish, why_not)


def _put(wish: Wish, session: str) -> Command:
    kind = do.Prompt if isinstance(wish, p.SayWished) else do.Write
    return kind(session, wish.text, wish.wish)
