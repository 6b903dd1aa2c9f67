"""The watch as simply as it can be written: what the quick one is held against, by tests and by the bench."""

from __future__ import annotations

from provisioning.watch import Ending, Watch, _Kept


class Naive(Watch):
    """The same, by looking at every session each time."""

    def due(self, now: float) -> list[Ending]:
        found = [kept for kept in self._kept.values() if kept.due()[0] <= now]
        return [Ending(k.session, k.due()[1], tuple(k.call_ids)) for k in [self._let_go(k.session.id) for k in found]]

    def next_due(self) -> float | None:
        return min((kept.due()[0] for kept in self._kept.values()), default=None)

    def _of(self, device: str, session: str) -> _Kept | None:
        return next((kept for kept in self._all_of(device) if kept.session.id == session), None)

    def _all_of(self, device: str) -> list[_Kept]:
        return [kept for kept in self._kept.values() if kept.session.device == device]
