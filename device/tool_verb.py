"""The verb `tools`: what the model is told of, and a call of one without a conversation."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Final

import msgspec

from device.config import DeviceSettings
from device.messages.tools import as_function
from device.panel.pins import open_pins
from device.record.chronicle import Chronicle
from device.tools.kit import toolbox
from device.tools.outcome import Outcome
from device.tools.outputs import Outputs
from device.tools.still import still_toolbox
from device.tools.tool import Tool

EXIT_FAILED: Final = 1


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    verb.add_argument("name", nargs="?", help="call this one: of the folder, or an output (default: show all)")
    verb.add_argument("arguments", nargs="?", default="{}", help="its arguments, as a JSON object")
    verb.add_argument("--json", action="store_true", help="show them as the service gets them")


def act(settings: DeviceSettings, options: argparse.Namespace) -> int:
    """Show all tools, or call one; return the exit code."""
    if options.name is None:
        about_records = Chronicle(settings.record, None, "", float).tools()
        tools = still_toolbox(settings.tools, about_records).tools
        sys.stdout.write("".join(_shown(tool, json=options.json) for tool in tools))
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


def _shown(tool: Tool, *, json: bool) -> str:
    if json:
        return msgspec.json.encode(as_function(tool.declaration)).decode() + "\n"
    who = "operators only" if tool.user_only else "the model"
    lines = [f"{tool.name}  ({who}, {tool.seconds:g} s)", f"    {tool.declaration.description}"]
    for name, schema in tool.declaration.parameters.items():
        needed = "" if name in tool.declaration.required else ", may be left out"
        lines.append(f"    - {name}: {schema.__struct_config__.tag}{needed}  {schema.description}".rstrip())
    return "\n".join(lines) + "\n"
