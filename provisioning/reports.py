"""What devices report over MQTT, decoded and checked, for whoever wants to know."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from device.errors import MessageError, MisaddressedError
from device.messages import topics
from device.messages.reports import DeviceState, Event, Metrics
from device.messages.wire import decode
from provisioning.listener import Listener

_log = logging.getLogger(__name__)

TOPICS: Final = (topics.EVERY_STATE, topics.EVERY_EVENT, topics.EVERY_METRIC)


class Reports:
    """Tells every listener, in their order, what arrives on the topics in `TOPICS`."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = listeners
        self._kinds: dict[str, Callable[[str, bytes], None]] = {
            "state": self._state,
            "evt": self._event,
            "metrics": self._metrics,
        }

    def deliver(self, topic: str, payload: bytes) -> None:
        """Take one message; one that is not what its topic carries is dropped, with a line in the log."""
        try:
            device = topics.device_of(topic)
            self._kinds[topic.rpartition("/")[2]](device, payload)
        except (MessageError, KeyError) as error:
            _log.warning("dropped what came on %s: %s", topic, error)

    def _state(self, device: str, payload: bytes) -> None:
        if not payload:
            return  # a retained card that was cleared
        state = decode(payload, DeviceState)
        if state.device != device:
            raise MisaddressedError(f"{device} reports as another device")
        for listener in self._listeners:
            listener.on_state(state)

    def _event(self, device: str, payload: bytes) -> None:
        event: Event = decode(payload, Event)  # type: ignore[arg-type]  # a union is no type to mypy; msgspec takes it
        for listener in self._listeners:
            listener.on_event(device, event)

    def _metrics(self, device: str, payload: bytes) -> None:
        metrics = decode(payload, Metrics)
        for listener in self._listeners:
            listener.on_metrics(device, metrics)
