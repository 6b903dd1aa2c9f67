"""PURE. The MQTT topics: one subtree for each device, so that one access rule holds for all."""

from __future__ import annotations

from typing import Final

from device.errors import MalformedMessageError

PREFIX: Final = "kaiwa/v1"
"""First levels of every topic; the version is part of the address."""

MINTERS: Final = f"$share/minters/{PREFIX}/+/mint/req"
"""What a minter subscribes to: a shared subscription, so that each request reaches one minter."""

RENEWERS: Final = f"$share/minters/{PREFIX}/+/cert/req"
"""The same for renewals of certificates."""

EVERY_STATE: Final = f"{PREFIX}/+/state"
EVERY_EVENT: Final = f"{PREFIX}/+/evt"
EVERY_METRIC: Final = f"{PREFIX}/+/metrics"
EVERY_CONSOLE: Final = f"{PREFIX}/+/console"


def mint_request(device: str) -> str:
    """Where the device asks for a session (QoS 1, signed `MintRequest`)."""
    return f"{PREFIX}/{device}/mint/req"


def mint_answer(device: str) -> str:
    """Where the cloud answers (QoS 1, signed `MintAnswer`); derived from identity, never from the request."""
    return f"{PREFIX}/{device}/mint/res"


def renewal_request(device: str) -> str:
    """Where the device asks for its next certificate, and tells of its first use (QoS 1, signed)."""
    return f"{PREFIX}/{device}/cert/req"


def renewal_answer(device: str) -> str:
    """Where the cloud answers (QoS 1, signed `RenewalAnswer`); derived from identity, too."""
    return f"{PREFIX}/{device}/cert/res"


def command(device: str) -> str:
    """Where operators command the device (QoS 1, never retained, signed `Command`)."""
    return f"{PREFIX}/{device}/cmd"


def command_status(device: str, command_id: str) -> str:
    """Where the device tells how far a command has come (QoS 1, `CommandStatus`)."""
    return f"{PREFIX}/{device}/cmd/{command_id}/status"


def state(device: str) -> str:
    """The device's retained card, and its Last Will (QoS 1, retained, `DeviceState`)."""
    return f"{PREFIX}/{device}/state"


def event(device: str) -> str:
    """What happened at the device (QoS 1, `Event`)."""
    return f"{PREFIX}/{device}/evt"


def metrics(device: str) -> str:
    """Numbers for meters (QoS 0, `Metrics`)."""
    return f"{PREFIX}/{device}/metrics"


def console(device: str) -> str:
    """What a console is shown of the device while it watches (QoS 0, `Shown`)."""
    return f"{PREFIX}/{device}/console"


def device_of(topic: str) -> str:
    """Return the device whose subtree `topic` lies in.

    Raises:
        MalformedMessageError: the topic is not one of ours.
    """
    device, _, rest = topic.removeprefix(f"{PREFIX}/").partition("/")
    if not topic.startswith(f"{PREFIX}/") or not device or not rest:
        raise MalformedMessageError(f"not a topic of {PREFIX}: {topic}")
    return device
