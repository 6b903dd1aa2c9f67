"""The operator's desk: one connection to the broker, orders over it, and leases on the events of robots that are looked at."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from device.errors import BrokerError, MessageError
from device.messages import topics
from device.messages.commands import CommandStatus, Step, Verb
from device.messages.console import LONGEST_LEASE, LevelsNow, decode_shown
from device.messages.envelope import Signer
from device.messages.mandates import seal_order
from device.messages.reports import DeviceState, SessionEnded, decode_event
from device.messages.tools import ANY
from device.messages.wire import decode
from provisioning.commands import new_command
from provisioning.console.pages import Page, Pages, frame
from provisioning.link import Link

_log = logging.getLogger(__name__)

RENEW_SECONDS: Final = LONGEST_LEASE * 0.75

CONSOLE: Final = "console"
"""The robot's tool that shows its events."""


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a page wants ordered."""

    device: str
    verb: Verb
    tool: str = ""
    arguments: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Pen:
    """What an operator's orders are signed with, and by which mandate."""

    signer: Signer
    mandate: bytes


class Desk:
    """What an operator sees and does; `run` it with a link that was made from `handlers`."""

    def __init__(self, pen: Pen, robots: Sequence[str]) -> None:
        self.pages = Pages()
        self.changed = asyncio.Event()
        """Set when a session has ended, so that money was spent."""
        self._pen, self._reach = pen, robots
        self._states: dict[str, DeviceState] = {}
        self._leases: dict[str, asyncio.Event] = {}
        self._sent: dict[str, str] = {}
        """What was ordered, by id, until it is done."""
        self._spent = b""
        self._publish: Callable[[str, bytes], Any] | None = None

    def handlers(self) -> dict[str, Callable[[str, bytes], None]]:
        """Return who takes what of the robots that this operator reaches."""
        levels = ("+",) if ANY in self._reach else self._reach
        found: dict[str, Callable[[str, bytes], None]] = {}
        for level in levels:
            found[topics.state(level)] = self._on_state
            found[topics.event(level)] = self._on_event
            found[topics.console(level)] = self._on_shown
            found[topics.command_status(level, "+")] = self._on_status
        return found

    def attach(self, link: Link) -> None:
        """Send orders over this link."""
        self._publish = link.publish

    def robots(self) -> list[DeviceState]:
        """Return the cards of all robots, by name."""
        return [self._states[name] for name in sorted(self._states)]

    @asynccontextmanager
    async def looking(self, device: str) -> AsyncIterator[Page]:
        """Look at a robot: its events are leased while any page does."""
        first = [frame("robots", self.robots()), self._spent]
        with self.pages.opened(device, first) as page:
            yield page

    async def order(self, ask: Ask) -> str:
        """Send an order, and return its id; its steps are shown to the pages that look at the robot.

        Raises:
            BrokerError: the broker is not connected.
        """
        args = {"tool": ask.tool, "arguments": ask.arguments} if ask.verb is Verb.USE else {}
        return await self._send(ask.device, ask.verb, args, ask.tool or ask.verb)

    def spent(self, amounts: object) -> None:
        """Show every page, and those that are opened later, what is spent."""
        self._spent = frame("spent", amounts)
        self.pages.show_all(self._spent)

    async def lease(self, device: str) -> None:
        """Lease a robot's events until cancelled, again whenever it comes back; then give the lease up."""
        back = self._leases[device] = asyncio.Event()
        try:
            while True:
                back.clear()
                await self._watch(device, LONGEST_LEASE)
                with suppress(TimeoutError):
                    async with asyncio.timeout(RENEW_SECONDS):
                        await back.wait()
        finally:
            del self._leases[device]
            await self._watch(device, 0)

    async def _watch(self, device: str, seconds: int) -> None:
        try:
            args = {"tool": CONSOLE, "arguments": {"seconds": seconds}}
            await self._send(device, Verb.USE, args, CONSOLE)
        except BrokerError as error:
            _log.warning("%s", error)

    async def _send(self, device: str, verb: Verb, args: dict[str, Any], name: str) -> str:
        if self._publish is None:
            raise BrokerError("the broker is not connected yet")
        command = new_command(device, verb, self._pen.signer.kid, time.time(), args, "console")
        self._sent[command.id] = name
        await self._publish(topics.command(device), seal_order(command, self._pen.signer, self._pen.mandate))
        return command.id

    def _on_state(self, topic: str, payload: bytes) -> None:
        with suppress(MessageError):
            state = decode(payload, DeviceState)
            if topic != topics.state(state.device):
                return
            before = self._states.get(state.device)
            self._states[state.device] = state
            if state.device in self._leases and (before is None or before.lifecycle is not state.lifecycle):
                self._leases[state.device].set()
            self.pages.show_all(frame("state", state))

    def _on_event(self, topic: str, payload: bytes) -> None:
        with suppress(MessageError):
            event = decode_event(payload)
            if isinstance(event, SessionEnded):
                self.changed.set()
            self.pages.show(topics.device_of(topic), frame("happened", event), keep=True)

    def _on_shown(self, topic: str, payload: bytes) -> None:
        with suppress(MessageError):
            shown = decode_shown(payload)
            self.pages.show(topics.device_of(topic), frame("shown", shown), keep=not isinstance(shown, LevelsNow))

    def _on_status(self, topic: str, payload: bytes) -> None:
        with suppress(MessageError):
            status = decode(payload, CommandStatus)
            name = self._sent.get(status.id, "")
            if status.step.final:
                self._sent.pop(status.id, None)
            if name and (name != CONSOLE or status.step not in {Step.ACCEPTED, Step.IN_PROGRESS, Step.SUCCEEDED}):
                told = {"name": name, "step": status.step, "reason": status.reason}
                self.pages.show(topics.device_of(topic), frame("status", told))
