"""The composition root: settings become owners, owners become one running robot, taken down in reverse."""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import logging
import secrets
import signal
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import aiohttp

from device import bench, succession
from device import phase as p
from device.agent import Agent, Inbox
from device.assembly import Body, Robot, assembled
from device.audio.opus import libopus
from device.command import Exit
from device.config import DeviceSettings
from device.felt import Felt
from device.holdings import Holdings
from device.notify import notify
from device.panel.board import Panel, ignore
from device.panel.gestures import Gesture
from device.record.recorder import recording
from device.record.shelf import Shelf
from device.rtc.warm_up import warm_up
from device.session import Session
from device.supervision import supervise
from device.timing import Timing
from device.tools.outputs import Outputs
from device.voice_card import voice_card

_log = logging.getLogger(__name__)

GIVE_UP_SECONDS: Final = 5.0
"""How long a robot that is stuck may take to give back what is not."""


async def run(settings: DeviceSettings, *, with_bench: bool = False, now: float | None = None) -> Exit:
    """Run the robot until it is told to stop; return how: whether it failed and should be started again, or be claimed.

    `now`, in Unix seconds, is when its certificate must be good, by the system's clock where none is given.

    Raises:
        EnrolmentError: this board has not been enrolled, or its certificate is over.
        SoundError: there is no sound card that can be used.
        CodecError: there is no libopus.
        MediaError: this version of aiortc cannot be used.
        ExceptionGroup: a part of it has failed that must not.
    """
    inbox = Inbox()
    _watch_signals(inbox)
    identity = succession.load(Path(settings.state_dir), time.time() if now is None else now)
    libopus()
    await warm_up()
    async with (
        _body(settings, inbox, with_bench=with_bench) as body,
        aiohttp.ClientSession() as http,
        recording(settings.record, Shelf(settings.record, Path(settings.state_dir))) as recorder,
    ):
        robot = assembled(settings, identity, inbox, body, http, recorder)
        async with _connected(robot), asyncio.TaskGroup() as tasks:
            works = _background(robot, settings, with_bench=with_bench)
            background = [tasks.create_task(work, name=name) for name, work in works.items()]
            end = await _live(robot, settings, tasks)
            if end.failed:
                end_within(GIVE_UP_SECONDS)
            for task in background:
                task.cancel()
    return end


@asynccontextmanager
async def _connected(robot: Robot) -> AsyncIterator[None]:
    """Keep the broker connected, and say goodbye to it at the end, whatever the end is."""

    def on_online(up: bool) -> None:
        robot.inbox.post(p.BrokerUp() if up else p.BrokerDown())

    async with asyncio.TaskGroup() as tasks:
        broker = tasks.create_task(robot.broker.run(robot.mail.take, on_online), name="broker")
        try:
            yield
        finally:
            await robot.outlet.farewell()
            broker.cancel()


def end_within(seconds: float) -> None:
    """End the process with exit code 1 after `seconds`, if it has not ended by then, and log what it waited for.

    For a robot whose session does not let go: everything else is still given back in order, what is stuck is not
    waited for.
    """
    faulthandler.dump_traceback_later(seconds, exit=True)


@asynccontextmanager
async def _body(settings: DeviceSettings, inbox: Inbox, *, with_bench: bool) -> AsyncIterator[Body]:

    def on_gesture(gesture: Gesture, at: float) -> None:
        if with_bench:
            bench.observed(f"button-{gesture}", at)
        for event in felt.meaning(gesture, at):
            inbox.post(event)

    def on_mute(off: bool | None) -> None:
        inbox.post(p.MuteSwitched(off))

    def told(gone: str) -> None:
        inbox.post(p.SoundLost(gone) if gone else p.SoundBack())

    felt = Felt()
    on_light, outlets = (bench.light, [bench.output]) if with_bench else (ignore, [])
    async with (
        Panel(settings.panel, on_gesture, on_light, on_mute, partial(inbox.post, p.CutWished())) as panel,
        Outputs(settings.tools.outputs, panel.pins, *outlets) as outputs,
        voice_card(settings, panel, told, bench.observed if with_bench else None) as (card, voice),
    ):
        panel.follow(lambda: voice.levels().assistant)
        if with_bench:
            bench.body(panel, card)
        yield Body(panel, card, voice, outputs)


def _session(settings: DeviceSettings) -> Session:
    waits = settings.session
    timing = Timing(
        announce=waits.announce_seconds,
        prepare=waits.prepare_seconds,
        renew=waits.renew_seconds,
        reconnect=waits.reconnect_seconds,
        release=Timing().release + settings.broadcast.delay_s,
    )
    return Session(lambda: secrets.token_hex(16), timing)


async def _beat(holdings: Holdings, robot: Robot, seconds: float) -> None:
    """Tell the cloud again and again that the session goes on: it ends one whose robot is silent."""
    while True:
        await asyncio.sleep(seconds)
        for beat in holdings.going_on() if robot.equipment.broker.online else ():
            robot.outlet.event(beat)


async def _live(robot: Robot, settings: DeviceSettings, tasks: asyncio.TaskGroup) -> Exit:
    holdings = Holdings(robot.equipment, tasks, robot.inbox.post)
    heart = tasks.create_task(_beat(holdings, robot, settings.report.heartbeat_seconds), name="heartbeat")
    hands = (robot.body.panel, robot.body.voice, robot.outlet, holdings)
    agent = Agent(_session(settings), robot.inbox, *hands, robot.at_rest, settings.language)
    robot.inbox.post(p.Ready())
    gc.collect()
    gc.freeze()  # what is here now stays: a collection while somebody talks need not look through it
    notify("READY=1")
    end = Exit(failed=True)
    try:
        end = await agent.run()
    finally:
        heart.cancel()
        if not end.claim:  # the process goes on, and systemd would wait for its end
            notify("STOPPING=1")
        holdings.close()
    return end


def _watch_signals(inbox: Inbox) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, inbox.post, p.Quit())


def _background(robot: Robot, settings: DeviceSettings, *, with_bench: bool) -> dict[str, Coroutine[None, None, None]]:
    works: dict[str, Coroutine[None, None, None]] = {
        "orders": robot.mail.obey(),
        "meters": _meter(robot, settings.report.metrics_seconds),
        "renewal": robot.renewal.run(),
        "console": robot.console.attend(),
        "watchdog": supervise(robot.body.voice, robot.body.card, robot.inbox.post),
        "updates": robot.updates.run(),
    }
    if with_bench:
        works["bench"] = _attend_bench(robot)
    return works


async def _meter(robot: Robot, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        robot.outlet.metrics(robot.body.voice.levels(), robot.body.voice.counters() | robot.body.card.counters())


async def _attend_bench(robot: Robot) -> None:
    """Obey the bench until its orders end, then end: whoever gave them is gone."""
    await bench.attend(robot.body.panel, robot.body.card)
    robot.inbox.post(p.Quit())
