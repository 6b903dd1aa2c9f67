"""Orders from operators: verified, fresh, addressed, and executed at most once, also over a power cut."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final, assert_never

from device.durably import write_durably
from device.errors import MalformedMessageError, MisaddressedError, StaleMessageError
from device.messages.commands import LONGEST_SECONDS, Command, CommandStatus, Step, Update, Use, Verb
from device.messages.envelope import PublicKey, check_fresh
from device.messages.mandates import Mandate, open_order
from device.messages.wire import convert, encode
from device.phase import StartOrdered, StopOrdered, ToolOrdered, UpdateOrdered

_log = logging.getLogger(__name__)

KEPT: Final = 1000
"""Ids remembered; an order lives for 15 seconds, so this bounds more than a minute of the fastest operator."""


class Journal:
    """The ids of orders already acted on, on disk before the act."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = dict.fromkeys(_read(path)[-KEPT:])

    def record(self, order: str) -> bool:
        """Write `order` down, fsynced; return False when it stands there already.

        Raises:
            OSError: it could not be written, and is not known.
        """
        if order in self._known:
            return False
        known = [*self._known, order][-KEPT:]
        write_durably(self._path, "\n".join(known).encode("ascii"))
        self._known = dict.fromkeys(known)
        return True


def _read(path: Path) -> list[str]:
    """Return the ids that stand in a journal; a damaged one is set aside, for orders live for seconds only."""
    try:
        return path.read_text(encoding="ascii").split()
    except (FileNotFoundError, NotADirectoryError):
        return []
    except UnicodeDecodeError:
        aside = path.replace(path.with_suffix(".damaged"))
        _log.warning("the journal of orders was damaged; it is now %s", aside)
        return []


class Pace:
    """How often each operator with a mandate has ordered something within the last minute; a restart forgets it."""

    def __init__(self) -> None:
        self._times: dict[str, deque[float]] = {}

    def allows(self, mandate: Mandate, now: float) -> bool:
        """Tell whether one more at `now` (Unix seconds) is not one too many."""
        times = self._times.setdefault(mandate.operator, deque())
        while times and not now - 60.0 < times[0] <= now:
            times.popleft()
        return len(times) < mandate.per_minute

    def count(self, mandate: Mandate, now: float) -> None:
        """Count an order that was taken, and forget who has ordered nothing for a minute."""
        for operator in [name for name, times in self._times.items() if not times or not now - 60.0 < times[-1] <= now]:
            del self._times[operator]
        self._times.setdefault(mandate.operator, deque()).append(now)


Order = StartOrdered | StopOrdered | ToolOrdered | UpdateOrdered


class Orders:
    """What this device obeys; everything else is an error or a status and never an act."""

    def __init__(self, device: str, find_operator: Callable[[str], PublicKey | None], journal: Journal) -> None:
        self._device = device
        self._find_operator = find_operator
        self._journal = journal
        self._pace = Pace()

    def take(self, payload: bytes, now: float, *, retained: bool) -> Order | CommandStatus:
        """Return the event that a signed order becomes, or the status that says why it becomes none.

        Waits for the disk: an order is written down before it is obeyed.

        `now` is Unix seconds by the cloud's clock.

        Raises:
            MessageError: not an order, not signed by an operator whom we know or whom one of them has mandated, not for
                this device, or retained by the broker: such a thing is not even answered.
        """
        if retained:
            raise StaleMessageError("a retained order is never obeyed")
        order = open_order(payload, self._find_operator)
        command = order.command
        if command.device != self._device:
            raise MisaddressedError(f"an order for {command.device[:64]!r}")
        if not (command.id.isascii() and command.id.isalnum()) or len(command.id) > 64:
            raise MalformedMessageError("an order whose id is not of 1 to 64 letters and digits")
        try:
            check_fresh(command.issued_at, command.expires_at, now, longest=LONGEST_SECONDS)
        except StaleMessageError as error:
            return self._status(command, Step.EXPIRED, now, str(error))
        if objection := order.objection(now) or self._haste(order.mandate, now):
            return self._status(command, Step.REJECTED, now, objection)
        try:
            fresh = self._journal.record(command.id)
        except OSError as error:
            return self._status(command, Step.REJECTED, now, f"cannot be written down, so not obeyed: {error}")
        if not fresh:
            return self._status(command, Step.DUPLICATE, now, "acted on already")
        if order.mandate is not None:
            self._pace.count(order.mandate, now)
        return self._event(command, now)

    def _haste(self, mandate: Mandate | None, now: float) -> str:
        if mandate is None or self._pace.allows(mandate, now):
            return ""
        return f"{mandate.operator} may order {mandate.per_minute} times a minute, and has"

    def _event(self, command: Command, now: float) -> Order | CommandStatus:
        try:
            return _event_of(command)
        except MalformedMessageError as error:
            what = "tool" if command.verb is Verb.USE else "version"
            return self._status(command, Step.REJECTED, now, f"names no {what}: {error}")

    def _status(self, command: Command, step: Step, now: float, reason: str) -> CommandStatus:
        return CommandStatus(id=command.id, device=self._device, step=step, at=now, reason=reason)


def _event_of(command: Command) -> Order:
    match command.verb:
        case Verb.START:
            return StartOrdered(command.id, command.issuer)
        case Verb.STOP:
            return StopOrdered(command.id, command.issuer)
        case Verb.USE:
            use = convert(command.args, Use)
            return ToolOrdered(command.id, command.issuer, use.tool, encode(use.arguments).decode())
        case Verb.UPDATE:
            return UpdateOrdered(command.id, command.issuer, convert(command.args, Update))
        case _:
            assert_never(command.verb)
