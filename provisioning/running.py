"""Running asynchronous work to its end, with one error where several come together."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

from device.errors import first_of

T = TypeVar("T")


def collect_seldom() -> None:
    """Let the collector of reference cycles look seldom, in a process that serves.

    Each grant makes some thousand objects that live until it is answered, so the collector's usual 700 have it look through
    everything many times a second and find nothing: a tenth of what a grant costs (`make bench-mint`).
    """
    gc.set_threshold(50_000, 20, 100)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end.

    Raises:
        KaiwaError: as it did; the first one, when several things failed together.
    """
    try:
        return asyncio.run(work)
    except BaseExceptionGroup as group:
        error = first_of(group)
        if error is None:
            raise
        raise error from group
