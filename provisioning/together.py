"""Several who ask at the same time share one transaction, and with it one wait for the disk.

In a crowd, the first waits a moment for others: it costs nobody anything that a request does not wait for anyway, and what
is done for several at once takes half of the processor's time of what is done for each by itself, because what it needs is
in the caches. This is for SQLite, which has one writer; PostgreSQL has `provisioning/hasty.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, Final, Generic, TypeVar

from provisioning.undisturbed import undisturbed

CROWD: Final = 8
"""Requests in hand from which on the first waits for others; at 100 a second, there are one or two."""

ENOUGH: Final = 16
"""Works that nobody waits for any longer."""

PAUSES: Final = (0.001, 0.001, 0.001)
"""Seconds after each of which it is looked whether there are enough."""

C = TypeVar("C")
T = TypeVar("T")

Begin = Callable[[], AbstractAsyncContextManager[C]]
Apart = Callable[[], AbstractAsyncContextManager[None]]


class Crowd:
    """How many requests are in hand."""

    def __init__(self) -> None:
        self.in_hand = 0

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Be one of them while the context is open; its works come from time to time."""
        self.in_hand += 1
        try:
            yield
        finally:
            self.in_hand -= 1


class _Work(Generic[C, T]):
    """What somebody wants done, and what came of it."""

    def __init__(self, do: Callable[[C], Awaitable[T]]) -> None:
        self._do = do
        self.told: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._result: T | None = None
        self._error: Exception | None = None

    async def attempt(self, given: C, apart: Apart) -> None:
        """Do it; if it fails, what it did is undone."""
        try:
            async with apart():
                self._result = await self._do(given)
        except Exception as error:  # noqa: BLE001 - it is raised where the work came from
            self._error = error

    def tell(self, error: Exception | None = None) -> None:
        """Tell who waits what came of it, or that nothing did because of `error`."""
        trouble = self._error or error
        if trouble is None:
            self.told.set_result(self._result)  # type: ignore[arg-type]  # T may be None itself
        else:
            self.told.set_exception(trouble)


class Together(Generic[C]):
    """Works that share transactions; each of them happens as a whole or not at all, whatever becomes of the others.

    `begin` opens a transaction, and `apart` a part of it that can fail alone. The first to come begins one; whoever
    comes until it has begun is taken along.
    """

    def __init__(self, crowd: Crowd, begin: Begin[C], apart: Apart) -> None:
        self._crowd, self._begin, self._apart = crowd, begin, apart
        self._waiting: list[_Work[C, Any]] = []

    async def do(self, work: Callable[[C], Awaitable[T]]) -> T:
        """Return what `work` returns, once it is in the database; raise what it raises, or what the database does.

        Who is cancelled meanwhile is so when it is done: others are in the same transaction.
        """
        one: _Work[C, T] = _Work(work)
        self._waiting.append(one)
        if len(self._waiting) == 1:
            await undisturbed(self._serve())
        return await undisturbed(one.told)

    async def _serve(self) -> None:
        taken: list[_Work[C, Any]] = []
        failure: Exception | None = None
        await self._gathered()
        try:
            async with self._begin() as given:
                taken, self._waiting = self._waiting, []
                for work in taken:
                    await work.attempt(given, self._apart)
        except Exception as error:  # noqa: BLE001 - likewise
            failure = error
        if not taken:
            taken, self._waiting = self._waiting, []
        for work in taken:
            work.tell(failure)

    async def _gathered(self) -> None:
        for pause in PAUSES:
            if self._crowd.in_hand < CROWD or len(self._waiting) >= ENOUGH:
                return
            await asyncio.sleep(pause)
