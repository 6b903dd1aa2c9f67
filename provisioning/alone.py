"""One leash at a time: a second one waits until the first is gone, and takes its place."""

from __future__ import annotations

import asyncio
import fcntl
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from device.errors import SettingsError, StoreError
from provisioning.advisory import AdvisoryLock, first_line

_log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
"""How often the place is asked for, and, by who has it, whether it is still theirs."""

_LOCK: Final = 0x6B616C65
"""The advisory lock of the leash on PostgreSQL; it falls with the connection that holds it."""


Keep = Callable[[], Coroutine[Any, Any, None]]
"""What goes on while the place is ours."""


@asynccontextmanager
async def alone(url: str, folder: Path) -> AsyncIterator[Keep]:
    """Wait until no other process is the leash of the store at `url`, and be it while the context is open.

    Yields what to run in a task meanwhile: it raises StoreError when another has taken the place. On SQLite, which all processes
    of one computer share, it is a lock on a file in `folder`.

    Raises:
        StoreError: the store does not answer, or `url` is none.
        SettingsError: the folder cannot be used.
    """
    async with AsyncExitStack() as stack:
        try:
            if make_url(url).get_backend_name() == "sqlite":
                keep = await _alone_here(folder / "leash.lock", stack)
            else:
                keep = await _alone_anywhere(url, stack)
        except (SQLAlchemyError, ImportError) as error:
            raise StoreError(f"the store cannot be opened: {first_line(error)}") from error
        except OSError as error:
            raise SettingsError(str(folder), f"cannot be used: {error.strerror}") from None
        yield keep


async def _alone_anywhere(url: str, stack: AsyncExitStack) -> Keep:
    lock = AdvisoryLock(url, _LOCK)
    stack.push_async_callback(lock.close)
    await _until(lock.take)
    return partial(lock.keep, LOOK_SECONDS)


async def _alone_here(path: Path, stack: AsyncExitStack) -> Keep:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = stack.enter_context(path.open("w"))

    async def locked() -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    await _until(locked)
    return _for_ever


async def _for_ever() -> None:
    await asyncio.get_running_loop().create_future()


async def _until(locked: Callable[[], Awaitable[bool]]) -> None:
    told = False
    while not await locked():
        if not told:
            _log.info("another process is the leash of this fleet; waiting for its end")
            told = True
        await asyncio.sleep(LOOK_SECONDS)
