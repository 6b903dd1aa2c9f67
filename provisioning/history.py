"""The queries about sessions as people look back on them: who, when, how long, how it ended, what it cost, how quick it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, exists, insert, select

from device.messages.reports import SessionFigures, TurnFigures
from provisioning.connection import Connection
from provisioning.past import Past
from provisioning.tables import session_figures, sessions, turns


class History:
    """Sessions and their figures, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, device: str, figures: SessionFigures) -> bool:
        """Keep what a device tells of a session; False when that is none of its own, or it has told before."""
        session = figures.session
        mine = exists().where(sessions.c.id == session, sessions.c.device == device)
        told = exists().where(session_figures.c.session == session)
        if not (await self._connection.execute(select(mine & ~told))).scalar_one():
            return False
        kept = {
            "session": session,
            "seconds": figures.seconds,
            "listening": figures.listening,
            "on_air": figures.on_air,
            "tools": figures.tools,
            "recorded": figures.recorded,
        }
        await self._connection.execute(insert(session_figures).values(kept))
        if figures.turns:
            rows = [{"session": session, "number": number, **_parts(turn)} for number, turn in enumerate(figures.turns)]
            await self._connection.execute(insert(turns), rows)
        return True

    async def between(self, since: float, until: float, device: str | None = None) -> list[Past]:
        """Return the sessions that were granted from `since` to before `until` (Unix seconds), oldest first."""
        wanted = _SESSIONS.where(sessions.c.created_at >= since, sessions.c.created_at < until)
        if device is not None:
            wanted = wanted.where(sessions.c.device == device)
        return await self._found(wanted.order_by(sessions.c.created_at, sessions.c.id))

    async def find(self, beginning: str) -> list[Past]:
        """Return the sessions whose ids begin so, the newest first, ten at most."""
        wanted = _SESSIONS.where(sessions.c.id.startswith(beginning, autoescape=True))
        return await self._found(wanted.order_by(sessions.c.created_at.desc()).limit(10))

    async def _found(self, wanted: Any) -> list[Past]:
        rows = (await self._connection.execute(wanted)).all()
        measured = await self._turns([row.id for row in rows])
        return [_past(row, measured.get(row.id, [])) for row in rows]

    async def _turns(self, of: Sequence[str]) -> dict[str, list[TurnFigures]]:
        found: dict[str, list[TurnFigures]] = {}
        for start in range(0, len(of), _AT_ONCE):
            some = turns.c.session.in_(of[start : start + _AT_ONCE])
            for row in await self._connection.execute(select(turns).where(some).order_by(turns.c.number)):
                turn = TurnFigures(total=row.total, network=row.network, model=row.model, device=row.device)
                found.setdefault(row.session, []).append(turn)
        return found


_AT_ONCE = 500
"""Sessions asked about in one query; SQLite takes some thousand values."""

_SESSIONS = select(
    sessions,
    session_figures.c.seconds,
    session_figures.c.listening,
    session_figures.c.on_air,
    session_figures.c.tools,
    session_figures.c.recorded,
).outerjoin(session_figures, session_figures.c.session == sessions.c.id)


def _parts(turn: TurnFigures) -> dict[str, int | None]:
    return {"total": turn.total, "network": turn.network, "model": turn.model, "device": turn.device}


def _past(row: Row[Any], measured: Sequence[TurnFigures]) -> Past:
    return Past(
        id=row.id,
        device=row.device,
        group=row.group_name,
        reason=row.reason,
        began_at=row.created_at,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
        broadcast=row.channel_id is not None,
        reserved=row.reserved,
        cost=row.cost,
        talked=row.seconds,
        listening=row.listening,
        on_air=row.on_air,
        tools=row.tools,
        recorded=row.recorded,
        turns=tuple(measured),
    )
