"""Writing the mode into the settings file, which keeps its comments and its order."""

from __future__ import annotations

from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Item, Table

from device.audio.echo import EchoMode
from device.config import DeviceSettings
from device.durably import write_durably
from device.errors import SettingsError
from device.messages.settings import read_settings

_MARK = "calibrated "


def with_mode(text: str, mode: EchoMode, note: str) -> str:
    """Return the TOML `text` with `[echo] mode` set; `note` follows as a comment unless a person wrote one there.

    Raises:
        SettingsError: it is not TOML, or `echo` is not a table.
    """
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise SettingsError("settings", f"not TOML: {error}") from None
    echo = document.setdefault("echo", tomlkit.table())
    if not isinstance(echo, Table):
        raise SettingsError("settings", "is not written as a table [echo]", key="echo")
    before = echo.get("mode")
    value = tomlkit.string(mode.value)
    comment = before.trivia.comment.lstrip("# ") if isinstance(before, Item) else ""
    value.comment(comment if comment and not comment.startswith(_MARK) else _MARK + note)
    echo["mode"] = value
    return tomlkit.dumps(document)


def keep(path: Path, mode: EchoMode, note: str) -> None:
    """Write the mode into the file at `path`, as a whole or not at all; its permissions stay.

    Raises:
        SettingsError: it cannot be read, understood or written, or would not be valid settings after.
    """
    try:
        text, permissions = path.read_text(encoding="utf-8"), path.stat().st_mode & 0o777
        changed = with_mode(text, mode, note)
        read_settings(changed, str(path), DeviceSettings)
        write_durably(path, changed.encode(), permissions)
    except OSError as error:
        raise SettingsError(str(path), f"cannot be changed: {error.strerror}") from None
