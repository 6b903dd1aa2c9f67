"""Operators beyond the first: each with a key, a certificate and a mandate of their own.

The first operator's key is pinned in every robot and signs the mandates; `operators/NAME.mandate` in the authority's
folder holds what it has signed. Nothing of it goes over the air before the operator's first order.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from device.errors import MessageError, SettingsError
from device.messages.commands import Verb
from device.messages.envelope import load_public_pem, public_pem, seal_envelope
from device.messages.mandates import MANDATE, OPERATOR, Mandate, open_mandate
from provisioning.authority import Authority
from provisioning.keyfiles import write_durably

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rights:
    """What a new operator is to be allowed: orders, single tools, robots, orders a minute, seconds from now."""

    may: Sequence[Verb]
    tools: Sequence[str]
    robots: Sequence[str]
    per_minute: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator; whoever is pinned in the robots has no mandate, and may do everything."""

    name: str
    mandate: Mandate | None


def make_operator(authority: Authority, by: str, name: str, rights: Rights, now: float) -> Mandate:
    """Make a new operator, mandated by the operator `by`; robots obey them from the next order on.

    The mandate is on the disk before the certificate: an operator without a mandate is one whose key gets pinned.

    Raises:
        SettingsError: there is one of this name, or it cannot be a name, or `by` is not pinned in the robots.
    """
    if name in authority.operators:
        raise SettingsError(name, "there is an operator of this name; revoke it first")
    _, signer = authority.operator(by, now)
    if signer.kid not in authority.operator_keys():
        raise SettingsError(by, "has a mandate, and cannot give one")
    mandate = Mandate(
        operator=f"{OPERATOR}{name}",
        key=public_pem(authority.operator_key(name)),
        may=list(rights.may),
        tools=list(rights.tools),
        robots=list(rights.robots),
        per_minute=rights.per_minute,
        issued_at=now,
        expires_at=now + rights.seconds,
    )
    write_durably(authority.mandate_path(name), seal_envelope(MANDATE, mandate, signer))
    authority.operator(name, now)
    return mandate


def all_operators(authority: Authority) -> list[Operator]:
    """Return the operators there are, by name.

    Raises:
        SettingsError: a mandate is not one that the robots would take.
    """
    return [Operator(name, mandate_of(authority, name)) for name in authority.operators]


def mandate_of(authority: Authority, name: str) -> Mandate | None:
    """Return the mandate of an operator; None of one who is pinned in the robots.

    Raises:
        SettingsError: it is not one that the robots would take.
    """
    sealed = authority.mandate(name)
    if not sealed:
        return None
    pinned = {kid: load_public_pem(pem) for kid, pem in authority.operator_keys().items()}
    try:
        return open_mandate(sealed, pinned.get)
    except MessageError as error:
        raise SettingsError(str(authority.mandate_path(name)), f"is no mandate of ours: {error}") from None


def remove_operator(authority: Authority, name: str) -> None:
    """Take an operator's certificate, key and mandate away; the list of revocations is to be written after it.

    Raises:
        SettingsError: there is no such operator, or every robot has their key pinned.
    """
    if name not in authority.operators:
        raise SettingsError(name, f"there is no such operator; there are: {', '.join(authority.operators)}")
    if not authority.mandate(name):
        raise SettingsError(name, "every robot has this operator's key pinned; only a new enrolment takes it away")
    authority.remove_operator(name)


def robots_of(authority: Authority) -> dict[str, Sequence[str]]:
    """Return the robots that each operator may order at the broker; `*` stands for all of them.

    An operator whose mandate is spoilt reaches none, and the log says so: the others are not to suffer for it.
    """
    found: dict[str, Sequence[str]] = {}
    for name in authority.operators:
        try:
            mandate = mandate_of(authority, name)
        except SettingsError as error:
            _log.warning("%s reaches no robot: %s", name, error)
            continue
        found[name] = ("*",) if mandate is None else mandate.robots
    return found
