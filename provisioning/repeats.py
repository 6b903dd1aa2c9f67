"""A request that comes again with the same nonce: whoever took it up answers it, or another minter when that one has ended."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from device.errors import MessageError
from device.messages.minting import MintRequest, Refusal
from provisioning.duty import Duty
from provisioning.policy import Refuse, Status
from provisioning.sessions import Session
from provisioning.store import Transaction

_REPLAY: Final = Refuse(Refusal.REPLAY, "this request has been answered before")


async def again(t: Transaction, request: MintRequest, status: Status, duty: Duty) -> Session | Refuse:
    """Return the session to be granted for a repeated request, now by the minter of `duty`, or why there is none.

    Raises:
        MessageError: another minter will answer it, or has.
        StoreError: it cannot be told whether that one is alive.
    """
    if request.continues:
        return await _going_on(t, request, status, duty)
    found = await t.sessions.find(request.nonce)
    if found is None or found.device != request.device or found.minter in {"", duty.name}:
        return _REPLAY
    if not await _left_behind(t, found.minter, status, duty) or found.call_id:
        return _REPLAY
    taken = await t.sessions.take_over(found, duty.name)
    return replace(found, minter=duty.name) if taken else _REPLAY


async def _going_on(t: Transaction, request: MintRequest, status: Status, duty: Duty) -> Session | Refuse:
    """Return the session that a request lets go on with another call; it was counted by whoever took the request up."""
    server = await t.sessions.server(request.device, request.nonce)
    if server in {"", duty.name} or not await _left_behind(t, server, status, duty):
        return _REPLAY
    found = await t.sessions.find(request.continues)
    if found is None or found.device != request.device or found.ended_at is not None:
        return _REPLAY
    taken = await t.sessions.take_request(request.device, request.nonce, server, duty.name)
    return found if taken else _REPLAY


async def _left_behind(t: Transaction, server: str, status: Status, duty: Duty) -> bool:
    """Tell whether what `server` took up can be served by another: it has ended, and nothing forbids it since."""
    if not await duty.left(server):
        raise MessageError("another minter serves this request")
    return status is Status.ACTIVE and await t.halts.current() is None
