"""The demonstration for a person: the live view in the terminal, and a key for everything one can do."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Final

from rich.console import Console
from rich.live import Live

from device.errors import KaiwaError
from device.messages.commands import Verb
from device.messages.reports import Caption, DeviceState, Levels
from provisioning.local.demo.keyboard import keys
from provisioning.local.demo.perform import DEVICE, Stage, remote
from provisioning.local.demo.view import Snapshot, render
from provisioning.local.demo.watch import Watch

_log = logging.getLogger(__name__)

FRAMES_PER_SECOND: Final = 10
MOST_KEYS: Final = 9
"""Questions that the digits of a keyboard can ask."""

RELEASE_SECONDS: Final = 0.15
"""How long the virtual finger stays on the button."""

_ORDERS: Final[dict[str, tuple[Verb, dict[str, Any] | None]]] = {
    "s": (Verb.START, None),
    "x": (Verb.STOP, None),
    "c": (Verb.USE, {"tool": "cut"}),
}
"""Keys of an operator, with what each orders."""


class Conductor:
    """Turns keys into what a hand, a visitor or an operator would do, and keeps the last word for the view."""

    def __init__(self, stage: Stage, tasks: asyncio.TaskGroup) -> None:
        self._stage = stage
        self._tasks = tasks
        self.hands: list[asyncio.Task[None]] = []
        """What keys have begun and is perhaps not done yet."""
        self.notice = ""

    def press(self, key: str) -> bool:
        """Do what `key` means; return False when it means to quit."""
        if key == "q":
            return False
        if key == " ":
            self.hands.append(self._tasks.create_task(self._button(), name="finger"))
        elif key in _ORDERS:
            self.hands.append(self._tasks.create_task(self._remote(*_ORDERS[key]), name="operator"))
        elif key.isdigit() and 0 < int(key) <= self._questions:
            self._ask(list(self._stage.sayings)[int(key) - 1])
        return True

    async def _button(self) -> None:
        self._stage.robot.do("press")
        await asyncio.sleep(RELEASE_SECONDS)
        self._stage.robot.do("release")

    async def _remote(self, verb: Verb, args: dict[str, Any] | None) -> None:
        try:
            await remote(self._stage, verb, self._note, args)
        except KaiwaError as error:
            self._note(str(error))

    def _ask(self, question: str) -> None:
        if not self._in_room:
            self._note("there is a real microphone: just talk")
            return
        self._note(f"the visitor asks: {question}")
        self._stage.robot.do("say", path=str(self._stage.sayings[question].path))

    def _note(self, text: str) -> None:
        self.notice = text

    @property
    def _questions(self) -> int:
        """How many questions there are keys for."""
        return min(MOST_KEYS, len(self._stage.sayings))

    @property
    def _in_room(self) -> bool:
        return any("simulated room" in name for name in self._stage.stood_in())

    def keys(self) -> tuple[tuple[str, str], ...]:
        """Return every key with what it does, for the view."""
        asking = ((f"1-{self._questions}", "let the visitor ask"),) if self._in_room else ()
        state = self._stage.watch.state
        orders = ("s/x/c", "start/stop/cut") if state and state.delay else ("s/x", "start/stop from afar")
        return (("space", "the button"), *asking, orders, ("q", "quit"))


async def converse(stage: Stage, console: Console) -> int:
    """Show the robot until `q` is pressed or its program ends; return the program's exit code."""
    async with keys() as pressed, asyncio.TaskGroup() as tasks:
        conductor = Conductor(stage, tasks)
        drawing = tasks.create_task(_draw(stage, conductor, console), name="view")
        reading = tasks.create_task(_read(pressed, conductor), name="keyboard")
        ending = tasks.create_task(stage.robot.ended(), name="robot's end")
        await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
        for task in (drawing, reading, ending, *conductor.hands):
            task.cancel()
    return await stage.robot.stop()


async def _read(pressed: asyncio.Queue[str], conductor: Conductor) -> None:
    while conductor.press(await pressed.get()):
        pass


async def _draw(stage: Stage, conductor: Conductor, console: Console) -> None:
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(render(snapshot(stage, conductor)), refresh=True)
            await asyncio.sleep(1 / FRAMES_PER_SECOND)


def snapshot(stage: Stage, conductor: Conductor) -> Snapshot:
    """Return what the view shows now."""
    watch = stage.watch
    state, metrics = watch.state, watch.metrics
    return Snapshot(
        robot=DEVICE,
        phase=_phase(state),
        on_air=bool(state and state.on_air),
        delay=state.delay if state else 0.0,
        fault=_fault(watch, state),
        ends_at=state.ends_at if state else None,
        spent=state.spent if state else None,
        levels=metrics.levels if metrics else Levels(),
        counters=metrics.counters if metrics else {},
        captions=_of_last_session(list(watch.captions.values())),
        now=time.time(),
        page_url=stage.page_url,
        playlist=watch.playlist if state and state.on_air else "",
        viewers=stage.local.cloud.feed.viewers(DEVICE),
        keys=conductor.keys(),
        stood_in=tuple(stage.stood_in()),
        notice=conductor.notice,
    )


def _fault(watch: Watch, state: DeviceState | None) -> str:
    """Return the code of a fault, and in words why."""
    if state is None or not state.fault:
        return ""
    why = next((fault.text for fault in reversed(watch.faults) if fault.fault == state.fault), "")
    return f"{state.fault}: {why}" if why else state.fault


def _phase(state: DeviceState | None) -> str:
    if state is None:
        return "starting"
    return "muted" if state.muted else state.phase


def _of_last_session(captions: list[Caption]) -> tuple[Caption, ...]:
    ordered = sorted(captions, key=lambda caption: caption.start)
    return tuple(caption for caption in ordered if caption.session == ordered[-1].session)
