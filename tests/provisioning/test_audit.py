from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.audit import FIRST, PAGE, Chain, Entry, broken_at, digest
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


def chained(count: int) -> list[Entry]:
    """A chain as it must be, reckoned here."""
    entries, previous = list[Entry](), FIRST
    for seq in range(1, count + 1):
        values = (seq, float(seq), "operator-a", "claim", f"robot-{seq}", "{}", previous)
        previous = digest(*values)
        entries.append(Entry(*values, previous))
    return entries


WHOLE = chained(6)


@given(st.integers(0, 5), st.sampled_from(["seq", "at", "actor", "action", "subject", "detail", "previous", "hash"]))
def test_whatever_is_altered_wherever_is_found_there(place: int, field: str) -> None:
    value: Any = 7 if field == "seq" else 7.5 if field == "at" else "altered"
    spoilt = [*WHOLE[:place], replace(WHOLE[place], **{field: value}), *WHOLE[place + 1 :]]
    assert broken_at(spoilt) == spoilt[place].seq


@given(st.integers(1, 5), st.text(max_size=5), st.floats(0, 10))
def test_whoever_writes_a_row_anew_has_to_write_all_that_follow(place: int, subject: str, at: float) -> None:
    old = WHOLE[place - 1]
    values = (old.seq, at, old.actor, old.action, subject, old.detail, old.previous)
    forged = Entry(*values, digest(*values))
    assert broken_at([*WHOLE[: place - 1], forged, *WHOLE[place:]]) == (None if forged == old else place + 1)


@given(st.permutations(range(6)))
def test_only_one_order_is_the_right_one(order: list[int]) -> None:
    found = broken_at([WHOLE[place] for place in order])
    first_wrong = next((order[place] + 1 for place in range(6) if order[place] != place), None)
    assert found == first_wrong


def test_a_chain_goes_on_after_a_row_that_does_not_follow_as_if_it_had_not_come() -> None:
    chain = Chain()
    assert (chain.seq, chain.head) == (0, FIRST)
    assert [chain.follows(entry) for entry in (WHOLE[0], WHOLE[2], WHOLE[0], WHOLE[1], WHOLE[2])] == [
        *(True, False, False, True, True)
    ]
    assert (chain.seq, chain.head) == (3, WHOLE[2].hash)


def test_no_two_rows_have_one_hash_because_their_words_meet_elsewhere() -> None:
    assert digest(1, 0.0, "ab", "c", "d", "e", "f") != digest(1, 0.0, "a", "bc", "d", "e", "f")
    assert digest(1, 0.0, "a", "b", "c", "d", "e") != digest(10, 0.0, "a", "b", "c", "d", "e")
    assert len(digest(1, 0.0, "", "", "", "", "")) == len(FIRST) == 64


async def test_rows_are_read_page_by_page_and_none_twice(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.audit.PAGE", 3)
    assert PAGE > 3
    async with Store(store_url) as store, store.transaction() as t:
        assert await t.audit.last() == 0
        for number in range(7):
            await t.audit.add(float(number), "operator-a", "claim", f"robot-{number}")
        rows = [entry async for entry in t.audit.entries()]
        assert [row.seq for row in rows] == list(range(1, 8))
        assert broken_at(rows) is None
        assert [row.seq for row in await t.audit.after(3)] == [4, 5, 6]
        assert [row.seq for row in await t.audit.after(6)] == [7]
        assert await t.audit.after(7) == []
        assert await t.audit.last() == 7
