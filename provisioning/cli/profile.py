"""`kaiwa-cloud profile`: who robots are, what they know and may do; every edit is a version."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from device.errors import SettingsError
from provisioning.cli.invocation import Invocation, JsonFlag, out, plain, print_json
from provisioning.cli.profile_changes import edit_command, new_command
from provisioning.cli.profile_names import NameAndVersion, found, made_at, named, warn, whom
from provisioning.cli.profile_sheet import as_json, print_sheet, sheet
from provisioning.cli.profile_targets import assign_command, unassign_command
from provisioning.cli.rehearsing import rehearse_command
from provisioning.profile_versions import find
from provisioning.profiles.reading import read_profile
from provisioning.profiles.registry import Assignment, Version
from provisioning.profiles.shutdowns import warnings
from provisioning.running import run
from provisioning.settings import CloudSettings
from provisioning.store import Store

profile = typer.Typer(
    help="Profiles: who robots are, how they listen, what they know and may do.", no_args_is_help=True
)
profile.command("new")(new_command)
profile.command("edit")(edit_command)


@profile.command("show")
def show_command(
    context: typer.Context,
    name: NameAndVersion,
    minutes: Annotated[float, typer.Option(min=0.5, max=60, help="Length of the conversation in the estimate.")] = 3.0,
    *,
    history: Annotated[bool, typer.Option("--history", help="Every version, who made it, and why.")] = False,
    json: JsonFlag = False,
) -> None:
    """Show a profile: its TOML, where its texts go and how many tokens they have, warnings, and an estimate of its cost."""
    invocation: Invocation = context.obj
    settings = invocation.settings()
    wanted, version = named(name)
    if history:
        _show_history(run(_history(settings, wanted)), json=json)
        return
    shown = sheet(run(found(settings, wanted, version)), settings, minutes)
    if json:
        print_json(as_json(shown))
    else:
        print_sheet(shown)


async def _history(settings: CloudSettings, name: str) -> list[Version]:
    async with Store(settings.store_url) as store:
        await find(store, name)
        async with store.transaction() as t:
            return await t.profiles.history(name)


def _show_history(versions: list[Version], *, json: bool) -> None:
    if json:
        print_json([_told(version) for version in versions])
        return
    table = Table("version", "made", "by", "texts", "why", box=None, pad_edge=False)
    for version in versions:
        table.add_row(
            str(version.version), made_at(version), version.operator, str(len(version.texts)), plain(version.why)
        )
    out.print(table)


def _told(version: Version) -> dict[str, Any]:
    return {
        "name": version.name,
        "version": version.version,
        "created_at": version.created_at,
        "operator": version.operator,
        "why": version.why,
        "texts": sorted(version.texts),
    }


@profile.command("list")
def list_command(context: typer.Context, *, json: JsonFlag = False) -> None:
    """List the profiles, and for whom each is. Whoever has none has that of the settings."""
    invocation: Invocation = context.obj
    settings = invocation.settings()
    newest, given = run(_all(settings))
    ends = [f"[openai] of the settings: {warning}" for warning in warnings(settings.openai, datetime.now(UTC).date())]
    ends += [warning for version in newest for warning in _ends(version)]
    if json:
        assigned = [{"target": one.target, "profile": one.profile, "version": one.version} for one in given]
        print_json({"profiles": [_told(version) for version in newest], "assignments": assigned, "warnings": ends})
        return
    table = Table("profile", "version", "made", "by", "for", box=None, pad_edge=False)
    for version in newest:
        held_by = ", ".join(whom(one) for one in given if one.profile == version.name)
        table.add_row(version.name, str(version.version), made_at(version), version.operator, held_by)
    table.add_row(plain("[openai]"), "", "", "", "whoever has no other")
    out.print(table)
    for warning in ends:
        warn(warning)


def _ends(version: Version) -> Iterator[str]:
    """Yield what is to be known of the newest version of a profile."""
    title = f"{version.name}@{version.version}"
    try:
        profile = read_profile(version.text, title)
    except SettingsError as error:
        yield f"it cannot be used: {error}"
    else:
        yield from (f"{title}: {warning}" for warning in warnings(profile, datetime.now(UTC).date()))


async def _all(settings: CloudSettings) -> tuple[list[Version], list[Assignment]]:
    async with Store(settings.store_url) as store, store.transaction() as t:
        return await t.profiles.all(), await t.profiles.assignments()


profile.command("assign")(assign_command)
profile.command("unassign")(unassign_command)
profile.command("test")(rehearse_command)
