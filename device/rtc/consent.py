"""The mends of aioice's consent checks: they carry USE-CANDIDATE, without which OpenAI's server hangs up, and they end.

ICE-lite servers may answer only checks that nominate. aioice 0.13 asks for consent (RFC 7675) without the attribute, so
the connection is closed after six unanswered requests, about 30 s into a call. libwebrtc always sends it.

A connection that is closed within 20 ms of its last check still begins to ask for consent, on nothing, and never stops.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aioice import Connection
from aioice.ice import CandidatePair
from aioice.stun import Message

from device.errors import MediaError


def nominate_in_consent(connection: Connection, *, only_if_lite: bool = False) -> None:
    """Let every request on a nominated pair of this `connection` nominate it again, while we are controlling.

    With `only_if_lite` this is done only if the remote description says `a=ice-lite`; OpenAI's did not always.

    Raises:
        MediaError: aioice no longer has the parts that are mended.
    """
    for name in ("build_request", "_nominated", "ice_controlling", "remote_is_lite", "query_consent"):
        if not hasattr(connection, name):
            raise MediaError(f"aioice.Connection has no {name} any more; use aioice 0.13")
    build: Callable[..., Message] = connection.build_request

    def build_request(pair: CandidatePair, nominate: bool) -> Message:
        again = connection._nominated.get(pair.component) is pair  # noqa: SLF001 - nothing public tells
        willing = connection.remote_is_lite or not only_if_lite
        return build(pair, nominate=nominate or (connection.ice_controlling and again and willing))

    connection.build_request = build_request  # type: ignore[method-assign]  # on this instance only, on purpose


def no_consent_once_closed(connection: Connection) -> None:
    """Let this `connection` ask for no consent when it was closed while it came up.

    Raises:
        MediaError: aioice no longer has the parts that are mended.
    """
    for name in ("query_consent", "_closing"):
        if not hasattr(connection, name):
            raise MediaError(f"aioice.Connection has no {name} any more; use aioice 0.13")
    query: Callable[[], Awaitable[None]] = connection.query_consent

    async def query_consent() -> None:
        if not connection._closing:  # noqa: SLF001 - nothing public tells
            await query()

    connection.query_consent = query_consent  # type: ignore[method-assign]  # on this instance only, on purpose
