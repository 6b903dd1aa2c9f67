"""`kaiwa-cloud update`: the order to a robot to become another version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from device.errors import MalformedMessageError, SettingsError
from device.messages.commands import Update, Verb
from device.messages.wire import convert
from provisioning.app import DEFAULT_OPERATOR
from provisioning.cli.invocation import JsonFlag, Why
from provisioning.cli.orders import Manner, Operator, Robot, give_order
from provisioning.releases import read

PATIENCE: Final = 600.0
"""Seconds without a word after which a robot is not waited for: one that is on trial may be silent for five minutes."""


def update_command(
    context: typer.Context,
    device: Robot,
    release: Annotated[Path, typer.Option(help="The signed release: PACKAGE.deb.release.")],
    address: Annotated[str, typer.Option("--from", help="Where the package lies: https://…/PACKAGE.deb.")],
    *,
    operator: Operator = DEFAULT_OPERATOR,
    why: Why = "",
    json: JsonFlag = False,
) -> None:
    """Have a robot become another version, and go back by itself if that one is not well.

    It fetches the package while it may be talking, begins with it as soon as nobody talks, and keeps it once sound and
    cloud have been there for 20 seconds; within 5 minutes, or the version before runs again. Each step is shown.
    """
    sealed, _ = read(release)
    args = {"release": sealed, "url": address}
    try:
        convert(args, Update)
    except MalformedMessageError as error:
        raise SettingsError("--from", f"{error}") from None
    give_order(context, device, Manner(operator, why, json), Verb.UPDATE, args, PATIENCE)
