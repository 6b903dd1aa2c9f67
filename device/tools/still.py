"""The tools of a robot that does not run: to be looked at, not to be called."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from device import phase as p
from device.audio.block import Samples
from device.tools.built_in import BuiltIn, Reach
from device.tools.kit import local_time, toolbox
from device.tools.outputs import Outputs
from device.tools.settings import ToolsSettings
from device.tools.tool import Tool
from device.tools.toolbox import Toolbox


@dataclass(slots=True)
class _Still:
    """In the place of loudspeaker and light, which only a running robot has."""

    volume: float = 1.0
    brightness: float = 1.0

    def earcon(self, samples: Samples) -> None:
        """Be silent."""

    def identify(self) -> None:
        """Stay dark."""


def still_toolbox(settings: ToolsSettings, more: Sequence[Tool] = ()) -> Toolbox:
    """Return all tools that a robot with these settings would have, and those that it has `more`; files in the folder are run.

    Raises:
        SettingsError: it could not have them, with file and line.
    """
    local_time(time.time(), settings.time_zone)
    outputs = Outputs(settings.outputs, None).tools()
    return toolbox(settings, [*_built_in(settings.time_zone).tools(), *more, *outputs])


def _built_in(zone: str) -> BuiltIn:
    def ignore(*_ignored: p.Event | str) -> None:
        pass

    return BuiltIn(Reach(_Still(), _Still(), ignore, ignore, lambda: local_time(time.time(), zone)))
