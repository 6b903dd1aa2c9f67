"""`kaiwa-cloud console`: an operator's page on this computer."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated

import typer

from provisioning.app import DEFAULT_OPERATOR
from provisioning.cli.invocation import Invocation, JsonFlag, err, tell
from provisioning.cli.orders import Operator
from provisioning.console.running import console_of
from provisioning.running import run
from provisioning.settings import CloudSettings


def console_command(
    context: typer.Context,
    *,
    operator: Operator = DEFAULT_OPERATOR,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this computer; 0 takes a free one.")] = 0,
    json: JsonFlag = False,
) -> None:
    """Open an operator's console in the browser of this computer, until Ctrl-C.

    Prints a link that opens once, within ten minutes. The page shows everything that a robot and its model say to
    each other, words included, while it is open, and orders the robot about. Nobody else can reach it. An order in the
    same operator's name, given elsewhere, takes its connection away: give the console an operator of its own.
    """
    invocation: Invocation = context.obj
    with suppress(KeyboardInterrupt):
        run(_serve(invocation.settings(), operator, port, json=json))


async def _serve(settings: CloudSettings, operator: str, port: int, *, json: bool) -> None:
    async with console_of(settings, operator, port) as link:
        tell(link, json=json, link=link)
        err.print("opens once; Ctrl-C ends")
        await asyncio.Event().wait()
