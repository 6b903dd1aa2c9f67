"""Scenarios on the disk: a file, or one of those that ship, by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from device.errors import SettingsError
from provisioning.local.realtime.lined_yaml import line_of
from provisioning.local.realtime.pronunciation import pronounced
from provisioning.local.realtime.scenario import Scenario, read_scenario

SHIPPED: Final = Path(__file__).with_name("scenarios")
"""The folder of those that ship."""


def shipped() -> list[str]:
    """Return the names of the scenarios that ship."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def load_scenario(file: str) -> Scenario:
    """Return the scenario in `file`, or the shipped one of that name.

    Raises:
        SettingsError: there is none, or something in it is wrong or cannot be pronounced; with the line.
    """
    path = SHIPPED / f"{file}.yaml" if file in shipped() else Path(file)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise SettingsError(file, f"cannot be read: {reason}; those that ship: {', '.join(shipped())}") from None
    scenario = read_scenario(text, str(path))
    _pronounceable(scenario, text, str(path))
    return scenario


def _pronounceable(scenario: Scenario, text: str, path: str) -> None:
    for number, turn in enumerate(scenario.turns):
        for index, phrase in enumerate(turn.phrases):
            try:
                pronounced(phrase, scenario.language)
            except ValueError as error:
                line = line_of(text, path, ("turns", number, "heard", index))
                raise SettingsError(path, str(error), line=line, key="turns.heard") from None
