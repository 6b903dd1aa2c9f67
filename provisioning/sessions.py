"""The queries about sessions, and about the requests that ask for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Float, Row, String, bindparam, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from provisioning.policy import Counts, midnight
from provisioning.tables import nonces, sessions


@dataclass(frozen=True, slots=True)
class Session:
    """A granted session; times in Unix seconds. `call_id` and `channel_id` are what must be released at its end."""

    id: str
    device: str
    reason: str
    created_at: float
    deadline: float
    call_id: str | None = None
    channel_id: str | None = None
    ended_at: float | None = None


class Sessions:
    """Sessions and nonces, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def counts(self, device: str, now: float) -> Counts:
        """Return what a device has used until `now`."""
        values = {"device": device, "now": now, "midnight": midnight(now), "minute": now - 60}
        row = (await self._connection.execute(_COUNTS, values)).one()
        return Counts(live=row.live, today=row.today, minute=row.minute)

    async def note_request(self, device: str, nonce: str, now: float) -> bool:
        """Keep a nonce; False when this device has used it before."""
        noted = await self._connection.execute(_NOTE, {"device": device, "nonce": nonce, "at": now})
        return noted.first() is not None

    async def forget_requests(self, before: float) -> None:
        """Drop nonces of requests that have long expired."""
        await self._connection.execute(delete(nonces).where(nonces.c.at < before))

    async def add(self, session: Session) -> None:
        """Enter a session that is granted now."""
        await self._connection.execute(
            insert(sessions).values(
                id=session.id,
                device=session.device,
                reason=session.reason[:80],
                created_at=session.created_at,
                deadline=session.deadline,
                channel_open=False,
            )
        )

    async def set_channel(self, session: str, channel_id: str) -> None:
        """Note the channel that was created for a session, so that it is deleted whatever happens."""
        await self._set(session, channel_id=channel_id, channel_open=True)

    async def set_call(self, session: str, device: str, call_id: str) -> None:
        """Note the call by which a session of this device can be hung up."""
        await self._connection.execute(
            update(sessions).where(sessions.c.id == session, sessions.c.device == device).values(call_id=call_id[:128])
        )

    async def end(self, session: str, now: float, reason: str, *, device: str | None = None) -> bool:
        """Note that a session, of `device` if given, is over; False when it was already, or is none of that device."""
        of_device = [] if device is None else [sessions.c.device == device]
        changed = await self._connection.execute(
            update(sessions)
            .where(sessions.c.id == session, sessions.c.ended_at.is_(None), *of_device)
            .values(ended_at=now, end_reason=reason[:80])
        )
        return changed.rowcount == 1

    async def close_channel(self, session: str) -> None:
        """Note that a session's channel has been deleted."""
        await self._set(session, channel_open=False)

    async def _set(self, session: str, **values: object) -> None:
        await self._connection.execute(update(sessions).where(sessions.c.id == session).values(**values))

    async def live(self) -> list[Session]:
        """Every session that has not ended, oldest first."""
        found = select(sessions).where(sessions.c.ended_at.is_(None)).order_by(sessions.c.created_at)
        return [_session(row) for row in await self._connection.execute(found)]

    async def count_live(self) -> int:
        """Return how many sessions have not ended."""
        found = select(func.count()).where(sessions.c.ended_at.is_(None))
        return int((await self._connection.execute(found)).scalar_one())

    async def unreleased(self) -> list[Session]:
        """Every session that has ended and whose channel has not been deleted."""
        found = select(sessions).where(sessions.c.ended_at.is_not(None), sessions.c.channel_open)
        return [_session(row) for row in await self._connection.execute(found)]

    async def find(self, session: str) -> Session | None:
        """Return the session with this id."""
        row = (await self._connection.execute(select(sessions).where(sessions.c.id == session))).one_or_none()
        return None if row is None else _session(row)


_MINE = sessions.c.device == bindparam("device")
_COUNTS = select(
    select(func.count())
    .where(_MINE, sessions.c.ended_at.is_(None), sessions.c.deadline > bindparam("now"))
    .scalar_subquery()
    .label("live"),
    select(func.count()).where(_MINE, sessions.c.created_at >= bindparam("midnight")).scalar_subquery().label("today"),
    select(func.count())
    .where(nonces.c.device == bindparam("device"), nonces.c.at > bindparam("minute"))
    .scalar_subquery()
    .label("minute"),
)

_NOTE = (
    insert(nonces)
    .from_select(
        ["device", "nonce", "at"],
        select(bindparam("device", type_=String), bindparam("nonce", type_=String), bindparam("at", type_=Float)).where(
            ~exists().where(nonces.c.device == bindparam("device"), nonces.c.nonce == bindparam("nonce"))
        ),
    )
    .returning(nonces.c.nonce)
)  # psycopg counts no rows of an INSERT from a SELECT


def _session(row: Row[Any]) -> Session:
    return Session(
        row.id, row.device, row.reason, row.created_at, row.deadline, row.call_id, row.channel_id, row.ended_at
    )
