"""An editor, opened on a profile again and again until what is in it can be used."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from device.errors import SettingsError
from provisioning.cli.invocation import err
from provisioning.profiles.drafts import Draft, checked
from provisioning.profiles.mcp import McpSecret


def files(paths: Sequence[Path]) -> dict[str, str]:
    """Return the texts in files, by their names.

    Raises:
        SettingsError: one cannot be read, or is not UTF-8.
    """
    return {path.name: text_of(path) for path in paths}


def text_of(path: Path) -> str:
    """Return what is in a text file.

    Raises:
        SettingsError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8; save it as such"
        raise SettingsError(str(path), f"cannot be read: {reason}") from None


def edited(name: str, draft: Draft, secrets: Mapping[str, McpSecret]) -> tuple[Draft, str]:
    """Let somebody edit a draft in $VISUAL or $EDITOR; return what they made, and the file that it was in.

    What cannot be used is said with its line, and the editor is opened again if they wish. Otherwise the file is kept.

    Raises:
        SettingsError: there is no editor, or what was made cannot be used.
    """
    with tempfile.NamedTemporaryFile("w", prefix=f"{name}-", suffix=".toml", delete=False, encoding="utf-8") as file:
        file.write(draft.text)
    path = Path(file.name)
    while True:
        _open(path)
        made = Draft(text_of(path), draft.texts)
        try:
            checked(made, str(path), secrets)
        except SettingsError as error:
            err.print(f"kaiwa-cloud: {error}", markup=False, soft_wrap=True)
            if not (sys.stdin.isatty() and typer.confirm("Edit it again?", default=True, err=True)):
                raise SettingsError(str(path), "is kept as it is; mend it, and take it with --file") from None
            continue
        path.unlink()
        return made, str(path)


def _open(path: Path) -> None:
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")
    if not editor:
        raise SettingsError("$EDITOR", f"is not set; set it, or edit {path} and take it with --file")
    try:
        subprocess.run([*editor, str(path)], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SettingsError("$EDITOR", f"{editor[0]} has failed: {error}; {path} is kept") from None
