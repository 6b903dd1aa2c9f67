"""`kaiwa-cloud profile new` and `edit`: from an editor, or from files, to the next version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from device.errors import SettingsError
from provisioning.app import DEFAULT_OPERATOR
from provisioning.cli.editing import edited, files, text_of
from provisioning.cli.invocation import Invocation, JsonFlag, Why, err, out, print_json
from provisioning.cli.orders import Operator
from provisioning.cli.profile_names import Name, editor_of, found, warn
from provisioning.cli.profile_sheet import as_json, sheet
from provisioning.profile_versions import Editor, add_version
from provisioning.profiles.drafts import Draft
from provisioning.profiles.mcp import McpSecret
from provisioning.profiles.registry import Version
from provisioning.profiles.template import LANGUAGES, template
from provisioning.running import run
from provisioning.settings import CloudSettings
from provisioning.store import Store

File = Annotated[Path | None, typer.Option("--file", help="Take the TOML from here instead of an editor.")]
Texts = Annotated[
    list[Path] | None, typer.Option("--text", help="A text file about the place; may be given several times.")
]


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
    invocation: Invocation = context.obj
    settings = invocation.settings()
    change = _Change(file, text or [], [], language)
    _save(settings, name, None, change, editor_of(settings, operator, why), json=json)


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
    invocation: Invocation = context.obj
    settings = invocation.settings()
    change = _Change(file, text or [], drop_text or [])
    _save(settings, name, run(found(settings, name)), change, editor_of(settings, operator, why), json=json)


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
            return Draft(text_of(self._file), texts), str(self._file)
        if base is not None and (self._add or self._drop):
            return Draft(base.text, texts), f"{name}@{base.version}"
        begun = base.text if base else template(name, self._language)
        return edited(name, Draft(begun, texts), _secrets(settings))


def _save(
    settings: CloudSettings, name: str, base: Version | None, change: _Change, editor: Editor, *, json: bool
) -> None:
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
    for warning in shown.warnings:
        warn(warning)


async def _add(
    settings: CloudSettings, name: str, draft: Draft, base: Version | None, editor: Editor, path: str
) -> Version:
    async with Store(settings.store_url) as store:
        number = base.version if base else 0
        return await add_version(store, name, draft, number, editor, _secrets(settings), path)


def _secrets(settings: CloudSettings) -> dict[str, McpSecret]:
    return {secret.name: secret for secret in settings.mcp_secrets}
