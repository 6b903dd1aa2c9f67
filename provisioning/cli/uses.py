"""Short words for what operators do with robots' tools most often; each is a `kaiwa-cloud use`."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioning.app import DEFAULT_OPERATOR
from provisioning.cli.invocation import JsonFlag, Why
from provisioning.cli.orders import Manner, Operator, Robot, use_tool


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
    use_tool(context, device, "say", Manner(operator, why, json), text=text)


def hush_command(
    context: typer.Context,
    device: Robot,
    *,
    operator: Operator = DEFAULT_OPERATOR,
    why: Why = "",
    json: JsonFlag = False,
) -> None:
    """Stop what a robot is saying; the conversation goes on."""
    use_tool(context, device, "hush", Manner(operator, why, json))


def mute_command(
    context: typer.Context,
    device: Robot,
    *,
    operator: Operator = DEFAULT_OPERATOR,
    why: Why = "",
    json: JsonFlag = False,
) -> None:
    """Close a robot's microphone until `unmute`, a press of its button, or the end of the conversation."""
    use_tool(context, device, "mute", Manner(operator, why, json))


def unmute_command(
    context: typer.Context,
    device: Robot,
    *,
    operator: Operator = DEFAULT_OPERATOR,
    why: Why = "",
    json: JsonFlag = False,
) -> None:
    """Open a robot's microphone again."""
    use_tool(context, device, "unmute", Manner(operator, why, json))


def cut_command(
    context: typer.Context,
    device: Robot,
    *,
    operator: Operator = DEFAULT_OPERATOR,
    why: Why = "",
    json: JsonFlag = False,
) -> None:
    """Drop the sound and the captions that a delayed broadcast still holds back. Without a delay there are none."""
    use_tool(context, device, "cut", Manner(operator, why, json))


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
    use_tool(context, device, "volume", Manner(operator, why, json), action="set", percent=percent)


def identify_command(
    context: typer.Context,
    device: Robot,
    *,
    operator: Operator = DEFAULT_OPERATOR,
    why: Why = "",
    json: JsonFlag = False,
) -> None:
    """Let a robot blink for five seconds and sound a chime, so that you find it; also while it is at rest."""
    use_tool(context, device, "identify", Manner(operator, why, json))
