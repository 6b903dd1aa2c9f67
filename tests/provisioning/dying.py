"""Minters that are killed in the middle: `python -m … FOLDER STORE [MOMENT DEVICE REQUEST]…`, one after the other."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from provisioning.audit import Audit
from provisioning.openai import OpenAI
from tests.provisioning.minting_bench import NOW, minting_bench

BEFORE, AFTER = "before the commit", "after the commit"


async def _die(*_arguments: Any, **_more: Any) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


async def serve(folder: Path, store_url: str, moment: str, device: str, request: str) -> None:
    """Answer, and do not come to the end of it."""
    # The audit is the last that the transaction does, the secret the first after it.
    setattr(*((Audit, "add", _die) if moment == BEFORE else (OpenAI, "grant", _die)))
    async with minting_bench(folder, store_url=store_url) as bench:
        await bench.minter.answer(request.encode(), device, NOW)


def main(folder: str, store_url: str, *deaths: str) -> None:
    """Serve each request in a process of its own; fails unless every one was killed."""
    for moment, device, request in zip(deaths[::3], deaths[1::3], deaths[2::3], strict=True):
        child = os.fork()
        if not child:
            asyncio.run(serve(Path(folder), store_url, moment, device, request))
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


if __name__ == "__main__":
    main(*sys.argv[1:])
