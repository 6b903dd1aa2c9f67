"""The verb `tools`: what the model is told of, and a call of one without a conversation."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass
from typing import Final

import msgspec

from device import phase as p
from device.config import DeviceSettings
from device.messages.tools import as_function
from device.panel.pins import open_pins
from device.tools.built_in import BuiltIn, Reach
from device.tools.kit import local_time, toolbox
from device.tools.outcome import Outcome
from device.tools.outputs import Outputs
from device.tools.tool import Tool

EXIT_FAILED: Final = 1


@dataclass(slots=True)
class _Still:
    """In the place of loudspeaker and light, which only a running robot has."""

    volume: float = 1.0
    brightness: float = 1.0


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    verb.add_argument("name", nargs="?", help="call this one: of the folder, or an output (default: show all)")
    verb.add_argument("arguments", nargs="?", default="{}", help="its arguments, as a JSON object")
    verb.add_argument("--json", action="store_true", help="show them as the service gets them")


def act(settings: DeviceSettings, options: argparse.Namespace) -> int:
    """Show all tools, or call one; return the exit code."""
    if options.name is None:
        own = [*_built_in(settings).tools(), *Outputs(settings.tools.outputs, None).tools()]
        sys.stdout.write("".join(_shown(tool, json=options.json) for tool in toolbox(settings.tools, own).tools))
        return 0
    outcome = asyncio.run(_called(settings, options.name, options.arguments))
    sys.stdout.write(outcome.text + "\n")
    return 0 if outcome.ok else EXIT_FAILED


async def _called(settings: DeviceSettings, name: str, arguments: str) -> Outcome:
    factory = open_pins(settings.panel.factory)
    try:
        async with Outputs(settings.tools.outputs, factory) as outputs:
            return await toolbox(settings.tools, outputs.tools()).call(name, arguments)
    finally:
        factory.close()


def _built_in(settings: DeviceSettings) -> BuiltIn:
    def ignore(*_ignored: p.Event | str) -> None:
        pass

    zone = settings.tools.time_zone
    local_time(time.time(), zone)
    return BuiltIn(Reach(_Still(), _Still(), ignore, ignore, lambda: local_time(time.time(), zone)))


def _shown(tool: Tool, *, json: bool) -> str:
    if json:
        return msgspec.json.encode(as_function(tool.declaration)).decode() + "\n"
    who = "operators only" if tool.user_only else "the model"
    lines = [f"{tool.name}  ({who}, {tool.seconds:g} s)", f"    {tool.declaration.description}"]
    for name, schema in tool.declaration.parameters.items():
        needed = "" if name in tool.declaration.required else ", may be left out"
        lines.append(f"    - {name}: {schema.__struct_config__.tag}{needed}  {schema.description}".rstrip())
    return "\n".join(lines) + "\n"
