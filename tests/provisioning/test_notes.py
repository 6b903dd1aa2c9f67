"""Messages for the operator: shown as they come, and written down without their words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

from device.messages import topics
from device.messages.reports import CallAnswered, OperatorNote
from provisioning.app import DEFAULT_OPERATOR
from provisioning.link import connection
from provisioning.notes import NoteAudit, Noted, notes
from provisioning.store import Store
from tests.eventually import eventually
from tests.provisioning.site import site

NOTE = OperatorNote(session="s1", at=1_800_000_000.0, text="The screen is dark.")


async def first(shown: AsyncIterator[Noted]) -> Noted:
    return await anext(shown)


async def entries(store: Store) -> list[tuple[str, str, str, str]]:
    async with store.transaction() as t:
        return [(e.actor, e.action, e.subject, e.detail) async for e in t.audit.entries()]


async def test_that_a_message_came_is_written_down_and_not_what_it_says(store_url: str) -> None:
    async with Store(store_url) as store:
        audit = NoteAudit(store)
        working = asyncio.create_task(audit.run())
        audit.on_event("robot-1", CallAnswered(session="s1", at=1.0, call_id="rtc_1"))
        audit.on_event("robot-1", NOTE)
        found = await eventually(lambda: entries(store))
        working.cancel()
    assert found == [("robot-1", "operator_note", "s1", '{"letters":19}')]


async def test_an_operator_who_listens_is_shown_it(tmp_path: Path) -> None:
    async with site(tmp_path) as here, here.board() as board:
        authority = here.cloud.authority
        files, signer = authority.operator(DEFAULT_OPERATOR, time.time())
        async with connection(here.cloud.broker, signer.kid, authority.client_context(files)) as client:
            shown = asyncio.create_task(first(notes(client)))
            async with asyncio.timeout(10):
                while not shown.done():
                    await board.client.publish(topics.event("robot-1"), b"{}")  # nothing that is none stops it
                    await board.event(NOTE)
                    await asyncio.wait({shown}, timeout=0.05)
            assert shown.result() == Noted("robot-1", NOTE)
