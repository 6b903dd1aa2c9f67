"""Running asynchronous work to its end, with one error where several come together."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from device.errors import first_of

T = TypeVar("T")


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
