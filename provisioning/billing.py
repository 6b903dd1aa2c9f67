"""PURE. The bill of one session that has ended, by the rules in force."""

from __future__ import annotations

from collections.abc import Mapping

from provisioning.sessions import Bill, Session
from provisioning.spending.rules import Rules


def bill(rules: Rules, usage: Mapping[str, int] | None, *, call_known: bool = False) -> Bill:
    """Return what charges a session for what its device reported, None for nothing.

    `call_known` tells that the cloud could hang up; where the store knows the call, it could, too.
    """

    def charged(session: Session) -> int:
        seconds = (session.ended_at or session.deadline) - session.created_at
        known = call_known or session.call_id is not None
        return rules.charge(session.reserved, seconds, usage, call_known=known, model=session.model)

    return charged
