"""Profiles in the store, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from device.errors import SettingsError
from device.messages.minting import Limits
from device.messages.secret import Secret
from device.messages.tools import LOOK_UP
from provisioning.profile_versions import Editor, add_version, assign, find, unassign
from provisioning.profiles.choosing import Chooser, ProfileError
from provisioning.profiles.drafts import Draft
from provisioning.profiles.mcp import McpSecret
from provisioning.profiles.persona import Persona
from provisioning.profiles.registry import Assignment, Version
from provisioning.registry import Certificate
from provisioning.rehearsal import LOOK_UP_TOOL
from provisioning.store import Store
from tests.device.tools.test_built_in import Robot

NOW = 1_800_000_000.0
EDITOR = Editor("admin", NOW, "opening")
LIMITS = Limits(longest=600, idle=30)
SERVER = '[[mcp]]\nlabel = "a"\nurl = "https://a.example.com"\nallowed_tools = ["x"]\nauthorization = "key"\n'
KEY = McpSecret(name="key", host="a.example.com", token=Secret("mcp-token"))


@asynccontextmanager
async def furnished(url: str) -> AsyncIterator[Store]:
    async with Store(url) as opened:
        async with opened.transaction() as t:
            await t.devices.enrol("", Certificate("01", "robot-1", "key", NOW, NOW + 1))
        yield opened


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """One of each kind."""
    async with furnished(store_url) as opened:
        yield opened


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Store]:
    """SQLite, for what the kind of store has no part in."""
    async with furnished(f"sqlite+aiosqlite:///{tmp_path}/store.sqlite3") as opened:
        yield opened


async def add(store: Store, name: str, text: str = "", base: int = 0, **texts: str) -> Version:
    return await add_version(store, name, Draft(text, texts), base, EDITOR, {"key": KEY}, "museum.toml")


async def audited(store: Store) -> list[tuple[str, str, str]]:
    async with store.transaction() as t:
        return [(entry.action, entry.subject, entry.detail) async for entry in t.audit.entries()]


async def test_every_edit_is_a_version_and_none_is_ever_changed(store: Store) -> None:
    await add(store, "museum", 'voice = "cedar"', hours="nine")
    await add(store, "museum", 'voice = "marin"', base=1, hours="nine", menu="soup")
    first, second = await find(store, "museum", 1), await find(store, "museum")
    assert (first.version, first.text, first.texts) == (1, 'voice = "cedar"', {"hours": "nine"})
    assert (second.version, second.texts) == (2, {"hours": "nine", "menu": "soup"})
    assert (second.operator, second.created_at, second.why) == ("admin", NOW, "opening")
    async with store.transaction() as t:
        assert [(each.version, sorted(each.texts)) for each in await t.profiles.history("museum")] == [
            (1, ["hours"]),
            (2, ["hours", "menu"]),
        ]
        assert [(each.name, each.version) for each in await t.profiles.all()] == [("museum", 2)]
    assert await audited(store) == [
        ("profile_version", "museum@1", '{"why":"opening"}'),
        ("profile_version", "museum@2", '{"why":"opening"}'),
    ]


async def test_of_two_who_edit_the_same_version_the_second_is_told(store: Store) -> None:
    await add(store, "museum")
    results = await asyncio.gather(
        add(store, "museum", "speed = 1.1", base=1), add(store, "museum", "speed = 1.2", base=1), return_exceptions=True
    )
    (lost,) = [result for result in results if isinstance(result, BaseException)]
    assert isinstance(lost, ProfileError)
    assert "is at version 2 by now" in str(lost)
    with pytest.raises(ProfileError, match="exists already"):
        await add(store, "museum")


async def test_what_cannot_be_used_becomes_no_version(here: Store) -> None:
    for name in ("", "Museum", "a b", "-a", "x" * 41):
        with pytest.raises(ProfileError, match="cannot name a profile"):
            await add(here, name)
    with pytest.raises(SettingsError, match=r"museum\.toml:1: `voise`"):
        await add(here, "museum", 'voise = "x"')
    with pytest.raises(SettingsError, match=r"is for a\.example\.com"):
        await add(here, "museum", SERVER.replace("https://a.", "https://b."))
    assert await audited(here) == []


async def chosen(store: Store, chooser: Chooser, group: str = "lobby") -> Any:
    async with store.transaction() as t:
        return await chooser.choose(t.profiles, "robot-1", group)


async def test_a_robots_own_profile_comes_before_its_groups_and_that_before_the_settings(store: Store) -> None:
    chooser = Chooser(Persona(voice="sage"), LIMITS)
    await add(store, "museum", 'voice = "cedar"')
    await add(store, "lobby", 'voice = "coral"\nsession_seconds = 60\nidle_seconds = 10\nvad = "push_to_talk"')
    assert (await chosen(store, chooser)).persona.voice == "sage"
    await assign(store, Assignment("group:lobby", "lobby"), EDITOR)
    found = await chosen(store, chooser)
    assert (found.persona.voice, found.title) == ("coral", "lobby@1")
    assert (found.limits.longest, found.limits.idle, found.limits.push_to_talk) == (60, 10, True)
    assert (await chosen(store, chooser, "")).title == ""
    await assign(store, Assignment("device:robot-1", "museum"), EDITOR)
    assert (await chosen(store, chooser)).title == "museum@1"
    await unassign(store, "device:robot-1", EDITOR)
    assert (await chosen(store, chooser)).title == "lobby@1"
    with pytest.raises(ProfileError, match="no profile of its own"):
        await unassign(store, "device:robot-1", EDITOR)


async def test_it_follows_new_versions_unless_it_is_held_at_one(here: Store) -> None:
    chooser = Chooser(Persona(), LIMITS)
    await add(here, "museum")
    await assign(here, Assignment("device:robot-1", "museum"), EDITOR)
    assert (await chosen(here, chooser)).title == "museum@1"
    await add(here, "museum", "session_seconds = 3600", base=1)
    found = await chosen(here, chooser)
    assert (found.title, found.limits.longest) == ("museum@2", 600)
    await assign(here, Assignment("device:robot-1", "museum", 1), EDITOR)
    assert (await chosen(here, chooser)).title == "museum@1"
    assert (await audited(here))[-1] == (
        "profile_assigned",
        "device:robot-1",
        '{"profile":"museum","version":1,"why":"opening"}',
    )


async def test_nobody_gets_what_is_not_there(here: Store) -> None:
    await add(here, "museum")
    for wanted, why in (
        (Assignment("device:robot-1", "zoo"), "no profile 'zoo'"),
        (Assignment("device:robot-1", "museum", 7), "no profile 'museum@7'"),
        (Assignment("device:robot-9", "museum"), "no robot 'robot-9'"),
    ):
        with pytest.raises(ProfileError, match=why):
            await assign(here, wanted, EDITOR)
    async with here.transaction() as t:
        assert await t.profiles.assignments() == []


async def test_a_secret_that_has_gone_since_leaves_its_server_out_and_is_nowhere_in_the_store(
    here: Store, caplog: pytest.LogCaptureFixture
) -> None:
    version = await add(here, "museum", SERVER)
    with_it, without = Chooser(Persona(), LIMITS, [KEY]), Chooser(Persona(), LIMITS)
    (server,) = with_it.prepared(version).session([])["tools"]
    assert server["authorization"] == "mcp-token"
    assert "tools" not in without.prepared(version).session([])
    assert "is left out: there is no [[mcp_secrets]] 'key'" in caplog.text
    assert "mcp-token" not in repr(with_it.prepared(version))
    assert "mcp-token" not in (await find(here, "museum")).text


async def test_texts_are_looked_up_by_robots_that_have_the_tool(here: Store) -> None:
    version = await add(here, "museum", "knowledge_tokens = 0\ntools = ['*']", hours="We open at nine.")
    prepared = Chooser(Persona(), LIMITS).prepared(version)
    assert [tool.name for tool in prepared.tools([LOOK_UP_TOOL])] == [LOOK_UP]
    assert prepared.packed([LOOK_UP_TOOL])
    assert prepared.packed([]) == b""
    assert "look_up" in prepared.session([LOOK_UP_TOOL])["instructions"]
    assert "instructions" not in prepared.session([])
    assert Chooser(Persona(tools=("*",)), LIMITS).fallback.tools([LOOK_UP_TOOL]) == []


def test_the_cloud_rehearses_with_the_tool_that_robots_declare() -> None:
    (declared,) = [tool for tool in Robot().tools.declarations if tool.name == LOOK_UP]
    assert declared == LOOK_UP_TOOL
