"""Commands about operators: who may order robots about, and what."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.table import Table

from device.messages.commands import Verb
from device.messages.tools import ANY, ToolName
from provisioning.app import DEFAULT_OPERATOR, open_authority
from provisioning.cli.invocation import Invocation, JsonFlag, Why, err, out, print_json, tell
from provisioning.codes import is_device_name
from provisioning.operators import Operator, Rights, all_operators, make_operator, remove_operator
from provisioning.revocation import publish_revocations
from provisioning.running import run
from provisioning.settings import CloudSettings
from provisioning.store import Store

operator = typer.Typer(help="Who may order robots about, and what.", no_args_is_help=True)

LONGEST_DAYS: Final = 398
"""As long as the operator's certificate."""

Name = Annotated[str, typer.Argument(help="Name of the operator: a-z, 0-9 and -.")]


@operator.command("new")
def new_command(
    context: typer.Context,
    name: Name,
    may: Annotated[
        str,
        typer.Option(
            help="Orders, with commas: start, stop, update, use (any tool), or names of tools, such as mute,say."
        ),
    ] = "start,stop,use",
    robots: Annotated[str, typer.Option(help="Robots, with commas.")] = "",
    every: Annotated[bool, typer.Option("--all", help="All robots, also those to come.")] = False,
    per_minute: Annotated[int, typer.Option(min=1, max=600, help="Orders that each robot takes within a minute.")] = 30,
    days: Annotated[int, typer.Option(min=1, max=LONGEST_DAYS, help="How long it holds.")] = 90,
    why: Why = "",
    *,
    json: JsonFlag = False,
) -> None:
    """Make an operator with a key, a certificate and rights of their own; robots obey them at once.

    Robots that are enrolled already need to be told nothing: each order carries the operator's mandate, which `admin`,
    whom they know, has signed. A running `serve` that owns the broker lets the operator in within seconds; another
    broker must be told (`broker-config mosquitto --out`, reload).
    """
    invocation: Invocation = context.obj
    rights = Rights(*_orders(may), _robots(robots, every=every), per_minute, days * 86_400.0)
    made = run(_new(invocation.settings(), name, rights, why))
    if json:
        print_json(_row(made))
    else:
        out.print(f"{name} may {_words(made)} until {_until(made)}", soft_wrap=True)
        err.print(f"as in:  kaiwa-cloud stop ROBOT --operator {name}")


def _orders(text: str) -> tuple[list[Verb], list[str]]:
    """Return the orders and the single tools that a list names."""
    words = _listed(text)
    verbs = [Verb(word) for word in words if word in set(Verb)]
    try:
        tools = msgspec.convert([word for word in words if word not in set(Verb)], list[ToolName])
    except msgspec.ValidationError:
        raise typer.BadParameter(f"{text!r} holds what is no order and no name of a tool") from None
    if not words:
        raise typer.BadParameter("an operator who may do nothing is none; name orders or tools", param_hint="--may")
    return verbs, tools


def _robots(text: str, *, every: bool) -> list[str]:
    names = _listed(text)
    if bool(names) is every:
        raise typer.BadParameter("which robots? Name them, or say --all", param_hint="--robots")
    if wrong := next((name for name in names if not is_device_name(name)), None):
        raise typer.BadParameter(f"{wrong!r} is no name of a robot", param_hint="--robots")
    return names or [ANY]


def _listed(text: str) -> list[str]:
    return [word for word in (word.strip() for word in text.split(",")) if word]


async def _new(settings: CloudSettings, name: str, rights: Rights, why: str) -> Operator:
    now = time.time()
    authority = open_authority(settings, now)
    async with Store(settings.store_url) as store:
        made = Operator(name, make_operator(authority, DEFAULT_OPERATOR, name, rights, now))
        async with store.transaction() as t:
            detail = {key: value for key, value in _row(made).items() if key != "name"}
            await t.audit.add(now, DEFAULT_OPERATOR, "operator_made", name, why=why, **detail)
        await publish_revocations(store, authority, now)  # whoever follows it has the broker read its access list
    return made


@operator.command("list")
def list_command(context: typer.Context, *, json: JsonFlag = False) -> None:
    """List the operators, and what they may do. Whoever has no end is pinned in every robot and may do everything."""
    invocation: Invocation = context.obj
    found = all_operators(open_authority(invocation.settings(), time.time()))
    if json:
        print_json([_row(each) for each in found])
        return
    table = Table("operator", "may", "robots", "a minute", "until", box=None, pad_edge=False)
    for each in found:
        row = _row(each)
        minute = "" if row["per_minute"] is None else str(row["per_minute"])
        table.add_row(each.name, ",".join(row["may"]), ",".join(row["robots"]), minute, _until(each))
    out.print(table)


@operator.command("revoke")
def revoke_command(context: typer.Context, name: Name, why: Why = "", *, json: JsonFlag = False) -> None:
    """Take an operator's identity away: the broker lets them in no more, and their connections end.

    With a broker of yours, that begins when it is told (`broker-config mosquitto --out`, reload).
    """
    invocation: Invocation = context.obj
    run(_revoke(invocation.settings(), name, why))
    tell(f"{name} is revoked", json=json, operator=name, revoked=True)


async def _revoke(settings: CloudSettings, name: str, why: str) -> None:
    now = time.time()
    authority = open_authority(settings, now)
    async with Store(settings.store_url) as store:
        remove_operator(authority, name)
        async with store.transaction() as t:
            await t.audit.add(now, DEFAULT_OPERATOR, "operator_revoked", name, why=why)
        await publish_revocations(store, authority, now)


def _row(one: Operator) -> dict[str, Any]:
    mandate = one.mandate
    if mandate is None:
        return {"name": one.name, "may": list(Verb), "robots": [ANY], "per_minute": None, "until": None}
    limits = {"per_minute": mandate.per_minute, "until": mandate.expires_at}
    return {"name": one.name, "may": mandate.rights, "robots": mandate.robots, **limits}


def _words(one: Operator) -> str:
    row = _row(one)
    where = "every robot" if ANY in row["robots"] else ", ".join(row["robots"])
    return f"{', '.join(row['may'])} on {where}, {row['per_minute']} times a minute"


def _until(one: Operator) -> str:
    return "" if one.mandate is None else datetime.fromtimestamp(one.mandate.expires_at, UTC).strftime("%Y-%m-%d")
