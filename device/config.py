"""The device's settings: one TOML file, read strictly, every value explained with where it came from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from device.errors import SettingsError
from device.messages.settings import Settings, read_settings
from device.panel.settings import PanelSettings
from device.realtime.settings import RealtimeSettings
from device.sora.settings import BroadcastSettings
from device.soundcard.settings import SoundSettings

DEFAULT_PATH: Final = Path("/etc/kaiwa/device.toml")


class EchoSettings(Settings, frozen=True):
    """How the robot keeps from hearing itself."""

    mode: Literal["aec3", "half-duplex", "none"] = "aec3"
    """`none` only for speakerphones that cancel echo themselves; `half-duplex` cannot be interrupted by voice."""


class SessionSettings(Settings, frozen=True):
    """Waiting times of the session machine, in seconds."""

    announce_seconds: Annotated[float, msgspec.Meta(ge=0, le=60)] = 3.0
    """Between a remote start's chime and the open microphone."""
    prepare_seconds: Annotated[float, msgspec.Meta(gt=0, le=120)] = 40.0
    """How long a start may take before it is given up."""


class ReportSettings(Settings, frozen=True):
    """What the device tells, and how often."""

    metrics_seconds: Annotated[float, msgspec.Meta(gt=0)] = 60.0
    """Between two messages of meters."""
    heartbeat_seconds: Annotated[float, msgspec.Meta(gt=0, le=20)] = 10.0
    """Between two signs of life in a session; the cloud ends one whose robot is silent for a minute."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class DeviceSettings(Settings, frozen=True):
    """The whole file."""

    state_dir: str = "/var/lib/kaiwa"
    """Folder of the enrolment, its key and the journal of orders."""
    panel: PanelSettings = PanelSettings()
    sound: SoundSettings = SoundSettings()
    echo: EchoSettings = EchoSettings()
    realtime: RealtimeSettings = RealtimeSettings()
    broadcast: BroadcastSettings = BroadcastSettings()
    session: SessionSettings = SessionSettings()
    report: ReportSettings = ReportSettings()


def load(path: Path) -> DeviceSettings:
    """Return the settings in `path`; all have defaults, so an empty file is a good one.

    Raises:
        SettingsError: the file cannot be read, or has an unknown or wrong key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), f"cannot be read: {error}") from None
    return read_settings(text, str(path), DeviceSettings)


def explain(settings: DeviceSettings) -> Iterator[tuple[str, Any, str]]:
    """Yield every effective value: its key, the value, and `file` or `default`."""
    yield from _explain(settings, DeviceSettings(), "")


def _explain(settings: msgspec.Struct, defaults: msgspec.Struct, prefix: str) -> Iterator[tuple[str, Any, str]]:
    for field in msgspec.structs.fields(settings):
        value, default = getattr(settings, field.name), getattr(defaults, field.name)
        if isinstance(value, msgspec.Struct):
            yield from _explain(value, default, f"{prefix}{field.encode_name}.")
        else:
            yield f"{prefix}{field.encode_name}", value, "default" if value == default else "file"
