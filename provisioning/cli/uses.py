"""Short words for what operators do with robots' tools most often; each is a `kaiwa-cloud use`."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from provisioning.app import DEFAULT_OPERATOR
from provisioning.cli.invocation import JsonFlag, Why
from provisioning.cli.orders import Manner, Operator, Robot, use_tool, word

hush_command = word("Stop what a robot is saying; the conversation goes on.", partial(use_tool, tool="hush"))

mute_command = word(
    "Close a robot's microphone until `unmute`, a press of its button, or the end of the conversation.",
    partial(use_tool, tool="mute"),
)

unmute_command = word("Open a robot's microphone again.", partial(use_tool, tool="unmute"))

cut_command = word(
    "Drop the sound and the captions that a delayed broadcast still holds back. Without a delay there are none.",
    partial(use_tool, tool="cut"),
)

identify_command = word(
    "Let a robot blink for five seconds and sound a chime, so that you find it; also while it is at rest.",
    partial(use_tool, tool="identify"),
)


def say_command(
    context: typer.Context,
    device: Robot,
    text: Annotated[str, typer.Argument(help="What to say, in at most 500 characters.")],
    *,
    operator: Operator = DEFAULT_OPERATOR,
    why: Why = "",
    json: JsonFlag = False,
) -> None:
    """Have a robot say something in the conversation that goes on, as soon as nobody else speaks.

    The model is asked to say it, with its own voice and in nearly these words. Nobody keeps the text.
    """
    use_tool(context, device, Manner(operator, why, json), "say", text=text)


def ask_command(
    context: typer.Context,
    device: Robot,
    text: Annotated[str, typer.Argument(help="What to ask, in at most 500 characters.")],
    *,
    operator: Operator = DEFAULT_OPERATOR,
    why: Why = "",
    json: JsonFlag = False,
) -> None:
    """Ask a robot something in writing, in the conversation that goes on; it answers aloud.

    The model takes it for a visitor's question. Nobody keeps the text.
    """
    use_tool(context, device, Manner(operator, why, json), "ask", text=text)


def volume_command(
    context: typer.Context,
    device: Robot,
    percent: Annotated[int, typer.Argument(min=0, max=100, help="Below 10 it stays audible, at 10.")],
    *,
    operator: Operator = DEFAULT_OPERATOR,
    why: Why = "",
    json: JsonFlag = False,
) -> None:
    """Set how loud a robot speaks. Set in a conversation, it holds until that ends."""
    use_tool(context, device, Manner(operator, why, json), "volume", action="set", percent=percent)
