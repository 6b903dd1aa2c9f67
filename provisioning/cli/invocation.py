"""What every command has in common: the settings file, how results are shown, and exit codes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from device.messages.commands import LONGEST_REASON
from provisioning.settings import CloudSettings, load_settings, with_secrets

out = Console(highlight=False)
"""Results."""

err = Console(stderr=True, highlight=False)
"""Progress and errors."""

JsonFlag = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def _short_enough(text: str) -> str:
    if len(text) > LONGEST_REASON:
        raise typer.BadParameter(f"{len(text)} characters, over {LONGEST_REASON}")
    return text


Why = Annotated[str, typer.Option(callback=_short_enough, help="What it is for; kept in the audit, in 200 characters.")]


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    ERROR = 1
    USAGE = 2
    REFUSED = 3
    """The robot did not do it."""
    NO_ANSWER = 4
    """The robot did not answer."""
    BROKEN = 5
    """The audit is not what was written."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One run of the command line."""

    config: Path

    def settings(self) -> CloudSettings:
        """Return the settings in the file that was named.

        Raises:
            SettingsError: it cannot be used.
        """
        return load_settings(self.config)

    def settings_with_secrets(self) -> CloudSettings:
        """Return them with the keys of the two services, as the service needs them.

        Raises:
            SettingsError: they cannot be used, or a key cannot be read.
        """
        return with_secrets(self.settings(), self.config, os.environ)


def plain(text: str) -> Text:
    """Return what a board said such that a terminal shows it and obeys nothing in it."""
    return Text("".join(sign if sign.isprintable() else " " for sign in text))


def print_json(value: object) -> None:
    """Print one line of JSON to where results go."""
    typer.echo(msgspec.json.encode(value))


def tell(text: str, *, json: bool, **done: object) -> None:
    """Print what was done: in words, or its parts as one line of JSON."""
    if json:
        print_json(done)
    else:
        out.print(text, soft_wrap=True, markup=False)
