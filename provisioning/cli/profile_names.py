"""What the commands about profiles have in common: how profiles, robots and operators are named."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from device.errors import SettingsError
from provisioning.app import open_authority
from provisioning.cli.fleet import group_name
from provisioning.cli.invocation import err
from provisioning.profile_versions import Editor, find
from provisioning.profiles.registry import Assignment, Version, target_of
from provisioning.settings import CloudSettings
from provisioning.store import Store

Name = Annotated[str, typer.Argument(help="Name of the profile.")]
NameAndVersion = Annotated[
    str, typer.Argument(metavar="NAME[@VERSION]", help="A profile; its newest version if none is named.")
]
Device = Annotated[str | None, typer.Option(help="Name of the robot.")]
Group = Annotated[str | None, typer.Option(help="Name of the group.", parser=group_name)]


def named(text: str) -> tuple[str, int | None]:
    """Return name and version in a text such as `museum` or `museum@3`.

    Raises:
        typer.BadParameter: the version is no number.
    """
    name, at, version = text.partition("@")
    if at and not version.isdecimal():
        raise typer.BadParameter(f"{text!r} is not like museum or museum@3")
    return name, int(version) if at else None


def editor_of(settings: CloudSettings, operator: str, why: str) -> Editor:
    """Return who changes something now.

    Raises:
        SettingsError: there is no such operator.
    """
    now = time.time()
    if operator not in open_authority(settings, now).operators:
        raise SettingsError("--operator", f"there is no operator {operator!r}")
    return Editor(operator, now, why)


def target(device: str | None, group: str | None) -> str:
    """Return whom an assignment is for.

    Raises:
        typer.BadParameter: neither a robot nor a group, or both.
    """
    if (device is None) == (group is None):
        raise typer.BadParameter("one of --device and --group, please")
    return target_of(device, group)


def whom(assignment: Assignment) -> str:
    """Return for whom a profile is, as people read it."""
    kind, _, name = assignment.target.partition(":")
    pinned = "" if assignment.version is None else f" (version {assignment.version})"
    return f"{'group ' if kind == 'group' else ''}{name}{pinned}"


def made_at(version: Version) -> str:
    """Return when a version was made, as people read it."""
    return datetime.fromtimestamp(version.created_at, UTC).strftime("%Y-%m-%d %H:%M UTC")


async def found(settings: CloudSettings, name: str, version: int | None = None) -> Version:
    """Return a version of a profile from the store, the newest when none is named.

    Raises:
        ProfileError: there is none.
    """
    async with Store(settings.store_url) as store:
        return await find(store, name, version)


def warn(sentence: str) -> None:
    """Print what somebody should think of."""
    err.print(f"warning: {sentence}", style="yellow", markup=False, soft_wrap=True)
