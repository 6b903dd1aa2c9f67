"""The microphones and speakers that PortAudio finds, and how one of them is chosen."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from device.audio.block import RATE
from device.errors import SoundError
from device.soundcard.places import place_of, places
from device.soundcard.quiet import hush

try:
    import pyaudio
except ImportError as error:  # libportaudio.so.2 is Debian's; whoever opens it hears so, and everything else goes on
    _MISSING = str(error)
else:
    _MISSING = ""

_log = logging.getLogger(__name__)

RATES: Final = (8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 96_000)
"""Samples per second that are tried, only to say what a device can do instead of 48 kHz."""

Direction = Literal["microphone", "speaker"]


@dataclass(frozen=True, slots=True)
class Device:
    """One device of PortAudio."""

    index: int
    name: str
    inputs: int
    """Channels it can capture."""
    outputs: int
    """Channels it can play."""
    rate: int
    """Samples per second that it likes best."""
    place: str = ""
    """The USB port its card is plugged into, `usb:1-1.3`; the same after every restart. Empty elsewhere."""

    def serves(self, direction: Direction) -> bool:
        """Tell whether this can be a microphone, or a speaker."""
        return (self.inputs if direction == "microphone" else self.outputs) > 0

    def __str__(self) -> str:
        return f"{self.index} {self.name}"


def open_portaudio() -> pyaudio.PyAudio:
    """Start PortAudio, which looks for devices now; blocks for some tens of milliseconds, `terminate()` it after.

    Raises:
        SoundError: it is not installed.
    """
    if _MISSING:
        raise SoundError(f"PortAudio cannot be loaded: {_MISSING}; sudo apt install libportaudio2")
    hush()
    return pyaudio.PyAudio()


def devices() -> list[Device]:
    """Return every device there is now; blocks like `open_portaudio`."""
    audio = open_portaudio()
    try:
        return devices_of(audio)
    finally:
        audio.terminate()


def devices_of(audio: pyaudio.PyAudio) -> list[Device]:
    """Return every device that a running PortAudio knows."""
    where = places()
    return [_device(audio.get_device_info_by_index(index), where) for index in range(audio.get_device_count())]


def _device(info: dict[str, int | float | str], where: Mapping[int, str]) -> Device:
    return Device(
        int(info["index"]),
        str(info["name"]),
        int(info["maxInputChannels"]),
        int(info["maxOutputChannels"]),
        int(float(info["defaultSampleRate"])),
        place_of(str(info["name"]), where),
    )


def has_both() -> bool:
    """Tell whether this computer has a default microphone and a default speaker; blocks like `open_portaudio`."""
    try:
        audio = open_portaudio()
    except SoundError as error:
        _log.warning("%s", error)
        return False
    try:
        audio.get_default_input_device_info()
        audio.get_default_output_device_info()
    except OSError:
        return False
    else:
        return True
    finally:
        audio.terminate()


def choose(audio: pyaudio.PyAudio, wanted: int | str, direction: Direction) -> Device:
    """Return the device that `wanted` means: `default`, a number, a USB port such as `usb:1-1.3`, or part of a name.

    Raises:
        SoundError: there is no such device, or it refuses 48 kHz mono.
    """
    fitting = [device for device in devices_of(audio) if device.serves(direction)]
    default = _default(audio, direction)
    for device in fitting:
        if wanted in {device.index, str(device.index), device.place or None} or (
            wanted == "default" and device.index == default
        ):
            return _checked(audio, device, direction)
    for device in fitting:
        if isinstance(wanted, str) and wanted != "default" and wanted.casefold() in device.name.casefold():
            return _checked(audio, device, direction)
    what = f"no {direction}" if wanted == "default" else f"no {direction} {wanted!r}"
    there = f"there are: {', '.join(map(str, fitting))}" if fitting else "this computer shows none at all"
    raise SoundError(f"{what}; {there}")


def _default(audio: pyaudio.PyAudio, direction: Direction) -> int | None:
    try:
        if direction == "microphone":
            return int(audio.get_default_input_device_info()["index"])
        return int(audio.get_default_output_device_info()["index"])
    except OSError:
        return None


def rates(audio: pyaudio.PyAudio, device: Device, direction: Direction) -> tuple[int, ...]:
    """Return the samples per second, of `RATES` and 48 kHz, that a device does in mono; none while it is in use."""
    return tuple(rate for rate in sorted((*RATES, RATE)) if _can(audio, device, direction, rate))


def _checked(audio: pyaudio.PyAudio, device: Device, direction: Direction) -> Device:
    if not _can(audio, device, direction, RATE):
        able = [f"{rate} Hz" for rate in RATES if _can(audio, device, direction, rate)]
        instead = f"it does {', '.join(able)}" if able else "nor does it do any other usual rate; is it in use?"
        raise SoundError(f"the {direction} {device} does not do {RATE} Hz mono; {instead}")
    return device


def _can(audio: pyaudio.PyAudio, device: Device, direction: Direction, rate: int) -> bool:
    side = "input" if direction == "microphone" else "output"
    asked = {f"{side}_device": device.index, f"{side}_channels": 1, f"{side}_format": pyaudio.paInt16}
    try:
        return bool(audio.is_format_supported(rate, **asked))
    except ValueError:
        return False
