from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select
from sqlalchemy.dialects import postgresql, sqlite

import provisioning.audit
import provisioning.halts
import provisioning.profiles.registry
import provisioning.registry
import provisioning.sessions
from provisioning.halts import Halt
from provisioning.policy import midnight
from provisioning.prepared import Prepared
from provisioning.profiles.registry import Assignment, Version
from provisioning.registry import Certificate
from provisioning.sessions import Session
from provisioning.store import DuplicateError, Store
from provisioning.tables import halts, spending

NOW = 1_800_000_000.0


@pytest.fixture
def questions() -> Sequence[tuple[Prepared, dict[str, Any]]]:
    """Every statement that is prepared and only asks."""
    counts = {"device": "robot", "now": NOW, "midnight": midnight(NOW), "minute": NOW - 60}
    return [
        (provisioning.registry._STANDING, {"device": "robot"}),
        (provisioning.sessions._COUNTS, counts),
        (provisioning.audit._LAST, {}),
        (provisioning.halts._CURRENT, {}),
        (provisioning.profiles.registry._ASSIGNED, {"mine": "device:robot", "ours": "group:hall"}),
    ]


async def test_they_give_what_sqlalchemy_gives_on_either_database(
    store_url: str, questions: Sequence[tuple[Prepared, dict[str, Any]]]
) -> None:
    async with Store(store_url) as store, store.transaction() as t:
        connection = t.sessions._connection
        for prepared, values in questions:
            aggregate = prepared is provisioning.sessions._COUNTS
            assert len(await connection.rows(prepared, values)) == aggregate, "there is nothing yet"
        for number in range(3):
            key = Certificate(f"{number:02x}", "robot", f"key {number}", NOW + number, NOW + 9)
            await (t.devices.renew(key) if number else t.devices.enrol("", key))
            await t.sessions.add(Session(f"s{number}", "robot", "button", NOW + number, NOW + 60, reserved=7))
            await t.sessions.note_request("robot", f"{number}", NOW)
            await t.halts.halt(Halt(NOW, "ops", f"why {number}"))
            await t.audit.add(NOW, "robot", "mint", f"{number}", true=True)
        await t.profiles.add(Version("guide", 1, "", {}, NOW, "ops"))
        for target in ("group:hall", "device:robot"):
            await t.profiles.assign(Assignment(target, "guide", 1))
        for prepared, values in questions:
            found = await connection.rows(prepared, values)
            theirs = (await connection.execute(prepared.other, values)).all()
            assert [tuple(row) for row in found] == [tuple(row) for row in theirs]
            assert [getattr(found[0], name) for name in theirs[0]._fields] == list(theirs[0])
        assert (await t.sessions.counts("robot", NOW)).live == 3
        assert await t.profiles.of("robot", "hall") == ("guide", 1)


def test_what_is_always_the_same_is_filled_in_and_a_value_may_stand_twice() -> None:
    twice = select(halts.c.id).where(halts.c.why == bindparam("why"), halts.c.operator == bindparam("why")).limit(5)
    assert Prepared(twice).lite._placed({"why": "x"}) == ("x", "x", 5, 0)


def test_a_value_that_is_missing_is_an_error_and_not_nothing() -> None:
    with pytest.raises(KeyError, match="why"):
        Prepared(select(halts.c.id).where(halts.c.why == bindparam("why"))).lite._placed({})


def test_an_insert_names_the_columns_that_it_gives_and_no_other() -> None:
    lite = Prepared(insert(spending), columns=["account", "period"]).lite
    assert (lite._text.split("VALUES")[0].split(), lite._names) == (
        ["INSERT", "INTO", "spending", "(account,", "period)"],
        ("account", "period"),
    )


def test_where_the_databases_differ_each_has_its_own() -> None:
    ours, theirs = sqlite.insert(spending), postgresql.insert(spending)
    assert Prepared(ours, theirs).other is theirs
    assert Prepared(ours).other is ours


async def test_what_exists_already_is_told_as_that(tmp_path: Path) -> None:
    async with Store(f"sqlite:///{tmp_path}/store") as store:
        async with store.transaction() as t:
            await t.devices.enrol("", Certificate("01", "robot", "key", NOW, NOW + 9))
            await t.sessions.add(Session("s", "robot", "button", NOW, NOW + 60))
        with pytest.raises(DuplicateError):
            async with store.transaction() as t:
                await t.sessions.add(Session("s", "robot", "button", NOW, NOW + 60))
