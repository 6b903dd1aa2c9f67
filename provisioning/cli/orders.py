"""Commands to a robot, with each step of its answer, and what robots want to tell."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

import aiomqtt
import msgspec
import typer
from msgspec import to_builtins
from rich.text import Text

from device.errors import BrokerError, SettingsError
from device.messages.commands import CommandStatus, Step, Verb
from device.messages.envelope import Signer
from provisioning.app import DEFAULT_OPERATOR, open_authority
from provisioning.cli.invocation import ExitCode, Invocation, JsonFlag, Why, err, out, plain, print_json
from provisioning.commands import NEXT_STEP_SECONDS, NoAnswerError, new_command, order
from provisioning.link import BrokerEndpoint, connection
from provisioning.notes import notes
from provisioning.running import run
from provisioning.settings import CloudSettings, reachable

Robot = Annotated[str, typer.Argument(help="Name of the robot.")]
Operator = Annotated[str, typer.Option(help="In whose name (`kaiwa-cloud operator list`).")]

_COLOURS = {Step.SUCCEEDED: "green", Step.ACCEPTED: "cyan", Step.IN_PROGRESS: "cyan"}


@dataclass(frozen=True, slots=True)
class Manner:
    """In whose name an order is given, why, and how its steps are shown."""

    operator: str
    why: str
    json: bool


@dataclass(frozen=True, slots=True)
class Seat:
    """A connection to the broker as an operator, with what signs in their name and by which mandate."""

    client: aiomqtt.Client
    signer: Signer
    mandate: bytes


def word(text: str, act: Callable[[typer.Context, str, Manner], None]) -> Callable[..., None]:
    """Return the command, described by `text`, that says nothing but a robot's name."""

    def command(
        context: typer.Context,
        device: Robot,
        *,
        operator: Operator = DEFAULT_OPERATOR,
        why: Why = "",
        json: JsonFlag = False,
    ) -> None:
        act(context, device, Manner(operator, why, json))

    command.__doc__ = text
    return command


def give_order(
    context: typer.Context,
    device: str,
    manner: Manner,
    verb: Verb,
    args: dict[str, Any] | None = None,
    patience: float = NEXT_STEP_SECONDS,
) -> None:
    """Give a robot an order, and show each step of its answer; after the first, wait `patience` seconds for each.

    Raises:
        typer.Exit: it did not do it, or did not answer.
    """
    invocation: Invocation = context.obj
    try:
        last = run(_ordered(invocation.settings(), device, verb, manner, args, patience))
    except NoAnswerError as error:
        err.print(f"kaiwa-cloud: {error}", markup=False, soft_wrap=True)
        raise typer.Exit(ExitCode.NO_ANSWER) from None
    if last is not Step.SUCCEEDED:
        raise typer.Exit(ExitCode.REFUSED)


start_command = word(
    "Start a conversation from afar. The robot announces it first; whoever is there can refuse with the button.",
    partial(give_order, verb=Verb.START),
)

stop_command = word(
    "Stop the conversation. If the robot does not obey within seconds, the cloud hangs up itself.",
    partial(give_order, verb=Verb.STOP),
)


def use_command(
    context: typer.Context,
    device: Robot,
    tool: Annotated[
        str, typer.Argument(help="Name of the tool, such as hush, mute, unmute, or one of the robot's own.")
    ],
    arguments: Annotated[str, typer.Argument(help="Its arguments, as a JSON object.")] = "{}",
    *,
    operator: Operator = DEFAULT_OPERATOR,
    why: Why = "",
    json: JsonFlag = False,
) -> None:
    """Use a tool of a robot, as the model would; also those that only operators may use."""
    try:
        given = msgspec.json.decode(arguments, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise typer.BadParameter(f"not a JSON object: {error}") from None
    use_tool(context, device, Manner(operator, why, json), tool, **given)


def notes_command(context: typer.Context, *, operator: Operator = DEFAULT_OPERATOR, json: JsonFlag = False) -> None:
    """Show the messages that robots hand over for the operator, as they come, until Ctrl-C. Nobody keeps them."""
    invocation: Invocation = context.obj
    run(_notes(invocation.settings(), operator, json))


async def _notes(settings: CloudSettings, operator: str, json: bool) -> None:
    async with seated(settings, operator) as seat:
        async for noted in notes(seat.client):
            if json:
                print_json({"device": noted.device, **to_builtins(noted.note)})
            else:
                when = datetime.fromtimestamp(noted.note.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
                out.print(Text("  ").join([Text(when), plain(noted.device), plain(noted.note.text)]))


def use_tool(context: typer.Context, device: str, manner: Manner, tool: str, **arguments: Any) -> None:
    """Order a robot to use a tool, and show each step of its answer.

    Raises:
        typer.Exit: it did not do it, or did not answer.
    """
    give_order(context, device, manner, Verb.USE, {"tool": tool, "arguments": arguments})


async def _ordered(
    settings: CloudSettings, device: str, verb: Verb, manner: Manner, args: dict[str, Any] | None, patience: float
) -> Step:
    last = Step.FAILED
    async with seated(settings, manner.operator) as seat:
        command = new_command(device, verb, seat.signer.kid, time.time(), args, manner.why)
        async for status in order(seat.client, seat.signer, command, seat.mandate, patience):
            _show(status, manner.json)
            last = status.step
    return last


@asynccontextmanager
async def seated(settings: CloudSettings, operator: str) -> AsyncIterator[Seat]:
    """Connect to the broker as an operator.

    Raises:
        SettingsError: there is no such operator.
        BrokerError: the broker cannot be reached, or does not let them in.
    """
    authority = open_authority(settings, time.time())
    if operator not in authority.operators:
        raise SettingsError("--operator", f"no operator {operator!r}; there are: {', '.join(authority.operators)}")
    files, signer = authority.operator(operator, time.time())
    endpoint = BrokerEndpoint(reachable(settings.broker.host), settings.broker.port)
    try:
        async with connection(endpoint, signer.kid, authority.client_context(files)) as client:
            yield Seat(client, signer, authority.mandate(operator))
    except aiomqtt.MqttError as error:
        where = f"{endpoint.host}:{endpoint.port}"
        raise BrokerError(f"no broker at {where}: {error}; does `kaiwa-cloud serve` run?") from None


def _show(status: CommandStatus, json: bool) -> None:
    if json:
        print_json(to_builtins(status))
        return
    step = Text(status.step, _COLOURS.get(status.step, "red"))
    out.print(Text(" ").join([step, *([plain(status.reason)] if status.reason else [])]))
