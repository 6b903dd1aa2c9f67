"""Which minters are alive: each holds a lock that falls with its process, whatever ends it.

A minter that is killed leaves requests behind that it had taken up. Their robots ask again with the same bytes, and
whichever minter is asked must know whether the one that took them up will still answer.
"""

from __future__ import annotations

import asyncio
import fcntl
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Final, Protocol, Self

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from device.errors import SettingsError, StoreError
from provisioning.advisory import AdvisoryLock, first_line

_CLASS: Final = 0x6B616D00_00000000
"""Upper half of the advisory locks of minters on PostgreSQL; the lower is the minter's name."""


class Duty(Protocol):
    """One minter's own name, new each time one starts, and what became of others."""

    @property
    def name(self) -> str:
        """Eight hex digits."""

    async def left(self, other: str) -> bool:
        """Tell whether the minter of this name has ended; nobody knows of one without a name.

        Raises:
            StoreError: it cannot be told.
        """

    async def keep(self) -> None:
        """Look after the lock, for ever."""


@asynccontextmanager
async def on_duty(url: str, folder: Path) -> AsyncIterator[Duty]:
    """Be a minter of the store at `url` while the context is open; on SQLite by a file in `folder`.

    Raises:
        StoreError: the store does not answer, or `url` is none.
        SettingsError: the folder cannot be used.
    """
    name = secrets.token_hex(4)
    async with AsyncExitStack() as stack:
        try:
            if make_url(url).get_backend_name() == "sqlite":
                duty: Duty = stack.enter_context(_Files(folder / "minters", name))
            else:
                duty = await _locked(url, name, stack)
        except (SQLAlchemyError, ImportError) as error:
            raise StoreError(f"the store cannot be opened: {first_line(error)}") from error
        yield duty


async def _locked(url: str, name: str, stack: AsyncExitStack) -> _Locks:
    lock = AdvisoryLock(url, _key(name))
    stack.push_async_callback(lock.close)
    await lock.take()
    return _Locks(lock, name)


def _key(name: str) -> int:
    return _CLASS | int(name, 16)


class _Locks:
    """On PostgreSQL, which minters on several computers share."""

    def __init__(self, lock: AdvisoryLock, name: str) -> None:
        self._lock, self.name = lock, name

    async def left(self, other: str) -> bool:
        """Tell whether the minter of this name has ended."""
        if other in {"", self.name}:
            return False
        try:
            return await self._lock.is_free(_key(other))
        except SQLAlchemyError as error:
            raise StoreError(f"the store does not answer: {first_line(error)}") from error

    async def keep(self) -> None:
        """Look after the lock, for ever; with its connection it is lost, and taken again."""
        await self._lock.keep()


class _Files:
    """On SQLite, which all processes of one computer share: a locked file each; what the killed leave is cleared away."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self.name = folder, name
        self._mine: TextIOWrapper | None = None

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in self._folder.glob("[!.]*"):
                self._cleared(path)
            hidden = self._folder / f".{self.name}"  # until it is locked
            self._mine = hidden.open("w")
            fcntl.flock(self._mine, fcntl.LOCK_EX)
            hidden.rename(self._folder / self.name)
        except OSError as error:
            raise SettingsError(str(self._folder), f"cannot be used: {error.strerror}") from None
        return self

    def __exit__(self, *_error: object) -> None:
        (self._folder / self.name).unlink(missing_ok=True)
        if self._mine is not None:
            self._mine.close()

    async def left(self, other: str) -> bool:
        """Tell whether the minter of this name has ended."""
        return other not in {"", self.name} and self._cleared(self._folder / other)

    async def keep(self) -> None:
        """Wait for ever: a file stays locked."""
        await asyncio.get_running_loop().create_future()

    @staticmethod
    def _cleared(path: Path) -> bool:
        try:
            with path.open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
        except FileNotFoundError:
            return True
        except BlockingIOError:
            return False
        return True
