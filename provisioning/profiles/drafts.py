"""PURE. A profile before it becomes a version: all that is wrong with it is told here, so that no version is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from device.errors import SettingsError
from provisioning.profiles.knowledge import KnowledgeError, Plan, check, check_length, check_searched, plan
from provisioning.profiles.mcp import McpSecret
from provisioning.profiles.persona import Profile
from provisioning.profiles.reading import check_authorizations, read_profile


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody has written: TOML, and the texts of a place by title."""

    text: str
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checked:
    """A draft that can be used, and what it takes."""

    profile: Profile
    plan: Plan
    tokens: int
    """About how many the instructions have, with the texts in them."""


def checked(draft: Draft, path: str, secrets: Mapping[str, McpSecret], *, strict: bool = True) -> Checked:
    """Return what a draft is; `path` is for messages only. Without `strict`, an MCP server may be without its secret.

    Raises:
        SettingsError: it cannot be used; with line and key where there is one.
    """
    profile = read_profile(draft.text, path)
    if strict:
        check_authorizations(profile, draft.text, path, secrets)
    try:
        check(draft.texts)
        found = plan(draft.texts, profile.knowledge_tokens)
        check_searched(found)
        return Checked(profile, found, check_length(profile, found))
    except KnowledgeError as error:
        raise SettingsError(path, str(error)) from None
