"""PURE. Mandates: what an operator may order whom a robot does not know, in the words of one whom it does.

A robot pins the keys of its fleet's first operators when it is enrolled. Everybody else shows, with every order, a
mandate that one of them has signed: whose key it is for, what it may be used for, on which robots, how often, how long.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from msgspec import Meta

from device.errors import BadSignatureError, MalformedMessageError
from device.messages.commands import Command, Use, Verb
from device.messages.envelope import (
    COMMAND,
    SKEW_SECONDS,
    Envelope,
    PublicKey,
    Signer,
    load_public_pem,
    open_envelope,
    seal_envelope,
)
from device.messages.tools import ANY, ToolName
from device.messages.wire import Message, convert, decode, encode

MANDATE: Final = "mandate"
"""The purpose for which a mandate is signed."""

OPERATOR: Final = "operator-"
"""How the key ids of operators begin; the rest is the operator's name."""

PerMinute = Annotated[int, Meta(ge=1, le=600)]


class Mandate(Message, frozen=True):
    """What one operator may do; times in Unix seconds."""

    operator: str
    """Key id."""
    key: str
    """PEM of the key that signs the operator's orders."""
    robots: list[str]
    """Names of robots, or `ANY` for all."""
    per_minute: PerMinute
    """Orders that one robot takes from this operator within a minute."""
    issued_at: float
    expires_at: float
    may: list[Verb] = []
    """Orders, `use` of whatever tool among them."""
    tools: list[ToolName] = []
    """Tools that may be used although `use` is not in `may`."""

    @property
    def rights(self) -> list[str]:
        """What may be ordered, as words."""
        return [*self.may, *self.tools]

    def objection(self, command: Command, now: float) -> str:
        """Return why `command` may not be ordered at `now`, or nothing if it may."""
        name = self.operator
        if not self.issued_at - SKEW_SECONDS <= now < self.expires_at:
            return f"the rights of {name} are not in force at this time"
        if ANY not in self.robots and command.device not in self.robots:
            return f"{name} may not order {command.device}"
        if command.verb in self.may or (command.verb is Verb.USE and tool_of(command) in self.tools):
            return ""
        return f"{name} may not {command.verb} {tool_of(command)}".rstrip() + f", only: {', '.join(self.rights)}"


class MandatedOrder(Message, frozen=True):
    """An order as whoever is not pinned sends it: two envelopes."""

    order: bytes
    mandate: bytes


@dataclass(frozen=True, slots=True)
class Order:
    """A verified command, and what it is ordered by, if not by a pinned key."""

    command: Command
    mandate: Mandate | None = None

    def objection(self, now: float) -> str:
        """Return why it may not be ordered at `now` (Unix seconds), or nothing if it may."""
        return self.mandate.objection(self.command, now) if self.mandate else ""


def seal_order(command: Command, signer: Signer, mandate: bytes = b"") -> bytes:
    """Return a command signed by its issuer, with the sealed mandate by which it is ordered, if any."""
    order = seal_envelope(COMMAND, command, signer)
    return encode(MandatedOrder(order=order, mandate=mandate)) if mandate else order


def open_order(data: bytes, find_pinned: Callable[[str], PublicKey | None]) -> Order:
    """Return the order in `data`, its signatures verified; whether it is allowed, and in time, is yet to be asked.

    Raises:
        MalformedMessageError: not an order, or in another name than the one that has signed it.
        BadSignatureError: by nobody whom a pinned key knows, or mandates.
    """
    wrapped = _wrapped(data)
    if wrapped is None:
        return Order(_command(data, find_pinned))
    mandate = open_mandate(wrapped.mandate, find_pinned)
    key = load_public_pem(mandate.key)
    command = _command(wrapped.order, lambda kid: key if kid == mandate.operator else None)
    return Order(command, mandate)


def open_mandate(data: bytes, find_pinned: Callable[[str], PublicKey | None]) -> Mandate:
    """Return a mandate, once its signature by a pinned key has been verified.

    Raises:
        MalformedMessageError, BadSignatureError: as for any envelope, or it is for the name of a pinned key.
    """
    mandate = decode(open_envelope(MANDATE, data, find_pinned), Mandate)
    if find_pinned(mandate.operator) is not None:
        raise BadSignatureError(f"a mandate in the name of {mandate.operator[:64]!r}, whose key is pinned")
    return mandate


def _command(data: bytes, find_key: Callable[[str], PublicKey | None]) -> Command:
    command = decode(open_envelope(COMMAND, data, find_key), Command)
    if command.issuer != decode(data, Envelope).kid:
        raise MalformedMessageError(f"an order in the name of {command.issuer[:64]!r} that somebody else has signed")
    return command


def _wrapped(data: bytes) -> MandatedOrder | None:
    try:
        return decode(data, MandatedOrder)
    except MalformedMessageError:
        return None


def tool_of(command: Command) -> str:
    """Return the name of the tool that is to be used; empty for another order, or one that names none."""
    try:
        return convert(command.args, Use).tool if command.verb is Verb.USE else ""
    except MalformedMessageError:
        return ""
