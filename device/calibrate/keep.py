"""Writing the mode into the settings file, which keeps its comments and its order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
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
    """Write the mode into the file at `path`, as a whole or not at all; its permissions stay, and a link to it does.

    Raises:
        SettingsError: it cannot be read, understood or written, or would not be valid settings after.
    """
    with _told(path):
        changed, permissions = _changed(path, mode, note), path.stat().st_mode & 0o777
        write_durably(path.resolve(), changed.encode(), permissions)


def check(path: Path) -> None:
    """Make sure that `keep` will be able to, before somebody listens to chirps for nothing.

    Raises:
        SettingsError: as `keep`.
    """
    with _told(path):
        _changed(path, EchoMode.NONE, "")
    if not os.access(path.resolve().parent, os.W_OK):
        raise SettingsError(str(path), "cannot be changed by this user; try it with sudo")


def _changed(path: Path, mode: EchoMode, note: str) -> str:
    changed = with_mode(path.read_text(encoding="utf-8"), mode, note)
    read_settings(changed, str(path), DeviceSettings)
    return changed


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SettingsError(str(path), f"cannot be changed: {error.strerror}") from None
