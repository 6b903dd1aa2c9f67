"""PURE. The whole fleet at a glance, from what robots report; times in Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from device.messages.reports import DeviceState, Event, FaultRaised, SessionStarted, Spent


@dataclass(frozen=True, slots=True)
class Glance:
    """One robot as an operator sees it."""

    device: str
    lifecycle: str = ""
    phase: str = ""
    on_air: bool = False
    muted: bool = False
    session: str | None = None
    began_at: float | None = None
    """When its conversation began, or the phase that it was first seen in."""
    ends_at: float | None = None
    """When it ends because it has lasted as long as it may; None until that was announced."""
    spent: Spent | None = None
    """What its conversation has cost so far, as it reckons."""
    fault: str = ""
    """The code of what last went wrong; it stays until something else does."""
    fault_at: float | None = None

    def lasted(self, now: float) -> float | None:
        """Return for how many seconds its conversation has gone on; None without one."""
        return None if self.began_at is None else max(0.0, now - self.began_at)

    def left(self, now: float) -> float | None:
        """Return for how many seconds it goes on at most, once its end was announced."""
        return None if self.ends_at is None else max(0.0, self.ends_at - now)


class Overview:
    """What is known of each robot; the methods return it when it has changed."""

    def __init__(self) -> None:
        self._robots: dict[str, Glance] = {}

    @property
    def robots(self) -> list[Glance]:
        """All that were heard of, by name."""
        return [self._robots[name] for name in sorted(self._robots)]

    def on_state(self, state: DeviceState) -> Glance | None:
        """Take a robot's card."""
        known = self._of(state.device)
        began = known.began_at if state.session == known.session else state.since
        return self._keep(
            replace(
                known,
                lifecycle=str(state.lifecycle),
                phase=state.phase,
                on_air=state.on_air,
                muted=state.muted,
                session=state.session,
                began_at=None if state.session is None else began,
                ends_at=state.ends_at,
                spent=state.spent,
                fault=state.fault or known.fault,
            )
        )

    def on_event(self, device: str, event: Event) -> Glance | None:
        """Take one thing that happened at a robot."""
        known = self._of(device)
        match event:
            case FaultRaised():
                return self._keep(replace(known, fault=event.fault, fault_at=event.at))
            case SessionStarted():
                return self._keep(replace(known, session=event.session, began_at=event.at))
            case _:
                return None

    def _of(self, device: str) -> Glance:
        return self._robots.get(device, Glance(device))

    def _keep(self, glance: Glance) -> Glance | None:
        if self._robots.get(glance.device) == glance:
            return None
        self._robots[glance.device] = glance
        return glance
