"""Several who ask at the same time wait for the disk together, each with a transaction of its own: what PostgreSQL needs.

Whoever adds to the audit holds its lock until COMMIT has returned. A COMMIT that waits for the disk lets nobody else come so
far that both could be written at once, and PostgreSQL's own `commit_delay` finds nobody to wait for. So in a crowd a COMMIT
does not wait, and the lock falls at once; then everybody waits for the disk, with one write for all who are there. Nobody is
told anything before that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from provisioning.together import CROWD, Begin, Crowd
from provisioning.undisturbed import undisturbed

C = TypeVar("C")
T = TypeVar("T")


class Shared:
    """Work that is good for everybody who came before it began; those who come while it is done share the next.

    When it has failed once, it has for all who come later, too.
    """

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._turn = asyncio.Lock()
        self._begun = self._done = 0
        """How often the work has begun, and which of these was the last that succeeded."""
        self.failure: Exception | None = None

    async def done(self) -> None:
        """Return when it has been done once from its beginning; raise what it raises."""
        mine = self._begun + 1
        async with self._turn:
            if self._done < mine:
                await self._do()

    async def _do(self) -> None:
        if self.failure is not None:
            raise self.failure
        self._begun += 1
        try:
            await undisturbed(self._work())
        except Exception as error:
            self.failure = error
            raise
        self._done = self._begun


class Hasty(Generic[C]):
    """Works with a transaction each; in a crowd, with one wait for the disk for all of them.

    `begin` opens a transaction, `hastily` one whose COMMIT does not wait for the disk. `disk` gives what returns when all that
    was committed before is there; it is asked for before the transaction begins, for it is good only as long as the database
    lives: one that has crashed in between, and is back, would write its log without what was lost.
    """

    def __init__(self, crowd: Crowd, begin: Begin[C], hastily: Begin[C], disk: Callable[[], Awaitable[Shared]]) -> None:
        self._crowd, self._begin, self._hastily, self._disk = crowd, begin, hastily, disk

    async def do(self, work: Callable[[C], Awaitable[T]]) -> T:
        """Return what `work` returns, once it is on the disk; raise what it raises, or what the database does."""
        if self._crowd.in_hand < CROWD:
            async with self._begin() as given:
                return await work(given)
        disk = await self._disk()
        async with self._hastily() as given:
            result = await work(given)
        await disk.done()
        return result
