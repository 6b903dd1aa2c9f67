"""The device's settings: one TOML file, read strictly, every value explained with where it came from."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from device.boards import PROFILES, Board, recognised
from device.errors import SettingsError
from device.messages.settings import Settings, flattened, read_settings
from device.panel.settings import PanelSettings
from device.realtime.settings import RealtimeSettings
from device.record.settings import RecordSettings
from device.sora.settings import BroadcastSettings
from device.soundcard.settings import SoundSettings
from device.tools.settings import ToolsSettings
from device.update.settings import UpdateSettings

DEFAULT_PATH: Final = Path("/etc/kaiwa/device.toml")
MODEL: Final = Path("/proc/device-tree/model")
"""Where a board says what it is."""


class EchoSettings(Settings, frozen=True):
    """How the robot keeps from hearing itself."""

    mode: Literal["aec3", "half-duplex", "none"] = "aec3"
    """`none` only for speakerphones that cancel echo themselves; `half-duplex` cannot be interrupted by voice."""
    duck_db: Annotated[float, msgspec.Meta(ge=0, le=40)] = 12.0
    """By how many dB the robot lowers its voice at once when somebody speaks over it; 0: not. Only with `aec3`."""


class SessionSettings(Settings, frozen=True):
    """Waiting times of the session machine, in seconds."""

    announce_seconds: Annotated[float, msgspec.Meta(ge=0, le=60)] = 3.0
    """Between a remote start's chime and the open microphone."""
    prepare_seconds: Annotated[float, msgspec.Meta(gt=0, le=120)] = 40.0
    """How long a start may take before it is given up."""
    renew_seconds: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 3300.0
    """How long a call lasts before another is brought up beside it; at the latest after 11/12 of what the cloud says that a
    call may last."""
    reconnect_seconds: Annotated[float, msgspec.Meta(gt=0, le=120)] = 30.0
    """How long a session may be without a call, when the one in use has died, before it is given up."""


class ClaimSettings(Settings, frozen=True):
    """Where a robot without a keyboard finds its claim: at a start without an identity, and while the button says so."""

    files: tuple[str, ...] = ("/boot/firmware/kaiwa-claim.txt", "/boot/kaiwa-claim.txt", "/media/*/kaiwa-claim.txt")
    """Absolute paths, with `*` for any name: each may hold what `kaiwa-cloud claim new` printed, and nothing else."""
    wait_seconds: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 300.0
    """How long the robot waits for one, once the button was held."""
    look_seconds: Annotated[float, msgspec.Meta(ge=0.05, le=10)] = 1.0
    """Between two looks."""


class ReportSettings(Settings, frozen=True):
    """What the device tells, and how often."""

    metrics_seconds: Annotated[float, msgspec.Meta(gt=0)] = 60.0
    """Between two messages of meters."""
    heartbeat_seconds: Annotated[float, msgspec.Meta(gt=0, le=20)] = 10.0
    """Between two signs of life in a session; the cloud ends one whose robot is silent for a minute."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class DeviceSettings(Settings, frozen=True):
    """The whole file."""

    board: Literal["auto", "pi5", "pi4", "zero2w", "other"] = "auto"
    """Whose profile lies beneath this file (docs/boards.md); `auto`: what the board says it is."""
    state_dir: str = "/var/lib/kaiwa"
    """Folder of the enrolment, its key and the journal of orders."""
    language: Literal["en", "ja"] = "en"
    """In which the robot says what is wrong with it; what it converses in is the cloud's to say."""
    panel: PanelSettings = PanelSettings()
    sound: SoundSettings = SoundSettings()
    echo: EchoSettings = EchoSettings()
    realtime: RealtimeSettings = RealtimeSettings()
    broadcast: BroadcastSettings = BroadcastSettings()
    session: SessionSettings = SessionSettings()
    claim: ClaimSettings = ClaimSettings()
    report: ReportSettings = ReportSettings()
    tools: ToolsSettings = ToolsSettings()
    record: RecordSettings = RecordSettings()
    update: UpdateSettings = UpdateSettings()


def load(path: Path) -> DeviceSettings:
    """Return the settings in `path`; all have defaults, some by the board, so an empty file is a good one.

    Raises:
        SettingsError: the file cannot be read, or has an unknown or wrong key.
    """
    return _read(_text(path), path)[0]


def explain(path: Path) -> Iterator[tuple[str, Any, str]]:
    """Yield every effective value: its key, the value, and where it is from: `file`, the name of a board, or `default`.

    Raises:
        SettingsError: as `load`.
    """
    text = _text(path)
    settings, board = _read(text, path)
    said, by_board = set(flattened(tomllib.loads(text))), set(flattened(PROFILES[board]))
    for key, value in _values(settings, ""):
        yield key, value, "file" if key in said else board if key in by_board else "default"


def board_of(settings: DeviceSettings) -> Board:
    """Return the class of this board: what the settings say, or else what it calls itself."""
    wanted = Board(settings.board)
    return recognised(_model()) if wanted is Board.AUTO else wanted


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), f"cannot be read: {error}") from None


def _read(text: str, path: Path) -> tuple[DeviceSettings, Board]:
    board = board_of(read_settings(text, str(path), DeviceSettings))
    return read_settings(text, str(path), DeviceSettings, beneath=PROFILES[board]), board


def _model() -> str:
    """Return what the board calls itself, empty on other computers."""
    try:
        return MODEL.read_text(encoding="utf-8", errors="replace").rstrip("\0\n")
    except OSError:
        return ""


def _values(settings: msgspec.Struct, prefix: str) -> Iterator[tuple[str, Any]]:
    for field in msgspec.structs.fields(settings):
        value = getattr(settings, field.name)
        if isinstance(value, msgspec.Struct):
            yield from _values(value, f"{prefix}{field.encode_name}.")
        else:
            yield f"{prefix}{field.encode_name}", value
