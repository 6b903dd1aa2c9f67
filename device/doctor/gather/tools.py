"""Looks at the tools by making them, the way the robot does; files in the folder are run, and no tool is called."""

from __future__ import annotations

from device.doctor.checks.tools import ToolFacts
from device.errors import SettingsError
from device.messages.tools import BUILT_IN, LOOK_UP
from device.tools.built_in import FOR_OPERATORS
from device.tools.settings import ToolsSettings
from device.tools.still import still_toolbox


def gather(settings: ToolsSettings) -> ToolFacts:
    """Return what is to be seen of a robot's own tools."""
    try:
        found = still_toolbox(settings).tools
    except SettingsError as error:
        return ToolFacts((), str(error))
    return ToolFacts(tuple(tool.name for tool in found if tool.name not in {*BUILT_IN, LOOK_UP, *FOR_OPERATORS}))
