"""PURE. The `[panel]` table of a device's settings; the pins are those of `hardware/speakerphone`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from device.messages.settings import Settings

Pin = Annotated[int, Meta(ge=0, le=27)]
"""A GPIO of the 40-pin header, by its BCM number."""


class PanelSettings(Settings, frozen=True):
    """Where button and lights are. GPIO 16 and 18 to 21 stay free for an I2S sound card."""

    factory: Literal["auto", "lgpio", "mock"] = "auto"
    """`auto`: the pins of this board where it is a Raspberry Pi, else pins that exist in memory only."""
    button: Pin = 23
    """Talk button, between the pin and ground; the pin pulls up."""
    light: Pin = 24
    """Talk light, lit when high, dimmed."""
    on_air: Pin = 25
    """On-air light (red), lit when high."""
