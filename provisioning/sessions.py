"""The queries about sessions, and about the requests that ask for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Float, Row, String, bindparam, delete, exists, func, insert, select, update

from provisioning.connection import Connection
from provisioning.policy import Counts, midnight
from provisioning.prepared import Prepared
from provisioning.spending.ledger import Ledger
from provisioning.tables import devices, nonces, sessions


@dataclass(frozen=True, slots=True)
class Session:
    """A granted session; times in Unix seconds. Its call, or two of them, and `channel_id` must be released at its end.

    `reserved` is what was put aside for it, `cost` what it was charged at its end, both in micros.
    """

    id: str
    device: str
    reason: str
    created_at: float
    deadline: float
    call_id: str | None = None
    channel_id: str | None = None
    ended_at: float | None = None
    group: str = ""
    reserved: int = 0
    cost: int | None = None
    reported: bool = False
    second_call_id: str | None = None
    profile: str = ""
    """Name of the profile that it was granted with; empty for that of the settings."""
    profile_version: int = 0
    model: str = ""
    """What it is billed by; empty for the model of the settings."""
    minter: str = ""
    """Who serves the request for it."""

    @property
    def calls(self) -> tuple[str, ...]:
        """The calls to be hung up at its end, as far as they are known; older first."""
        return tuple(call for call in (self.call_id, self.second_call_id) if call is not None)


Bill = Callable[[Session], int]
"""What a session that has ended costs, in micros; no more than was reserved and no less than nothing is charged."""


def in_full(session: Session) -> int:
    """Charge all that was reserved."""
    return session.reserved


def free(_session: Session) -> int:
    """Charge nothing: it never began."""
    return 0


class Sessions:
    """Sessions and nonces, within one transaction; what a session costs goes into the ledger with it."""

    def __init__(self, connection: Connection, ledger: Ledger) -> None:
        self._connection, self._ledger = connection, ledger

    async def counts(self, device: str, now: float) -> Counts:
        """Return what a device has used until `now`."""
        values = {"device": device, "now": now, "midnight": midnight(now), "minute": now - 60}
        row = (await self._connection.rows(_COUNTS, values))[0]
        return Counts(live=row.live, today=row.today, minute=row.minute)

    async def note_request(self, device: str, nonce: str, now: float, minter: str = "") -> bool:
        """Keep a nonce, and who serves its request; False when this device has used it before."""
        noted = {"device": device, "nonce": nonce, "at": now, "minter": minter}
        return bool(await self._connection.rows(_NOTE, noted))

    async def server(self, device: str, nonce: str) -> str:
        """Return which minter serves a request; empty when nobody knows."""
        mine = select(nonces.c.minter).where(nonces.c.device == device, nonces.c.nonce == nonce)
        return str((await self._connection.execute(mine)).scalar() or "")

    async def take_request(self, device: str, nonce: str, before: str, minter: str) -> bool:
        """Let another minter serve a request; False when one was faster."""
        mine = update(nonces).where(nonces.c.device == device, nonces.c.nonce == nonce, nonces.c.minter == before)
        return (await self._connection.execute(mine.values(minter=minter))).rowcount == 1

    async def forget_requests(self, before: float) -> None:
        """Drop nonces of requests that have long expired."""
        await self._connection.execute(delete(nonces).where(nonces.c.at < before))

    async def add(self, session: Session) -> None:
        """Enter a session that is granted now, and put aside what it may cost."""
        entered = {
            "id": session.id,
            "device": session.device,
            "reason": session.reason[:80],
            "created_at": session.created_at,
            "deadline": session.deadline,
            "channel_open": False,
            "group_name": session.group,
            "reserved": session.reserved,
            "profile": session.profile,
            "profile_version": session.profile_version,
            "model": session.model[:80],
            "minter": session.minter,
        }
        await self._connection.rows(_ADD, entered)
        await self._ledger.reserve(session.device, session.group, session.reserved, session.created_at)

    async def take_over(self, session: Session, minter: str) -> bool:
        """Let another minter serve the request for a session; False when one was faster, or it is over."""
        taken = await self._connection.execute(
            update(sessions)
            .where(sessions.c.id == session.id, sessions.c.minter == session.minter, sessions.c.ended_at.is_(None))
            .values(minter=minter)
        )
        return taken.rowcount == 1

    async def set_channel(self, session: str, channel_id: str) -> None:
        """Note the channel that was created for a session, so that it is deleted whatever happens."""
        await self._connection.rows(_SET_CHANNEL, {"session": session, "channel": channel_id})

    async def set_call(self, session: str, device: str, call_id: str) -> str | None:
        """Note a call by which a session of this device can be hung up: its first, or the one that takes over from that.

        Return an older one that is too many now, and known no longer: it must be hung up.
        """
        before = await self._held(session)
        mine, call_id = update(sessions).where(sessions.c.id == session, sessions.c.device == device), call_id[:128]
        first = await self._connection.execute(mine.where(sessions.c.call_id.is_(None)).values(call_id=call_id))
        if first.rowcount == 0:
            older = func.coalesce(sessions.c.second_call_id, sessions.c.call_id)
            another = mine.where(sessions.c.call_id != call_id, func.coalesce(sessions.c.second_call_id, "") != call_id)
            added = await self._connection.execute(another.values(call_id=older, second_call_id=call_id))
            if added.rowcount and before is not None and before.second_call_id is not None:
                return before.call_id
        return None

    async def open_call(self, session: str, call_id: str) -> str | None:
        """Note a call that the cloud has opened for a session: its first, or the one that is to take over from that.

        Return what must be hung up now: this very call, if the session is over; or one that was to take over before, for
        whoever asks for another does without it.
        """
        before = await self._held(session)
        if before is None or before.ended_at is not None:
            return call_id
        await self._set(session, **{"call_id" if before.call_id is None else "second_call_id": call_id})
        return before.second_call_id

    async def leave_call(self, session: str, device: str, call_id: str) -> None:
        """Note that a session of this device goes on without this one of its two calls."""
        mine = update(sessions).where(sessions.c.id == session, sessions.c.device == device)
        older = mine.where(sessions.c.call_id == call_id, sessions.c.second_call_id.is_not(None))
        await self._connection.execute(older.values(call_id=sessions.c.second_call_id, second_call_id=None))
        await self._connection.execute(mine.where(sessions.c.second_call_id == call_id).values(second_call_id=None))

    async def renew(self, session: str, times: int = 1) -> None:
        """Count that a session was given another call; it counts as a session of the day. -1 takes that back."""
        await self._set(session, renewals=sessions.c.renewals + times)

    async def end(
        self,
        session: str,
        now: float,
        reason: str,
        bill: Bill = in_full,
        *,
        device: str | None = None,
        reported: bool = False,
    ) -> bool:
        """Note that a session, of `device` if given, is over, and charge it; False when it was already, or is none of it.

        `reported` tells that its device has said what it used; where not, it may do so once, later (`report`).
        """
        of_device = [] if device is None else [sessions.c.device == device]
        changed = await self._connection.execute(
            update(sessions)
            .where(sessions.c.id == session, sessions.c.ended_at.is_(None), *of_device)
            .values(ended_at=now, end_reason=reason[:80])
        )
        if changed.rowcount != 1:
            return False
        await self._charge(session, bill, reported=reported)
        return True

    async def report(self, session: str, device: str, bill: Bill) -> bool:
        """Charge a session that has ended anew, as its device reports; False when it is none of it, or has reported."""
        claimed = await self._connection.execute(
            update(sessions)
            .where(sessions.c.id == session, sessions.c.device == device)
            .where(sessions.c.ended_at.is_not(None), ~sessions.c.reported)
            .values(reported=True)
        )
        if claimed.rowcount == 1:
            await self._charge(session, bill, reported=True)
        return claimed.rowcount == 1

    async def _charge(self, session: str, bill: Bill, *, reported: bool) -> None:
        ended = await self.find(session)
        if ended is None:
            return
        cost = min(max(0, bill(ended)), ended.reserved)
        freed, before = (ended.reserved, 0) if ended.cost is None else (0, ended.cost)
        await self._ledger.settle(ended.device, ended.group, freed, cost - before, ended.created_at)
        await self._set(session, cost=cost, reported=reported)

    async def take_back(self, session: str, now: float, reason: str) -> None:
        """Note that a session was never had: it is over, and counts for nothing that a device may use in a day."""
        await self.end(session, now, reason, free)
        await self._set(session, deadline=sessions.c.created_at)

    async def close_channel(self, session: str) -> None:
        """Note that a session's channel has been deleted."""
        await self._set(session, channel_open=False)

    async def _set(self, session: str, **values: object) -> None:
        await self._connection.execute(update(sessions).where(sessions.c.id == session).values(**values))

    async def live(self) -> list[Session]:
        """Every session that has not ended, oldest first."""
        found = select(sessions).where(sessions.c.ended_at.is_(None)).order_by(sessions.c.created_at)
        return [_session(row) for row in await self._connection.execute(found)]

    async def unknown(self, known: Callable[[str], bool]) -> list[Session]:
        """Every session that has not ended and that is not `known` by its id, oldest first."""
        ids = (await self._connection.execute(select(sessions.c.id).where(sessions.c.ended_at.is_(None)))).scalars()
        new = [session for session in ids if not known(session)]
        found = [
            row for start in range(0, len(new), _AT_ONCE) for row in await self._rows(new[start : start + _AT_ONCE])
        ]
        return sorted(map(_session, found), key=lambda session: session.created_at)

    async def _rows(self, ids: Sequence[str]) -> Sequence[Row[Any]]:
        return (await self._connection.execute(select(sessions).where(sessions.c.id.in_(ids)))).all()

    async def of_revoked(self, since: float) -> set[str]:
        """Return the devices that were revoked since then, and have a session that has not ended."""
        live = exists().where(sessions.c.device == devices.c.id, sessions.c.ended_at.is_(None))
        found = select(devices.c.id).where(devices.c.revoked_at >= since, live)
        return {*(await self._connection.execute(found)).scalars()}

    async def count_live(self) -> int:
        """Return how many sessions have not ended."""
        found = select(func.count()).where(sessions.c.ended_at.is_(None))
        return int((await self._connection.execute(found)).scalar_one())

    async def unreleased(self) -> list[Session]:
        """Every session that has ended and whose channel has not been deleted."""
        found = select(sessions).where(sessions.c.ended_at.is_not(None), sessions.c.channel_open)
        return [_session(row) for row in await self._connection.execute(found)]

    async def channels(self, among: Sequence[str]) -> dict[str, bool]:
        """Return which of these channels are of sessions here, and whether the session has ended."""
        found = select(sessions.c.channel_id, sessions.c.ended_at).where(sessions.c.channel_id.in_(among))
        return {row.channel_id: row.ended_at is not None for row in await self._connection.execute(found)}

    async def _held(self, session: str) -> Session | None:
        """Return the session with this id; nobody else changes it before the transaction ends."""
        found = select(sessions).where(sessions.c.id == session).with_for_update()
        row = (await self._connection.execute(found)).one_or_none()
        return None if row is None else _session(row)

    async def find(self, session: str) -> Session | None:
        """Return the session with this id."""
        row = (await self._connection.execute(select(sessions).where(sessions.c.id == session))).one_or_none()
        return None if row is None else _session(row)


_AT_ONCE = 500
"""Sessions that are asked for in one query; SQLite takes some thousand values."""

_ADDED = [
    *("id", "device", "reason", "created_at", "deadline", "channel_open", "group_name", "reserved"),
    *("profile", "profile_version", "model", "minter"),
]
_ADD = Prepared(insert(sessions), columns=_ADDED)

_SET_CHANNEL = Prepared(
    update(sessions)
    .where(sessions.c.id == bindparam("session"))
    .values(channel_id=bindparam("channel"), channel_open=True)
)

_MINE = sessions.c.device == bindparam("device")
_COUNTS = Prepared(
    select(
        select(func.count())
        .where(_MINE, sessions.c.ended_at.is_(None), sessions.c.deadline > bindparam("now"))
        .scalar_subquery()
        .label("live"),
        select(func.coalesce(func.sum(1 + sessions.c.renewals), 0))
        .where(_MINE, sessions.c.created_at >= bindparam("midnight"), sessions.c.deadline > sessions.c.created_at)
        .scalar_subquery()
        .label("today"),
        select(func.count())
        .where(nonces.c.device == bindparam("device"), nonces.c.at > bindparam("minute"))
        .scalar_subquery()
        .label("minute"),
    )
)

_NOTE = Prepared(
    insert(nonces)
    .from_select(
        ["device", "nonce", "at", "minter"],
        select(
            bindparam("device", type_=String),
            bindparam("nonce", type_=String),
            bindparam("at", type_=Float),
            bindparam("minter", type_=String),
        ).where(~exists().where(nonces.c.device == bindparam("device"), nonces.c.nonce == bindparam("nonce"))),
    )
    .returning(nonces.c.nonce)
)  # psycopg counts no rows of an INSERT from a SELECT


def _session(row: Row[Any]) -> Session:
    return Session(
        id=row.id,
        device=row.device,
        reason=row.reason,
        created_at=row.created_at,
        deadline=row.deadline,
        call_id=row.call_id,
        channel_id=row.channel_id,
        ended_at=row.ended_at,
        group=row.group_name,
        reserved=row.reserved,
        cost=row.cost,
        reported=row.reported,
        second_call_id=row.second_call_id,
        profile=row.profile,
        profile_version=row.profile_version,
        model=row.model,
        minter=row.minter,
    )
