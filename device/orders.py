"""Orders from operators: verified, fresh, addressed, and executed at most once, also over a power cut."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final, assert_never

import msgspec

from device.errors import MalformedMessageError, MisaddressedError, StaleMessageError
from device.identity import write_durably
from device.messages.commands import LONGEST_SECONDS, Command, CommandStatus, Step, Use, Verb
from device.messages.envelope import COMMAND, PublicKey, check_fresh, open_envelope
from device.messages.wire import decode, encode
from device.phase import StartOrdered, StopOrdered, ToolOrdered

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


Order = StartOrdered | StopOrdered | ToolOrdered


class Orders:
    """What this device obeys; everything else is an error or a status and never an act."""

    def __init__(self, device: str, find_operator: Callable[[str], PublicKey | None], journal: Journal) -> None:
        self._device = device
        self._find_operator = find_operator
        self._journal = journal

    def take(self, payload: bytes, now: float, *, retained: bool) -> Order | CommandStatus:
        """Return the event that a signed order becomes, or the status that says why it becomes none.

        Waits for the disk: an order is written down before it is obeyed.

        `now` is Unix seconds by the cloud's clock.

        Raises:
            MessageError: not an order, not signed by an operator, not for this device, or retained by the broker:
                such a thing is not even answered.
        """
        if retained:
            raise StaleMessageError("a retained order is never obeyed")
        command = decode(open_envelope(COMMAND, payload, self._find_operator), Command)
        if command.device != self._device:
            raise MisaddressedError(f"an order for {command.device[:64]!r}")
        if not (command.id.isascii() and command.id.isalnum()) or len(command.id) > 64:
            raise MalformedMessageError("an order whose id is not of 1 to 64 letters and digits")
        try:
            check_fresh(command.issued_at, command.expires_at, now, longest=LONGEST_SECONDS)
        except StaleMessageError as error:
            return self._status(command, Step.EXPIRED, now, str(error))
        try:
            fresh = self._journal.record(command.id)
        except OSError as error:
            return self._status(command, Step.REJECTED, now, f"cannot be written down, so not obeyed: {error}")
        if not fresh:
            return self._status(command, Step.DUPLICATE, now, "acted on already")
        return self._event(command, now)

    def _event(self, command: Command, now: float) -> Order | CommandStatus:
        match command.verb:
            case Verb.START:
                return StartOrdered(command.id, command.issuer)
            case Verb.STOP:
                return StopOrdered(command.id, command.issuer)
            case Verb.USE:
                try:
                    use = msgspec.convert(command.args, Use)
                except msgspec.ValidationError as error:
                    return self._status(command, Step.REJECTED, now, f"names no tool: {error}")
                return ToolOrdered(command.id, command.issuer, use.tool, encode(use.arguments).decode())
            case _:
                assert_never(command.verb)

    def _status(self, command: Command, step: Step, now: float, reason: str) -> CommandStatus:
        return CommandStatus(id=command.id, device=self._device, step=step, at=now, reason=reason)
