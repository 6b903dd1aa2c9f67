"""PURE. The `[sound]` table of a device's settings."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from device.messages.settings import Settings


class RoomSettings(Settings, frozen=True):
    """The simulated room: how the loudspeaker gets into the microphone, and what else is heard there."""

    delay: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.080
    """Seconds from the card taking a sample to the microphone hearing it, buffers of the card included."""
    echo_loss: Annotated[float, Meta(ge=-10.0, le=90.0)] = 6.0
    """Echo return loss: how many dB below the far end its echo is at the microphone, between 300 and 3400 Hz."""
    reverberation: Annotated[float, Meta(ge=0.02, le=2.0)] = 0.3
    """T60: seconds in which sound in the room decays by 60 dB."""
    noise: Annotated[float, Meta(ge=-100.0, le=-20.0)] = -65.0
    """Noise floor of the microphone, RMS in dBFS."""
    seed: Annotated[int, Meta(ge=0)] = 1
    """The same seed gives the same reverberation and the same noise."""
    loudspeaker_wav: str = ""
    """Write what the loudspeaker plays to this file; empty: do not."""
    microphone_wav: str = ""
    """Write what the microphone hears to this file; empty: do not."""


class SoundSettings(Settings, frozen=True):
    """Which microphone and speaker, and how often they call."""

    card: Literal["auto", "pyaudio", "room"] = "auto"
    """`auto`: PyAudio when this computer has a microphone and a speaker that can be used, else the simulated room; on a
    board with pins always PyAudio."""
    input: int | str = "default"
    """Microphone: `default`, `usb:` and the port it is plugged into, the number of a device, or part of its name."""
    output: int | str = "default"
    """Speaker: likewise."""
    frames: Annotated[int, Meta(ge=96, le=1920)] = 480
    """Samples in one call of the speaker: 480 is 10 ms. The microphone calls once for each block of 20 ms."""
    room: RoomSettings = RoomSettings()
