"""What the device tells the world over MQTT: state, events, order statuses, meters."""

from __future__ import annotations

import time

from device import __version__
from device.clock import WallClock
from device.messages import reports, topics
from device.messages.commands import CommandStatus
from device.messages.console import Shown
from device.messages.wire import encode
from device.mqtt import Broker
from device.session import Session


class Outlet:
    """Encodes and publishes; the wall clock of every message is the cloud's. `delay` is the broadcast's, in seconds."""

    def __init__(self, device: str, broker: Broker, clock: WallClock, delay: float = 0.0) -> None:
        self.device = device
        self._delay = delay
        self._broker = broker
        self._clock = clock

    @property
    def online(self) -> bool:
        """Whether what is told now goes out at once."""
        return self._broker.online

    def now(self) -> float:
        """Return Unix seconds by the cloud's clock."""
        return self._clock.now()

    def wall(self, at: float) -> float:
        """Return the Unix seconds of a moment given in monotonic seconds."""
        return self._clock.of_monotonic(at)

    def state(self, session: Session, echo: str, spent: reports.Spent | None = None) -> None:
        """Publish the retained card as the session machine stands, the echo control in force, and what was spent."""
        self._publish_state(
            reports.DeviceState(
                device=self.device,
                lifecycle=reports.Lifecycle.READY,
                phase=session.phase,
                session=session.id,
                since=self.wall(session.since),
                on_air=session.on_air,
                fault=session.fault or session.trouble,
                version=__version__,
                echo=echo,
                muted=session.muted,
                delay=self._delay,
                spent=spent,
                ends_at=None if session.ends_at is None else self.wall(session.ends_at),
            )
        )

    async def farewell(self, seconds: float = 2.0) -> None:
        """Publish that this device leaves on purpose, and wait up to `seconds` until the broker has all."""
        self._publish_state(
            reports.DeviceState(
                device=self.device,
                lifecycle=reports.Lifecycle.DISCONNECTED,
                phase="stopped",
                since=self.now(),
                version=__version__,
            )
        )
        if self._broker.online:
            await self._broker.drain(seconds)

    def _publish_state(self, state: reports.DeviceState) -> None:
        self._broker.publish(topics.state(self.device), encode(state), retain=True)

    def event(self, event: reports.Event) -> None:
        """Publish what happened; words that the next ones replace are not waited for, and dropped while the broker is away."""
        passing = isinstance(event, reports.Caption) and not event.final
        self._broker.publish(topics.event(self.device), encode(event), qos=0 if passing else 1)

    def status(self, status: CommandStatus) -> None:
        """Publish how far an order has come."""
        self._broker.publish(topics.command_status(self.device, status.id), encode(status))

    def metrics(self, levels: reports.Levels, counters: dict[str, float]) -> None:
        """Publish the meters; dropped while the broker is away."""
        numbers = {name: float(value) for name, value in counters.items()}
        metrics = reports.Metrics(at=self.now(), levels=levels, counters=numbers)
        self._broker.publish(topics.metrics(self.device), encode(metrics), qos=0)

    def console(self, shown: Shown) -> None:
        """Publish something for a console that watches; dropped while the broker is away."""
        self._broker.publish(topics.console(self.device), encode(shown), qos=0)


def last_will(device: str) -> bytes:
    """Return the card that the broker publishes when this device vanishes."""
    return encode(
        reports.DeviceState(
            device=device,
            lifecycle=reports.Lifecycle.LOST,
            phase="offline",
            since=time.time(),
            version=__version__,
        )
    )
