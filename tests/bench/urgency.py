"""Real-time scheduling for measuring instruments, which must not be late themselves; without the right to it, nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

INSTRUMENT: Final = 5
"""Priority of what measures, above whatever is measured."""


def urgently(priority: int = INSTRUMENT) -> None:
    """Let this thread, and the processes it starts, go before all others."""
    with suppress(PermissionError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(priority))


@contextmanager
def urgent(priority: int = INSTRUMENT) -> Iterator[None]:
    """Let the processes that are started in the block go before all others."""
    policy, before = os.sched_getscheduler(0), os.sched_getparam(0)
    urgently(priority)
    try:
        yield
    finally:
        with suppress(PermissionError, AttributeError):
            os.sched_setscheduler(0, policy, before)
