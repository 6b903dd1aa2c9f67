"""PURE. The `[tools]` table of a device's settings: a folder of own tools, and outputs by name."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

from device.messages.settings import Settings
from device.messages.tools import ToolName
from device.panel.settings import Pin

LONGEST_SECONDS: Final = 20.0
"""A visitor waits no longer for an answer, and the watch over the call takes 30 s without an event for its end."""


class OutputSettings(Settings, frozen=True):
    """One `[[tools.outputs]]`: something on a pin that becomes a tool of its name."""

    name: ToolName
    pin: Pin
    description: Annotated[str, Meta(min_length=1, max_length=500)]
    """What it is, for the model: "The lamp on the left shelf."."""
    kind: Literal["switch", "dimmer", "servo"] = "switch"
    """`switch`: on or off. `dimmer`: 0 to 100 percent, by pulse width. `servo`: -90 to 90 degrees."""


class ToolsSettings(Settings, frozen=True):
    """The `[tools]` table."""

    folder: str = ""
    """Folder of Python files whose functions marked with `@tool` are tools; none when empty."""
    seconds: Annotated[float, Meta(gt=0, le=LONGEST_SECONDS)] = 5.0
    """How long one call may take, unless its tool says otherwise."""
    time_zone: str = ""
    """Such as `Asia/Tokyo`, for the tool that tells the time; that of this computer when empty."""
    outputs: tuple[OutputSettings, ...] = ()
