"""PURE. What was heard lately, by name: kept for a while, and not for all who ever were heard of."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

V = TypeVar("V")


class Fading(Generic[V]):
    """The newest of each name: for `seconds`, and of the `most` names that were put last."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds, self._most = seconds, most
        self._kept: OrderedDict[str, tuple[float, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, name: str, value: V, now: float) -> None:
        """Keep `value`; `now` in seconds on any clock that does not go back."""
        self._kept[name] = (now, value)
        self._kept.move_to_end(name)
        while len(self._kept) > self._most or self._oldest() <= now - self._seconds:
            self._kept.popitem(last=False)

    def get(self, name: str, now: float) -> V | None:
        """Return what is kept by this name; None when there is nothing, or nothing any more."""
        at, value = self._kept.get(name, (now - self._seconds, None))
        return value if at > now - self._seconds else None

    def pop(self, name: str, now: float) -> V | None:
        """Return it, and keep it no longer."""
        value = self.get(name, now)
        self._kept.pop(name, None)
        return value

    def _oldest(self) -> float:
        return next(iter(self._kept.values()))[0]
