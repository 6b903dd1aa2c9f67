"""The fleet at a glance."""

from __future__ import annotations

from device.messages.reports import CallAnswered, DeviceState, FaultRaised, Lifecycle, SessionStarted
from provisioning.overview import Glance, Overview


def card(session: str | None = None, **more: object) -> DeviceState:
    fields: dict[str, object] = {"device": "robot-1", "lifecycle": Lifecycle.READY, "session": session, **more}
    return DeviceState(**fields)  # type: ignore[arg-type]  # the fields are given by name


def test_only_what_changes_is_told() -> None:
    overview = Overview()
    assert overview.on_state(card()) == Glance("robot-1", "ready", "idle")
    assert overview.on_state(card()) is None
    assert overview.on_event("robot-1", CallAnswered(session="s1", at=1.0, call_id="rtc_1")) is None
    assert overview.on_state(card(muted=True)) is not None
    overview.on_state(DeviceState(device="robot-0", lifecycle=Lifecycle.LOST))
    assert [(robot.device, robot.lifecycle) for robot in overview.robots] == [("robot-0", "lost"), ("robot-1", "ready")]


def test_a_conversation_is_as_long_as_since_it_began() -> None:
    overview = Overview()
    overview.on_state(card("s1", phase="preparing", since=100.0))
    overview.on_event("robot-1", SessionStarted(session="s1", at=103.0, reason="button"))
    found = overview.on_state(card("s1", phase="speaking", since=110.0, on_air=True))
    assert found is not None
    assert (found.phase, found.on_air, found.lasted(163.0), found.lasted(0.0)) == ("speaking", True, 60.0, 0.0)
    ended = overview.on_state(card(since=170.0))
    assert ended is not None
    assert ended.lasted(180.0) is None


def test_one_that_talks_already_is_counted_from_what_is_seen_first() -> None:
    found = Overview().on_state(card("s1", phase="listening", since=50.0))
    assert found is not None
    assert found.lasted(60.0) == 10.0


def test_the_last_fault_stays() -> None:
    overview = Overview()
    overview.on_event("robot-1", FaultRaised(at=9.0, fault="upstream", text="no answer", session=None))
    found = overview.on_state(card())
    assert found is not None
    assert (found.fault, found.fault_at) == ("upstream", 9.0)
