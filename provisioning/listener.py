"""Who wants to know what devices report."""

from __future__ import annotations

from typing import Protocol

from device.messages.reports import DeviceState, Event, Metrics
from provisioning.imageflux import Channel


class Listener(Protocol):
    """Is told, in the event loop, in the order in which things arrive; it must return at once."""

    def on_state(self, state: DeviceState) -> None:
        """A device's card, retained or new."""

    def on_event(self, device: str, event: Event) -> None:
        """One thing that happened at `device`."""

    def on_metrics(self, device: str, metrics: Metrics) -> None:
        """The numbers of `device`."""

    def on_playlist(self, device: str, session: str, url: str | None) -> None:
        """Where `session` can be heard now; None when it cannot any more."""

    def on_watch(self, device: str, session: str, channel: Channel | None) -> None:
        """How observers may join the broadcast of `session` themselves; None when they may not any more."""


class PartialListener(Listener):
    """Takes everything and does nothing; inherit from it and define what matters."""

    def on_state(self, state: DeviceState) -> None:
        """Take a device's card."""

    def on_event(self, device: str, event: Event) -> None:
        """Take one thing that happened at `device`."""

    def on_metrics(self, device: str, metrics: Metrics) -> None:
        """Take the numbers of `device`."""

    def on_playlist(self, device: str, session: str, url: str | None) -> None:
        """Take where `session` can be heard now."""

    def on_watch(self, device: str, session: str, channel: Channel | None) -> None:
        """Take how observers may join the broadcast of `session` themselves."""
