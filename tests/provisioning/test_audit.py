from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from provisioning.audit import Entry, broken_at
from provisioning.store import Store


async def written(store_url: str) -> list[Entry]:
    async with Store(store_url) as store:
        for number in range(4):
            async with store.transaction() as t:
                await t.audit.add(1.5 + number, "operator-a", "claim", f"robot-{number}", ttl=3600.0, note="入口")
        async with store.transaction() as t:
            return [entry async for entry in t.audit.entries()]


async def test_rows_are_chained_in_order(store_url: str) -> None:
    entries = await written(store_url)
    assert [e.seq for e in entries] == [1, 2, 3, 4]
    assert entries[1].previous == entries[0].hash
    assert entries[0].detail == '{"ttl":3600.0,"note":"入口"}'
    assert broken_at(entries) is None
    assert broken_at([]) is None


@pytest.mark.parametrize("field", ["at", "actor", "action", "subject", "detail", "previous", "hash"])
async def test_an_altered_row_is_found(store_url: str, field: str) -> None:
    entries = await written(store_url)
    value: Any = 0.0 if field == "at" else "altered"
    entries[2] = replace(entries[2], **{field: value})
    assert broken_at(entries) == 3


async def test_a_missing_or_swapped_row_is_found(store_url: str) -> None:
    entries = await written(store_url)
    assert broken_at(entries[1:]) == 2
    assert broken_at([entries[0], *entries[2:]]) == 3
    assert broken_at([entries[0], entries[2], entries[1]]) == 3
