"""PURE. The `[panel]` table of a device's settings; the pins are those of `hardware/speakerphone`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from device.messages.settings import Settings
from device.panel.rendering import Kind

Pin = Annotated[int, Meta(ge=0, le=27)]
"""A GPIO of the 40-pin header, by its BCM number."""


class PanelSettings(Settings, frozen=True):
    """Where button and lights are. GPIO 16 and 18 to 21 stay free for an I2S sound card."""

    factory: Literal["auto", "lgpio", "mock"] = "auto"
    """`auto`: the pins of this board where it is a Raspberry Pi, else pins that exist in memory only."""
    button: Pin = 23
    """Talk button, between the pin and ground; the pin pulls up."""
    claim_seconds: Annotated[float, Meta(ge=1.5, le=60.0)] = 8.0
    """How long the button is held, while nobody talks, until the robot waits for a claim."""
    mute: Pin | None = None
    """Second contact, between the pin and ground, that closes the microphone; none if not given."""
    mute_kind: Literal["switch", "button"] = "switch"
    """A switch keeps the microphone closed while its contact is; a button closes and opens it in a conversation."""
    cut: Pin | None = None
    """Third contact, a button between the pin and ground, that cuts what a delayed broadcast still holds; a broadcast
    without delay it ends for this conversation. None if not given."""
    light: Pin = 24
    """Talk light, lit when high, dimmed."""
    second_light: Pin | None = None
    """A second talk light, for what keeps the robot from listening; `light` is for the rest then."""
    green: Pin | None = None
    """With `blue`: `light` is the red of a talk light of three colours, and these are the others."""
    blue: Pin | None = None
    lit_when_low: bool = False
    """Whether the talk light is lit when its pins are low: a lamp of three colours with a common anode."""
    on_air: Pin = 25
    """On-air light (red), lit when high."""

    def __post_init__(self) -> None:
        """Refuse what is no panel.

        Raises:
            ValueError: a colour without the others, or a second light beside colours.
        """
        if (self.green is None) is not (self.blue is None):
            raise ValueError("a talk light of three colours has both `green` and `blue`")
        if self.green is not None and self.second_light is not None:
            raise ValueError("a talk light has either three colours or a `second_light`")

    @property
    def kind(self) -> Kind:
        """What the talk light is made of."""
        if self.green is not None:
            return Kind.RGB
        return Kind.ONE if self.second_light is None else Kind.PAIR

    @property
    def pins(self) -> dict[str, int]:
        """What is where, of all that there is."""
        places = ("button", "mute", "cut", "light", "second_light", "green", "blue", "on_air")
        return {name: pin for name in places if (pin := getattr(self, name)) is not None}

    @property
    def light_pins(self) -> tuple[int, ...]:
        """The pins of the talk light, in the order of its channels."""
        return tuple(pin for pin in (self.light, self.second_light, self.green, self.blue) if pin is not None)
