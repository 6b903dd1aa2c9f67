"""PURE. What Home Assistant is told of a robot: one discovery message with all of its entities, and what they show.

Names after www.home-assistant.io/integrations/mqtt, "Device discovery payload", and the pages of the platforms (button,
switch, number, sensor, binary_sensor), November 2026. Everything lies below `homeassistant/`, so that one rule of access
is enough on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from provisioning.overview import Glance
from provisioning.spending.prices import MICROS

PREFIX: Final = "homeassistant"
"""Home Assistant's discovery prefix, unless somebody has changed it."""

BIRTH: Final = f"{PREFIX}/status"
"""Where Home Assistant says `online` when it has started: then it wants to be told everything again."""

BRIDGE: Final = f"{PREFIX}/kaiwa/bridge"
"""Whether the bridge is there; its Last Will."""

ONLINE: Final = "online"
OFFLINE: Final = "offline"

ON: Final = "ON"
OFF: Final = "OFF"
PRESS: Final = "PRESS"

QUIETEST: Final = 10
"""Per cent; robots stay audible."""

OTHER: Final = "other"
PHASES: Final = (
    "starting", "offline", "idle", "announcing", "preparing", "listening", "thinking", "speaking", "ending", "fault",
    "stopped", "updating", OTHER,
)  # fmt: skip
"""The states that a robot's sensor may have: Home Assistant takes none that was not declared."""

STEPS: Final = ("SUCCEEDED", "REJECTED", "FAILED", "EXPIRED", "DUPLICATE", "UNANSWERED")
"""What may become of an order."""

Component = dict[str, Any]


@dataclass(frozen=True, slots=True)
class About:
    """What all robots of a fleet have in common: the cloud's version, the currency, and the page, if there is one."""

    version: str
    currency: str
    page: str = ""


def config_topic(robot: str) -> str:
    """Return where the discovery message of a robot goes, retained."""
    return f"{PREFIX}/device/kaiwa-{robot}/config"


def topic(robot: str, what: str) -> str:
    """Return where one thing about a robot is said or asked."""
    return f"{PREFIX}/kaiwa/{robot}/{what}"


def discovery(robot: str, version: str, about: About) -> bytes:
    """Return the discovery message of a robot that runs `version` of the device."""
    device = {"identifiers": [f"kaiwa-{robot}"], "name": robot, "manufacturer": "Kaiwa", "model": "Talking robot"}
    device |= {"sw_version": version} if version else {}
    device |= {"configuration_url": f"{about.page}/r/{robot}"} if about.page else {}
    return msgspec.json.encode(
        {
            "device": device,
            "origin": {"name": "Kaiwa", "sw_version": about.version},
            "availability_mode": "all",
            "availability": [
                {"topic": BRIDGE},
                {"topic": topic(robot, "state"), "value_template": "{{ value_json.availability }}"},
            ],
            "qos": 1,
            "components": _components(robot, about),
        }
    )


def _components(robot: str, about: About) -> dict[str, Component]:
    found = {
        "start": _button(robot, "start", "Start", "mdi:microphone-message"),
        "stop": _button(robot, "stop", "Stop", "mdi:stop-circle-outline"),
        "mute": _mute(robot),
        "volume": _volume(robot),
        "state": _state(robot),
        "on_air": _on_air(robot),
        "spend_today": _spend(robot, about.currency),
        "last_order": _last_order(robot),
    }
    return {name: {"unique_id": f"kaiwa-{robot}-{name}", **component} for name, component in found.items()}


def _button(robot: str, word: str, name: str, icon: str) -> Component:
    return {"platform": "button", "name": name, "icon": icon, "command_topic": topic(robot, word)}


def _mute(robot: str) -> Component:
    return {
        "platform": "switch",
        "name": "Mute",
        "icon": "mdi:microphone-off",
        "command_topic": topic(robot, "mute"),
        "state_topic": topic(robot, "state"),
        "value_template": "{{ value_json.muted }}",
    }


def _volume(robot: str) -> Component:
    """Robots do not say how loud they are: Home Assistant shows what it has asked for."""
    return {
        "platform": "number",
        "name": "Volume",
        "icon": "mdi:volume-high",
        "command_topic": topic(robot, "volume"),
        "optimistic": True,
        "min": QUIETEST,
        "max": 100,
        "step": 5,
        "unit_of_measurement": "%",
    }


def _state(robot: str) -> Component:
    return {
        "platform": "sensor",
        "name": "State",
        "icon": "mdi:robot-happy",
        "device_class": "enum",
        "options": PHASES,
        "state_topic": topic(robot, "state"),
        "value_template": "{{ value_json.phase }}",
        "json_attributes_topic": topic(robot, "state"),
        "json_attributes_template": "{{ {'last_fault': value_json.fault} | tojson }}",
    }


def _on_air(robot: str) -> Component:
    return {
        "platform": "binary_sensor",
        "name": "On air",
        "icon": "mdi:broadcast",
        "state_topic": topic(robot, "state"),
        "value_template": "{{ value_json.on_air }}",
    }


def _spend(robot: str, currency: str) -> Component:
    """It is known while the robot is switched off, too."""
    return {
        "platform": "sensor",
        "name": "Spend today",
        "icon": "mdi:cash",
        "availability": [{"topic": BRIDGE}],
        "device_class": "monetary",
        "unit_of_measurement": currency,
        "state_class": "total",
        "suggested_display_precision": 2,
        "state_topic": topic(robot, "spend"),
        "value_template": "{{ value_json.amount }}",
        "last_reset_value_template": "{{ value_json.since }}",
    }


def _last_order(robot: str) -> Component:
    return {
        "platform": "sensor",
        "name": "Last order",
        "icon": "mdi:clipboard-check-outline",
        "entity_category": "diagnostic",
        "availability": [{"topic": BRIDGE}],
        "device_class": "enum",
        "options": STEPS,
        "state_topic": topic(robot, "order"),
        "value_template": "{{ value_json.step }}",
        "json_attributes_topic": topic(robot, "order"),
    }


def state(robot: Glance) -> bytes:
    """Return what a robot's sensors and switch show."""
    there = robot.lifecycle in {"init", "ready"}
    return msgspec.json.encode(
        {
            "availability": ONLINE if there else OFFLINE,
            "phase": robot.phase if robot.phase in PHASES else OTHER,
            "on_air": ON if robot.on_air else OFF,
            "muted": ON if robot.muted else OFF,
            "fault": robot.fault,
        }
    )


def spend(micros: int, midnight: float) -> bytes:
    """Return what a robot has spent since `midnight` (Unix seconds, UTC)."""
    since = datetime.fromtimestamp(midnight, UTC).isoformat()
    return msgspec.json.encode({"amount": round(micros / MICROS, 4), "since": since})


def outcome(order: str, step: str, reason: str, now: float) -> bytes:
    """Return what became of an order, at `now` (Unix seconds)."""
    at = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    return msgspec.json.encode({"order": order, "step": step, "reason": reason, "at": at})
