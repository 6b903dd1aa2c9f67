from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from device.messages import topics
from device.messages.reports import Caption, DeviceState, Event, Levels, Lifecycle, Metrics, SessionEnded, Speaker
from device.messages.wire import encode
from provisioning.listener import PartialListener
from provisioning.reports import Reports

STATE = DeviceState(device="robot-1", lifecycle=Lifecycle.READY)
EVENT = SessionEnded(session="s", at=1.0, reason="button", seconds=2.0)
CAPTION = Caption(session="s", id="c", speaker=Speaker.USER, text="for ever", start=1e308, end=1e308)
METRICS = Metrics(at=1.0, levels=Levels(user=-20.0))


@dataclass
class Recorder(PartialListener):
    seen: list[object] = field(default_factory=list)

    def on_state(self, state: DeviceState) -> None:
        self.seen.append(state)

    def on_event(self, device: str, event: Event) -> None:
        self.seen.append((device, event))

    def on_metrics(self, device: str, metrics: Metrics) -> None:
        self.seen.append((device, metrics))


def test_every_listener_is_told_what_it_is() -> None:
    first, second = Recorder(), Recorder()
    reports = Reports([first, second])
    reports.deliver(topics.state("robot-1"), encode(STATE))
    reports.deliver(topics.event("robot-1"), encode(EVENT))
    reports.deliver(topics.metrics("robot-1"), encode(METRICS))
    assert first.seen == second.seen == [STATE, ("robot-1", EVENT), ("robot-1", METRICS)]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (topics.state("robot-2"), encode(STATE)),
        (topics.state("robot-1"), encode(DeviceState(device="robot-1", lifecycle=Lifecycle.READY, phase="x" * 65))),
        (topics.event("robot-1"), encode(CAPTION)),
        (topics.state("robot-1"), b""),
        (topics.state("robot-1"), b"nonsense"),
        (topics.event("robot-1"), encode(STATE)),
        (topics.metrics("robot-1"), b"[]"),
        (topics.command("robot-1"), encode(STATE)),
        ("elsewhere/robot-1/state", encode(STATE)),
    ],
)
def test_what_is_not_what_its_topic_carries_is_dropped(topic: str, payload: bytes) -> None:
    recorder = Recorder()
    Reports([recorder]).deliver(topic, payload)
    assert recorder.seen == []
