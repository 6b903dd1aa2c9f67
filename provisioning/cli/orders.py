"""Commands to a robot, with each step of its answer."""

from __future__ import annotations

import time
from typing import Annotated

import aiomqtt
import typer
from msgspec import to_builtins
from rich.text import Text

from device.errors import BrokerError, SettingsError
from device.messages.commands import CommandStatus, Step, Verb
from provisioning.app import DEFAULT_OPERATOR, open_authority
from provisioning.cli.invocation import ExitCode, Invocation, JsonFlag, err, out, plain, print_json
from provisioning.commands import NoAnswerError, new_command, order
from provisioning.link import BrokerEndpoint, connection
from provisioning.running import run
from provisioning.settings import CloudSettings, reachable

Robot = Annotated[str, typer.Argument(help="Name of the robot.")]
Operator = Annotated[str, typer.Option(help="In whose name; robots obey those who were there when they were enrolled.")]

_COLOURS = {Step.SUCCEEDED: "green", Step.ACCEPTED: "cyan", Step.IN_PROGRESS: "cyan"}


def start_command(
    context: typer.Context, device: Robot, *, operator: Operator = DEFAULT_OPERATOR, json: JsonFlag = False
) -> None:
    """Start a conversation from afar. The robot announces it first; whoever is there can refuse with the button."""
    _order(context, device, Verb.START, operator, json)


def stop_command(
    context: typer.Context, device: Robot, *, operator: Operator = DEFAULT_OPERATOR, json: JsonFlag = False
) -> None:
    """Stop the conversation. If the robot does not obey within seconds, the cloud hangs up itself."""
    _order(context, device, Verb.STOP, operator, json)


def _order(context: typer.Context, device: str, verb: Verb, operator: str, json: bool) -> None:
    invocation: Invocation = context.obj
    try:
        last = run(_ordered(invocation.settings(), device, verb, operator, json))
    except NoAnswerError as error:
        err.print(f"kaiwa-cloud: {error}", markup=False, soft_wrap=True)
        raise typer.Exit(ExitCode.NO_ANSWER) from None
    if last is not Step.SUCCEEDED:
        raise typer.Exit(ExitCode.REFUSED)


async def _ordered(settings: CloudSettings, device: str, verb: Verb, operator: str, json: bool) -> Step:
    authority = open_authority(settings, time.time())
    if operator not in authority.operators:
        raise SettingsError("--operator", f"no operator {operator!r}; there are: {', '.join(authority.operators)}")
    files, signer = authority.operator(operator, time.time())
    endpoint = BrokerEndpoint(reachable(settings.broker.host), settings.broker.port)
    last = Step.FAILED
    try:
        async with connection(endpoint, signer.kid, authority.client_context(files)) as client:
            async for status in order(client, signer, new_command(device, verb, signer.kid, time.time())):
                _show(status, json)
                last = status.step
    except aiomqtt.MqttError as error:
        raise BrokerError(f"no broker at {endpoint.host}:{endpoint.port}: {error}") from None
    return last


def _show(status: CommandStatus, json: bool) -> None:
    if json:
        print_json(to_builtins(status))
        return
    step = Text(status.step, _COLOURS.get(status.step, "red"))
    out.print(Text(" ").join([step, *([plain(status.reason)] if status.reason else [])]))
