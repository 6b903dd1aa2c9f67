"""An operator who gives one order after the other, as fast as the robot answers."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from device.errors import KaiwaError
from device.messages.commands import Command, CommandStatus, Step, Verb
from provisioning.app import DEFAULT_OPERATOR
from provisioning.cli.orders import Seat, seated
from provisioning.commands import new_command, order
from provisioning.settings import load_settings
from tests.board.cloud import DEVICE

OBEYED: Final = frozenset({Step.ACCEPTED, Step.IN_PROGRESS, Step.SUCCEEDED, Step.FAILED})
"""What a robot says of an order only after it has written it down."""


@dataclass(slots=True)
class Ordering:
    """The orders so far; `obeyed` are the ids of those that the robot took."""

    config: Path
    obeyed: list[str] = field(default_factory=list)

    def once(self) -> CommandStatus:
        """Give one order, and return the last that the robot says of it.

        Raises:
            KaiwaError: the robot does not answer.
        """
        return asyncio.run(self._once())

    async def _once(self) -> CommandStatus:
        async with seated(load_settings(self.config), DEFAULT_OPERATOR) as seat:
            said = [status async for status in order(seat.client, seat.signer, _identify(seat), seat.mandate)]
        return said[-1]

    def until(self, seconds: float, least: int) -> None:
        """Order for `seconds` from when the robot has taken `least` orders; then return at once, in the middle of one.

        Raises:
            TimeoutError: it did not take that many within two minutes.
        """
        asyncio.run(self._until(seconds, least))

    async def _until(self, seconds: float, least: int) -> None:
        ordering = asyncio.create_task(self._go_on(), name="orders")
        async with asyncio.timeout(120):
            while len(self.obeyed) < least:
                await asyncio.sleep(0.02)
        await asyncio.sleep(seconds)
        ordering.cancel()
        await asyncio.wait([ordering])

    async def _go_on(self) -> None:
        async with seated(load_settings(self.config), DEFAULT_OPERATOR) as seat:
            while True:
                await self._one(seat)

    async def _one(self, seat: Seat) -> None:
        command = _identify(seat)
        try:
            async for status in order(seat.client, seat.signer, command, seat.mandate):
                if status.step in OBEYED and command.id not in self.obeyed:
                    self.obeyed.append(command.id)
        except KaiwaError:
            return


def _identify(seat: Seat) -> Command:
    """Return an order to show itself, good from now on."""
    return new_command(DEVICE, Verb.USE, seat.signer.kid, time.time(), {"tool": "identify", "arguments": {}})
