"""Minters and leashes that are killed in the middle: `python -m … FOLDER STORE [MOMENT DEVICE WHAT]…`, one by one.

WHAT is the request that a minter is to answer, or the session that a leash is to end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from device.messages.reports import SessionEnded
from provisioning.audit import Audit
from provisioning.broadcasting import Broadcasts
from provisioning.leash import Leash, Reins
from provisioning.openai import OpenAI
from tests.provisioning.minting_bench import NOW, Bench, minting_bench

BEFORE, AFTER = "before the commit", "after the commit"
LEASH_BEFORE, LEASH_AFTER = "a leash before the commit", "a leash after the commit"

# The audit is the last that a transaction does; the secret, and the end of a channel, are the first after it.
_DEADLY: dict[str, tuple[type, str]] = {
    BEFORE: (Audit, "add"),
    AFTER: (OpenAI, "grant"),
    LEASH_BEFORE: (Audit, "add"),
    LEASH_AFTER: (Broadcasts, "close"),
}


async def _die(*_arguments: Any, **_more: Any) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


async def serve(folder: Path, store_url: str, moment: str, device: str, what: str) -> None:
    """Answer or end, and do not come to the end of it."""
    async with minting_bench(folder, store_url=store_url) as bench:
        setattr(*_DEADLY[moment], _die)
        if moment in {BEFORE, AFTER}:
            await bench.minter.answer(what.encode(), device, NOW)
        else:
            await end(bench, device, what)


async def end(bench: Bench, device: str, session: str) -> None:
    """Have a leash end a session that its device calls over."""
    async with bench.store.transaction() as t:
        found = await t.sessions.find(session)
    assert found is not None
    leash = Leash(bench.store, bench.openai, bench.broadcasts, Reins(grace=0.0))
    leash.granted(found)
    leash.on_event(device, SessionEnded(session=session, at=2.0, reason="button", seconds=1.0))
    await leash.run()


def main(folder: str, store_url: str, *deaths: str) -> None:
    """Serve each in a process of its own; fails unless every one was killed."""
    for moment, device, what in zip(deaths[::3], deaths[1::3], deaths[2::3], strict=True):
        child = os.fork()
        if not child:
            asyncio.run(serve(Path(folder), store_url, moment, device, what))
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


if __name__ == "__main__":
    main(*sys.argv[1:])
