"""Ordering a robot about: a signed command, and the steps in which the robot answers."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any, Final

import aiomqtt

from device.errors import BrokerError, MalformedMessageError
from device.messages import topics
from device.messages.commands import LONGEST_SECONDS, Command, CommandStatus, Verb
from device.messages.envelope import Signer
from device.messages.mandates import seal_order
from device.messages.wire import decode

FIRST_STEP_SECONDS: Final = LONGEST_SECONDS
"""A robot that has not answered when the command expires will never execute it."""

NEXT_STEP_SECONDS: Final = 60.0


class NoAnswerError(BrokerError):
    """The robot did not answer, or not to the end."""


def new_command(
    device: str, verb: Verb, issuer: str, now: float, args: dict[str, Any] | None = None, why: str = ""
) -> Command:
    """Return a command with a fresh id that is valid from `now` (Unix seconds) for as long as one may be."""
    return Command(
        id=secrets.token_hex(16),
        device=device,
        verb=verb,
        issuer=issuer,
        issued_at=now,
        expires_at=now + LONGEST_SECONDS,
        args=args or {},
        why=why,
    )


async def order(
    client: aiomqtt.Client,
    signer: Signer,
    command: Command,
    mandate: bytes = b"",
    patience: float = NEXT_STEP_SECONDS,
) -> AsyncIterator[CommandStatus]:
    """Sign and send a command over an operator's connection, and yield each step until the final one.

    `mandate` is the operator's own, sealed; nothing for one whose key the robots have pinned. `patience` is how many
    seconds may pass between two steps.

    Raises:
        NoAnswerError: no step in time; the robot is not connected, or does not know this operator.
        BrokerError: the connection fell.
    """
    try:
        await client.subscribe(topics.command_status(command.device, command.id), qos=1)
        await client.publish(topics.command(command.device), seal_order(command, signer, mandate), qos=1)
        status = await _next_step(client, command, FIRST_STEP_SECONDS)
        yield status
        while not status.step.final:
            status = await _next_step(client, command, patience)
            yield status
    except aiomqtt.MqttError as error:
        raise BrokerError(f"the connection to the broker fell: {error}") from None


async def _next_step(client: aiomqtt.Client, command: Command, patience: float) -> CommandStatus:
    try:
        async with asyncio.timeout(patience):
            while True:
                status = _status(await anext(client.messages), command)
                if status is not None:
                    return status
    except TimeoutError:
        raise NoAnswerError(
            f"{command.device} did not answer in {patience:.0f} s; is it switched on, and does it know this operator?"
        ) from None


def _status(message: aiomqtt.Message, command: Command) -> CommandStatus | None:
    try:
        status = decode(message.payload, CommandStatus)
    except MalformedMessageError:
        return None
    return status if (status.id, status.device) == (command.id, command.device) else None
