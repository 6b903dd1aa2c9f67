"""What operators do to profiles in the store: every edit is a version of its own, and all of it is in the audit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from provisioning.profiles.choosing import ProfileError
from provisioning.profiles.drafts import Draft, checked
from provisioning.profiles.mcp import McpSecret
from provisioning.profiles.persona import NAME
from provisioning.profiles.registry import Assignment, Version
from provisioning.store import Store


@dataclass(frozen=True, slots=True)
class Editor:
    """Who changes something, when (Unix seconds), and why."""

    operator: str
    now: float
    why: str = ""


async def find(store: Store, name: str, version: int | None = None) -> Version:
    """Return a version of a profile, the newest when none is named.

    Raises:
        ProfileError: there is none.
    """
    async with store.transaction() as t:
        found = await t.profiles.find(name, version)
    if found is None:
        which = name if version is None else f"{name}@{version}"
        raise ProfileError(f"there is no profile {which!r}; `kaiwa-cloud profile list` shows those that there are")
    return found


async def add_version(
    store: Store, name: str, draft: Draft, base: int, editor: Editor, secrets: Mapping[str, McpSecret], path: str
) -> Version:
    """Make a draft the version after `base` of a profile; after 0, a new profile.

    Raises:
        SettingsError: the draft cannot be used; `path` is what it is called in the message.
        ProfileError: no such name can be, or somebody else has made that version meanwhile.
    """
    if not re.fullmatch(NAME, name):
        raise ProfileError(f"{name!r} cannot name a profile; take 1 to 40 of a-z, 0-9 and -")
    checked(draft, path, secrets)
    version = Version(name, base + 1, draft.text, draft.texts, editor.now, editor.operator, editor.why)
    async with store.transaction() as t:
        if not await t.profiles.add(version):
            newest = await t.profiles.newest(name)
            raise ProfileError(
                f"{name!r} exists already; edit it"
                if not base
                else f"{name!r} is at version {newest} by now; edit that"
            )
        await t.audit.add(
            editor.now, editor.operator, "profile_version", f"{name}@{version.version}", **_reason(editor)
        )
    return version


async def assign(store: Store, wanted: Assignment, editor: Editor) -> bool:
    """Say which profile a robot or a group has from its next conversation on; False when nobody is in that group yet.

    Raises:
        ProfileError: there is no such profile, version or robot.
    """
    await find(store, wanted.profile, wanted.version)
    kind, _, name = wanted.target.partition(":")
    async with store.transaction() as t:
        if kind == "device" and await t.devices.find(name) is None:
            raise ProfileError(f"there is no robot {name!r}")
        there = kind == "device" or name in (await t.groups.members()).values()
        await t.profiles.assign(wanted)
        detail = {"profile": wanted.profile, "version": wanted.version or "newest"}
        await t.audit.add(editor.now, editor.operator, "profile_assigned", wanted.target, **detail, **_reason(editor))
    return there


async def unassign(store: Store, target: str, editor: Editor) -> None:
    """Leave a robot to the profile of its group, or a group to that of the settings.

    Raises:
        ProfileError: it has none of its own.
    """
    async with store.transaction() as t:
        if not await t.profiles.unassign(target):
            raise ProfileError(f"{target} has no profile of its own")
        await t.audit.add(editor.now, editor.operator, "profile_unassigned", target, **_reason(editor))


def _reason(editor: Editor) -> dict[str, str]:
    return {"why": editor.why} if editor.why else {}
