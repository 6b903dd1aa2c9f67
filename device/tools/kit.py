"""All tools of one robot, from its settings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from device.errors import MessageError, SettingsError, ToolError
from device.tools.folder import load_folder
from device.tools.settings import ToolsSettings
from device.tools.tool import Tool
from device.tools.toolbox import Toolbox


def toolbox(settings: ToolsSettings, own: Sequence[Tool]) -> Toolbox:
    """Return the tools that the robot brings along (`own`), and those in the folder of the settings.

    Raises:
        ToolError: a file or function in the folder is no good, two tools have one name, or there are too many.
    """
    found = load_folder(Path(settings.folder), settings.seconds) if settings.folder else []
    try:
        return Toolbox([*own, *found])
    except MessageError as error:
        raise ToolError(settings.folder or "[tools]", str(error), key="tools") from None


def local_time(at: float, zone: str) -> datetime:
    """Return Unix seconds as the time in `zone`, or in this computer's own where that is empty.

    Raises:
        SettingsError: there is no such zone.
    """
    return datetime.fromtimestamp(at, _zone(zone)).astimezone(_zone(zone))


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError("[tools]", f"there is no time zone {name!r}", key="tools.time_zone") from None
