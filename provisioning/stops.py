"""Operators' stops, overheard by the cloud: a robot that does not obey is stopped all the same."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from device.errors import MessageError, MisaddressedError
from device.messages import topics
from device.messages.commands import LONGEST_SECONDS, Command, Verb
from device.messages.envelope import COMMAND, check_fresh, load_public_pem, open_envelope
from device.messages.wire import decode

_log = logging.getLogger(__name__)


class Stops:
    """Tells `stop` of every device that an operator in `keys` (key id -> PEM) orders to stop."""

    def __init__(self, keys: Mapping[str, str], stop: Callable[[str], None]) -> None:
        self._keys = {kid: load_public_pem(pem) for kid, pem in keys.items()}
        self._stop = stop

    def deliver(self, topic: str, payload: bytes) -> None:
        """Take one command; one that a robot must not act on is nothing to us either."""
        try:
            command = decode(open_envelope(COMMAND, payload, self._keys.get), Command)
            check_fresh(command.issued_at, command.expires_at, time.time(), longest=LONGEST_SECONDS)
            if command.device != topics.device_of(topic):
                raise MisaddressedError(f"a command for {command.device}")
        except MessageError as error:
            _log.warning("ignored what came on %s: %s", topic, error)
            return
        if command.verb is Verb.STOP:
            _log.info("%s stops %s", command.issuer, command.device)
            self._stop(command.device)
