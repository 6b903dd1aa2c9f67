"""Operators' orders, overheard by the cloud: a stop holds even if the robot does not obey, and all are written down."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from device.errors import MessageError, MisaddressedError
from device.messages import topics
from device.messages.commands import LONGEST_SECONDS, Verb
from device.messages.envelope import check_fresh, load_public_pem
from device.messages.mandates import Order, open_order

_log = logging.getLogger(__name__)


class Stops:
    """Tells `stop` of every device that an operator orders to stop, and `heard` of every genuine order.

    `keys` (key id -> PEM) are those that the robots have pinned; what a mandate does not allow stops nobody.
    """

    def __init__(
        self, keys: Mapping[str, str], stop: Callable[[str], None], heard: Callable[[Order, str], None]
    ) -> None:
        self._keys = {kid: load_public_pem(pem) for kid, pem in keys.items()}
        self._stop, self._heard = stop, heard

    def deliver(self, topic: str, payload: bytes) -> None:
        """Take one command; one that a robot must not act on is nothing to us either."""
        now = time.time()
        try:
            order = open_order(payload, self._keys.get)
            command = order.command
            check_fresh(command.issued_at, command.expires_at, now, longest=LONGEST_SECONDS)
            if command.device != topics.device_of(topic):
                raise MisaddressedError(f"a command for {command.device}")
        except MessageError as error:
            _log.warning("ignored what came on %s: %s", topic, error)
            return
        objection = order.objection(now)
        self._heard(order, objection)
        if command.verb is Verb.STOP and not objection:
            _log.info("%s stops %s", command.issuer, command.device)
            self._stop(command.device)
