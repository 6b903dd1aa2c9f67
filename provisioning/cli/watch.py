"""`kaiwa-cloud watch`: the fleet in a terminal, as it changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime

import aiomqtt
import typer
from rich.live import Live
from rich.table import Table
from rich.text import Text

from device.errors import BrokerError, MessageError, MisaddressedError
from device.messages import topics
from device.messages.reports import DeviceState, decode_event
from device.messages.wire import decode
from provisioning.app import DEFAULT_OPERATOR
from provisioning.cli.invocation import Invocation, JsonFlag, out, plain, print_json
from provisioning.cli.orders import Operator, seated
from provisioning.overview import Glance, Overview
from provisioning.running import run
from provisioning.settings import CloudSettings
from provisioning.spending.prices import told

_AWAY = {"lost", "disconnected"}


def watch_command(context: typer.Context, *, operator: Operator = DEFAULT_OPERATOR, json: JsonFlag = False) -> None:
    """Show the fleet as it changes, until Ctrl-C: phase, broadcast, length of the conversation, last fault.

    An order in the same operator's name ends it, for each has one connection to the broker; give a screen its own.
    With --json, one line for each robot that there is, and then one for each change.
    """
    invocation: Invocation = context.obj
    with suppress(KeyboardInterrupt):
        run(watch(invocation.settings(), operator, json=json))


async def watch(settings: CloudSettings, operator: str, *, json: bool) -> None:
    """Show what happens until cancelled.

    Raises:
        BrokerError: the broker cannot be reached, or the connection fell.
    """
    overview = Overview()
    async with seated(settings, operator) as seat:
        changed = changes(seat.client, overview)
        if json:
            async for glance in changed:
                print_json(glance)
            return
        with Live(table(overview, time.time()), console=out, auto_refresh=False) as live:
            async with asyncio.TaskGroup() as group:
                ticking = group.create_task(_tick(live, overview))
                async for _ in changed:
                    live.update(table(overview, time.time()), refresh=True)
                ticking.cancel()


async def _tick(live: Live, overview: Overview) -> None:
    while True:
        await asyncio.sleep(1.0)
        live.update(table(overview, time.time()), refresh=True)


async def changes(client: aiomqtt.Client, overview: Overview) -> AsyncIterator[Glance]:
    """Yield every robot that changes, over an operator's connection, for ever; all that there are come first.

    Raises:
        BrokerError: the connection fell.
    """
    try:
        await client.subscribe([(topics.EVERY_STATE, 1), (topics.EVERY_EVENT, 1)])
        async for message in client.messages:
            with suppress(MessageError):  # the service logs what is malformed
                if glance := taken(overview, str(message.topic), message.payload):
                    yield glance
    except aiomqtt.MqttError as error:
        raise BrokerError(f"the connection to the broker fell: {error}") from None


def taken(overview: Overview, topic: str, payload: bytes) -> Glance | None:
    """Take one message, and return the robot that it has changed, if any.

    Raises:
        MessageError: it is not what its topic carries.
    """
    device = topics.device_of(topic)
    if topic == topics.event(device):
        return overview.on_event(device, decode_event(payload))
    if not payload:
        return None  # a retained card that was cleared
    state = decode(payload, DeviceState)
    if state.device != device:
        raise MisaddressedError(f"{device} reports as another device")
    return overview.on_state(state)


def table(overview: Overview, now: float) -> Table:
    """Return the fleet as a table at `now`, in Unix seconds."""
    shown = Table("robot", "phase", "on air", "for", "cost", "last fault", box=None, pad_edge=False)
    for robot in overview.robots:
        shown.add_row(
            plain(robot.device), _phase(robot, now), _air(robot), _length(robot, now), _cost(robot), _fault(robot)
        )
    return shown


def _phase(robot: Glance, now: float) -> Text:
    if robot.lifecycle in _AWAY:
        return Text(robot.lifecycle, "red")
    left = robot.left(now)
    more = (", muted" if robot.muted else "") + ("" if left is None else f", ends in {_clock(left)}")
    return Text(plain(robot.phase).plain + more, "green" if robot.session else "")


def _air(robot: Glance) -> Text:
    return Text("on air", "bold red") if robot.on_air else Text("")


def _length(robot: Glance, now: float) -> str:
    seconds = robot.lasted(now)
    return "" if seconds is None else _clock(seconds)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _cost(robot: Glance) -> str:
    return "" if robot.spent is None else told(robot.spent.micros)


def _fault(robot: Glance) -> Text:
    when = "" if robot.fault_at is None else datetime.fromtimestamp(robot.fault_at, UTC).strftime(" (%m-%d %H:%M UTC)")
    return plain(robot.fault + when)
