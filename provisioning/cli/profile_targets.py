"""`kaiwa-cloud profile assign` and `unassign`: which robot, or group, has which profile."""

from __future__ import annotations

import typer

from provisioning.app import DEFAULT_OPERATOR
from provisioning.cli.invocation import Invocation, JsonFlag, Why, out, print_json
from provisioning.cli.orders import Operator
from provisioning.cli.profile_names import Device, Group, NameAndVersion, editor_of, named, target, warn, whom
from provisioning.profile_versions import Editor, assign, unassign
from provisioning.profiles.registry import Assignment
from provisioning.running import run
from provisioning.settings import CloudSettings
from provisioning.store import Store


def assign_command(
    context: typer.Context,
    name: NameAndVersion,
    device: Device = None,
    group: Group = None,
    *,
    operator: Operator = DEFAULT_OPERATOR,
    why: Why = "",
    json: JsonFlag = False,
) -> None:
    """Give a robot or a group a profile, from its next conversation on.

    It follows the profile's versions; with NAME@VERSION it stays at that one, which is also the way back to an old one.
    A robot's own profile counts before that of its group.
    """
    invocation: Invocation = context.obj
    settings, wanted = invocation.settings(), Assignment(target(device, group), *named(name))
    there = run(_assign(settings, wanted, editor_of(settings, operator, why)))
    if json:
        print_json({"target": wanted.target, "profile": wanted.profile, "version": wanted.version})
    else:
        out.print(f"{whom(Assignment(wanted.target, wanted.profile))} has the profile {name} now", markup=False)
    if not there:
        warn("no robot is in this group yet (kaiwa-cloud devices)")


async def _assign(settings: CloudSettings, wanted: Assignment, editor: Editor) -> bool:
    async with Store(settings.store_url) as store:
        return await assign(store, wanted, editor)


def unassign_command(
    context: typer.Context,
    device: Device = None,
    group: Group = None,
    *,
    operator: Operator = DEFAULT_OPERATOR,
    why: Why = "",
    json: JsonFlag = False,
) -> None:
    """Leave a robot to the profile of its group, or a group to that of the settings."""
    invocation: Invocation = context.obj
    settings, whose = invocation.settings(), target(device, group)
    run(_unassign(settings, whose, editor_of(settings, operator, why)))
    if json:
        print_json({"target": whose, "profile": None, "version": None})
    else:
        out.print(f"{whose.partition(':')[2]} has no profile of its own now", markup=False)


async def _unassign(settings: CloudSettings, whose: str, editor: Editor) -> None:
    async with Store(settings.store_url) as store:
        await unassign(store, whose, editor)
