"""PURE. Counting failures by address, so that nobody tries codes for long."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

MOST_ADDRESSES: Final = 10_000
"""The addresses remembered; the ones that failed longest ago are forgotten first."""


class FailureLimit:
    """Blocks an address that has failed `most` times within `seconds`."""

    def __init__(self, most: int = 10, seconds: float = 600.0) -> None:
        self._most, self._seconds = most, seconds
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def blocked(self, address: str, now: float) -> bool:
        """Tell whether `address` must wait; `now` in seconds on any clock."""
        failures = self._failures.get(address)
        return failures is not None and len(failures) == self._most and now - failures[0] < self._seconds

    def failed(self, address: str, now: float) -> None:
        """Count a failure of `address`."""
        self._failures.setdefault(address, deque(maxlen=self._most)).append(now)
        self._failures.move_to_end(address)
        while len(self._failures) > MOST_ADDRESSES:
            self._failures.popitem(last=False)
