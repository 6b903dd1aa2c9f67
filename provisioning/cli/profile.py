"""`kaiwa-cloud profile`: who robots are, what they know and may do; every edit is a version."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from device.errors import SettingsError
from provisioning.app import DEFAULT_OPERATOR, open_authority
from provisioning.cli.editing import edited, files
from provisioning.cli.fleet import group_name
from provisioning.cli.invocation import Invocation, JsonFlag, Why, err, out, plain, print_json
from provisioning.cli.orders import Operator
from provisioning.cli.profile_sheet import Sheet, as_json, print_sheet, sheet
from provisioning.profile_versions import Editor, add_version, assign, find, unassign
from provisioning.profiles.drafts import Draft
from provisioning.profiles.reading import read_profile
from provisioning.profiles.registry import Assignment, Version, target_of
from provisioning.profiles.shutdowns import warnings
from provisioning.profiles.template import LANGUAGES, template
from provisioning.running import run
from provisioning.settings import CloudSettings
from provisioning.store import Store

profile = typer.Typer(
    help="Profiles: who robots are, how they listen, what they know and may do.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="Name of the profile.")]
NameAndVersion = Annotated[
    str, typer.Argument(metavar="NAME[@VERSION]", help="A profile; its newest version if none is named.")
]
File = Annotated[Path | None, typer.Option("--file", help="Take the TOML from here instead of an editor.")]
Texts = Annotated[
    list[Path] | None, typer.Option("--text", help="A text file about the place; may be given several times.")
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


@profile.command("new")
def new_command(
    context: typer.Context,
    name: Name,
    file: File = None,
    text: Texts = None,
    language: Annotated[str, typer.Option(help=f"Of what the editor begins with: {' or '.join(LANGUAGES)}.")] = "en",
    *,
    operator: Operator = DEFAULT_OPERATOR,
    why: Why = "",
    json: JsonFlag = False,
) -> None:
    """Make a profile. Without --file, $EDITOR opens on one that is filled in for you; what is wrong is said with its line."""
    _save(
        context.obj, name, None, _Change(file, text or [], [], language), Editor(operator, time.time(), why), json=json
    )


@profile.command("edit")
def edit_command(
    context: typer.Context,
    name: Name,
    file: File = None,
    text: Texts = None,
    drop_text: Annotated[list[str] | None, typer.Option("--drop-text", help="Title of a text that goes.")] = None,
    *,
    operator: Operator = DEFAULT_OPERATOR,
    why: Why = "",
    json: JsonFlag = False,
) -> None:
    """Make a new version of a profile: in $EDITOR, from --file, or with other texts alone. The old ones stay."""
    base = run(_find(context.obj.settings(), name))
    change = _Change(file, text or [], drop_text or [])
    _save(context.obj, name, base, change, Editor(operator, time.time(), why), json=json)


class _Change:
    """What is to change, and from where."""

    def __init__(self, file: Path | None, add: list[Path], drop: list[str], language: str = "en") -> None:
        self._file, self._add, self._drop, self._language = file, add, drop, language

    def draft(self, name: str, base: Version | None, settings: CloudSettings) -> tuple[Draft, str]:
        """Return what is to become a version, and what it is called in messages.

        Raises:
            SettingsError: a file cannot be read, or a text that is to go is not there.
        """
        texts = {**(base.texts if base else {}), **files(self._add)}
        for title in self._drop:
            if texts.pop(title, None) is None:
                raise SettingsError(name, f"there is no text {title!r}")
        if self._file is not None:
            return Draft(_read(self._file), texts), str(self._file)
        if base is not None and (self._add or self._drop):
            return Draft(base.text, texts), f"{name}@{base.version}"
        begun = base.text if base else template(name, self._language)
        return edited(name, Draft(begun, texts), _secrets(settings))


def _save(
    invocation: Invocation, name: str, base: Version | None, change: _Change, editor: Editor, *, json: bool
) -> None:
    settings = invocation.settings()
    if editor.operator not in open_authority(settings, editor.now).operators:
        raise SettingsError("--operator", f"there is no operator {editor.operator!r}")
    draft, path = change.draft(name, base, settings)
    if base is not None and draft == Draft(base.text, base.texts):
        err.print(f"nothing has changed: {name} stays at version {base.version}")
        return
    made = run(_add(settings, name, draft, base, editor, path))
    shown = sheet(made, settings)
    if json:
        print_json(as_json(shown))
        return
    out.print(f"{name} is at version {made.version} now", markup=False)
    _warn(shown)


def _warn(shown: Sheet) -> None:
    for warning in shown.warnings:
        err.print(f"warning: {warning}", style="yellow", markup=False, soft_wrap=True)


async def _add(
    settings: CloudSettings, name: str, draft: Draft, base: Version | None, editor: Editor, path: str
) -> Version:
    async with Store(settings.store_url) as store:
        number = base.version if base else 0
        return await add_version(store, name, draft, number, editor, _secrets(settings), path)


async def _find(settings: CloudSettings, name: str, version: int | None = None) -> Version:
    async with Store(settings.store_url) as store:
        return await find(store, name, version)


def _secrets(settings: CloudSettings) -> dict[str, Any]:
    return {secret.name: secret for secret in settings.mcp_secrets}


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise SettingsError(str(path), f"cannot be read: {reason}") from None


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
    settings = context.obj.settings()
    wanted, version = named(name)
    if history:
        _show_history(run(_history(settings, wanted)), json=json)
        return
    shown = sheet(run(_find(settings, wanted, version)), settings, minutes)
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
            str(version.version), _when(version), version.operator, str(len(version.texts)), plain(version.why)
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


def _when(version: Version) -> str:
    return datetime.fromtimestamp(version.created_at, UTC).strftime("%Y-%m-%d %H:%M UTC")


@profile.command("list")
def list_command(context: typer.Context, *, json: JsonFlag = False) -> None:
    """List the profiles, and for whom each is. Whoever has none has that of the settings."""
    settings = context.obj.settings()
    found, given = run(_all(settings))
    ends = [f"[openai] of the settings: {warning}" for warning in warnings(settings.openai, datetime.now(UTC).date())]
    ends += [warning for version in found for warning in _ends(version)]
    if json:
        assigned = [{"target": one.target, "profile": one.profile, "version": one.version} for one in given]
        print_json({"profiles": [_told(version) for version in found], "assignments": assigned, "warnings": ends})
        return
    table = Table("profile", "version", "made", "by", "for", box=None, pad_edge=False)
    for version in found:
        whom = ", ".join(_whom(one) for one in given if one.profile == version.name)
        table.add_row(version.name, str(version.version), _when(version), version.operator, whom)
    table.add_row(plain("[openai]"), "", "", "", "whoever has no other")
    out.print(table)
    for warning in ends:
        err.print(f"warning: {warning}", style="yellow", markup=False, soft_wrap=True)


def _ends(version: Version) -> Iterator[str]:
    """Yield what is to be known of the newest version of a profile."""
    title = f"{version.name}@{version.version}"
    try:
        profile = read_profile(version.text, title)
    except SettingsError as error:
        yield f"it cannot be used: {error}"
    else:
        yield from (f"{title}: {warning}" for warning in warnings(profile, datetime.now(UTC).date()))


def _whom(assignment: Assignment) -> str:
    kind, _, name = assignment.target.partition(":")
    pinned = "" if assignment.version is None else f" (version {assignment.version})"
    return f"{'group ' if kind == 'group' else ''}{name}{pinned}"


async def _all(settings: CloudSettings) -> tuple[list[Version], list[Assignment]]:
    async with Store(settings.store_url) as store, store.transaction() as t:
        return await t.profiles.all(), await t.profiles.assignments()


def _target(device: str | None, group: str | None) -> str:
    if (device is None) == (group is None):
        raise typer.BadParameter("one of --device and --group, please")
    return target_of(device, group)


@profile.command("assign")
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
    wanted = Assignment(_target(device, group), *named(name))
    settings = context.obj.settings()
    there = run(_assign(settings, wanted, Editor(operator, time.time(), why)))
    if json:
        print_json({"target": wanted.target, "profile": wanted.profile, "version": wanted.version})
    else:
        out.print(f"{_whom(Assignment(wanted.target, wanted.profile))} has the profile {name} now", markup=False)
    if not there:
        err.print("warning: no robot is in this group yet (kaiwa-cloud devices)", style="yellow", markup=False)


async def _assign(settings: CloudSettings, wanted: Assignment, editor: Editor) -> bool:
    async with Store(settings.store_url) as store:
        return await assign(store, wanted, editor)


@profile.command("unassign")
def unassign_command(
    context: typer.Context,
    device: Device = None,
    group: Group = None,
    *,
    operator: Operator = DEFAULT_OPERATOR,
    why: Why = "",
) -> None:
    """Leave a robot to the profile of its group, or a group to that of the settings."""
    target = _target(device, group)
    run(_unassign(context.obj.settings(), target, Editor(operator, time.time(), why)))
    out.print(f"{target.partition(':')[2]} has no profile of its own now", markup=False)


async def _unassign(settings: CloudSettings, target: str, editor: Editor) -> None:
    async with Store(settings.store_url) as store:
        await unassign(store, target, editor)
