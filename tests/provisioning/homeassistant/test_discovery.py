"""The discovery message says what Home Assistant documents, and nothing else.

The field names are those of www.home-assistant.io/integrations/mqtt ("Device discovery payload") and of the pages
button.mqtt, switch.mqtt, number.mqtt, sensor.mqtt and binary_sensor.mqtt beside it.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from device.messages.commands import Step
from device.messages.wire import MAX_BYTES
from device.phase import Phase
from provisioning.homeassistant import discovery as ha
from provisioning.overview import Glance

ABOUT = ha.About("1.2.3", "USD", "https://robots.example.com")
DEVICE = {
    "configuration_url", "connections", "hw_version", "identifiers", "manufacturer", "model", "model_id", "name",
    "serial_number", "suggested_area", "sw_version", "via_device",
}  # fmt: skip
ORIGIN = {"name", "sw_version", "support_url"}
SHARED = {"availability", "availability_mode", "command_topic", "state_topic", "qos", "encoding"}
ENTITY = {
    "platform", "unique_id", "name", "icon", "availability", "availability_mode", "entity_category", "entity_picture",
    "enabled_by_default", "encoding", "json_attributes_template", "json_attributes_topic", "qos",
}  # fmt: skip
COMMANDED = {"command_topic", "command_template", "retain"}
PLATFORMS: dict[str, tuple[set[str], set[str]]] = {
    "button": ({"command_topic"}, COMMANDED | {"device_class", "payload_press"}),
    "switch": (
        {"command_topic"},
        COMMANDED
        | {"device_class", "optimistic", "payload_off", "payload_on", "state_off", "state_on", "state_topic"}
        | {"value_template"},
    ),
    "number": (
        {"command_topic"},
        COMMANDED
        | {"device_class", "max", "min", "mode", "optimistic", "payload_reset", "state_topic", "step"}
        | {"unit_of_measurement", "value_template"},
    ),
    "sensor": (
        {"state_topic"},
        {"device_class", "expire_after", "force_update", "last_reset_value_template", "options", "state_class"}
        | {"state_topic", "suggested_display_precision", "unit_of_measurement", "value_template"},
    ),
    "binary_sensor": (
        {"state_topic"},
        {"device_class", "expire_after", "force_update", "off_delay", "payload_off", "payload_on", "state_topic"}
        | {"value_template"},
    ),
}
"""What each platform requires, and what it takes besides `ENTITY`."""


def message(robot: str = "robot-1", version: str = "0.1.0", about: ha.About = ABOUT) -> dict[str, Any]:
    data = ha.discovery(robot, version, about)
    assert len(data) < MAX_BYTES / 4
    decoded: dict[str, Any] = json.loads(data)
    return decoded


def components() -> list[tuple[str, dict[str, Any]]]:
    return list(message()["components"].items())


def test_the_topic_is_one_that_home_assistant_listens_to() -> None:
    assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", ha.config_topic("robot-1"))


def test_the_root_holds_what_is_required_and_what_is_shared() -> None:
    root = message()
    assert {"device", "origin", "components"} <= root.keys() <= {"device", "origin", "components"} | SHARED
    assert root["device"].keys() <= DEVICE
    assert root["device"]["identifiers"] == ["kaiwa-robot-1"]
    assert root["device"]["configuration_url"] == "https://robots.example.com/r/robot-1"
    assert "name" in root["origin"]
    assert root["origin"].keys() <= ORIGIN
    assert root["availability_mode"] in {"all", "any", "latest"}
    assert [set(each) <= {"topic", "value_template"} for each in root["availability"]] == [True, True]


def test_what_is_not_known_is_left_out() -> None:
    assert message(version="", about=ha.About("1", "EUR"))["device"].keys() == {
        "identifiers", "name", "manufacturer", "model",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "component"), components(), ids=[name for name, _ in components()])
def test_each_entity_has_what_its_platform_requires_and_nothing_unknown(name: str, component: dict[str, Any]) -> None:
    required, taken = PLATFORMS[component["platform"]]
    assert required | {"unique_id"} <= component.keys() <= ENTITY | taken
    assert component["unique_id"] == f"kaiwa-robot-1-{name}"
    topics = [value for key, value in component.items() if key.endswith("_topic")]
    assert all(topic.startswith("homeassistant/kaiwa/robot-1/") for topic in topics)


def test_sensors_keep_the_rules_of_their_classes() -> None:
    sensors = [each for _, each in components() if each["platform"] == "sensor"]
    for sensor in sensors:
        assert ("options" in sensor) == (sensor["device_class"] == "enum")
        assert not ("options" in sensor and {"state_class", "unit_of_measurement"} & sensor.keys())
        assert ("last_reset_value_template" in sensor) <= (sensor.get("state_class") == "total")


def test_every_phase_of_a_robot_and_every_end_of_an_order_is_an_option() -> None:
    assert {str(phase) for phase in Phase} <= set(ha.PHASES)
    assert {str(step) for step in Step if step.final} < set(ha.STEPS)


def shown(**more: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(ha.state(Glance("robot-1", **more)))
    return decoded


def test_what_a_robot_reports_is_what_the_entities_read() -> None:
    assert shown(lifecycle="ready", phase="speaking", on_air=True, muted=True, fault="call_lost") == {
        "availability": "online",
        "phase": "speaking",
        "on_air": "ON",
        "muted": "ON",
        "fault": "call_lost",
    }
    assert shown(lifecycle="lost", phase="dancing")["phase"] == "other"
    assert shown(lifecycle="lost")["availability"] == "offline"
    read = {key for _, each in components() for key in re.findall(r"value_json\.(\w+)", json.dumps(each))}
    written = shown().keys() | json.loads(ha.spend(1, 0.0)).keys() | json.loads(ha.outcome("", "", "", 0.0)).keys()
    assert read <= written


def test_money_is_in_whole_units_and_since_midnight() -> None:
    assert json.loads(ha.spend(1_234_567, 1_800_000_000.0)) == {"amount": 1.2346, "since": "2027-01-15T08:00:00+00:00"}
