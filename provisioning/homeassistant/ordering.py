"""Home Assistant's wishes as orders: signed by an operator of its own, over that operator's connection."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Final

from device.errors import BrokerError, MalformedMessageError
from device.messages import topics
from device.messages.commands import Command, CommandStatus
from device.messages.mandates import seal_order
from device.messages.tools import ANY
from device.messages.wire import decode
from provisioning.authority import Authority
from provisioning.commands import FIRST_STEP_SECONDS, NEXT_STEP_SECONDS, new_command
from provisioning.homeassistant.discovery import STEPS
from provisioning.homeassistant.wishes import Wish
from provisioning.link import BrokerEndpoint, Link
from provisioning.upkeep import InUse

_log = logging.getLogger(__name__)

WHY: Final = "Home Assistant"
"""What the audit has as the reason of such an order."""

UNANSWERED: Final = STEPS[-1]


class Ordering:
    """Gives orders in the name of `operator`, whose mandate is read anew for each; `run()` it in a task."""

    def __init__(self, authority: Authority, operator: str, robots: Sequence[str], broker: BrokerEndpoint) -> None:
        files, self._signer = authority.operator(operator, time.time())
        self._authority, self._operator = authority, operator
        self._steps: dict[str, asyncio.Queue[CommandStatus]] = {}
        tls = authority.client_context(files)
        levels = ("+",) if ANY in robots else robots
        handlers = {topics.command_status(level, "+"): self._take for level in levels}
        self._link = Link(broker, self._signer.kid, tls, handlers, fresh_only=handlers)
        self.in_use: InUse = (tls, files)
        """What its certificate is shown with."""

    async def run(self) -> None:
        """Stay connected, for ever."""
        await self._link.run()

    async def give(self, wish: Wish, now: float) -> tuple[str, str]:
        """Give an order, and return what became of it: its last step, or that there was none, and the reason."""
        command = new_command(wish.robot, wish.verb, self._signer.kid, now, wish.args, WHY)
        self._steps[command.id] = asyncio.Queue()
        try:
            order = seal_order(command, self._signer, self._authority.mandate(self._operator))
            await self._link.publish(topics.command(wish.robot), order)
            return await self._outcome(command)
        except BrokerError as error:
            return UNANSWERED, str(error)
        finally:
            del self._steps[command.id]

    async def _outcome(self, command: Command) -> tuple[str, str]:
        patience = FIRST_STEP_SECONDS
        try:
            while True:
                async with asyncio.timeout(patience):
                    status = await self._steps[command.id].get()
                if status.step.final:
                    return status.step, status.reason
                patience = NEXT_STEP_SECONDS
        except TimeoutError:
            return UNANSWERED, f"{command.device} did not answer; is it switched on?"

    def _take(self, topic: str, payload: bytes) -> None:
        try:
            status = decode(payload, CommandStatus)
        except MalformedMessageError as error:
            _log.warning("ignored what came on %s: %s", topic, error)
            return
        waiting = self._steps.get(status.id)
        if waiting is not None and status.device == topics.device_of(topic):
            waiting.put_nowait(status)
