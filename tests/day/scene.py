"""What the courses of a day are played with: one robot, its cloud and stand-ins, and a seeded chance."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from device.messages.commands import Verb
from provisioning.local.cloud import LIMITS, Choices
from provisioning.local.demo.perform import Stage, remote
from provisioning.local.demo.visitor import spoken
from provisioning.local.imageflux.server import ImageFluxStandIn
from provisioning.local.imageflux.settings import Faults as ImageFluxFaults
from provisioning.local.realtime import Faults, RealtimeStandIn
from provisioning.settings import replaced

REST: Final = ("idle", "fault")
"""Phases in which a robot holds nothing; a fault is shown for four seconds, and a press in it begins anew."""

TIME_LAPSE: Final = Choices(limits=replaced(LIMITS, session_seconds=15.0, idle_seconds=4.0))
"""A talk of half an hour in fifteen seconds."""

HURRY: Final = "[session]\nannounce_seconds = 0.3\n"
"""What makes a robot's waits short."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One session of the day is about to be played in it."""

    stage: Stage
    chance: random.Random
    asked: dict[str, Path] = field(default_factory=dict)
    """The visitor's sentences that have been spoken before."""

    @property
    def openai(self) -> RealtimeStandIn:
        """The stand-in for OpenAI."""
        assert self.stage.local.openai is not None
        return self.stage.local.openai

    @property
    def imageflux(self) -> ImageFluxStandIn:
        """The stand-in for ImageFlux."""
        assert self.stage.local.imageflux is not None
        return self.stage.local.imageflux

    async def press(self) -> None:
        """Press and release, and wait until the contact has stopped bouncing."""
        before = time.monotonic()
        self.stage.robot.do("press")
        self.stage.robot.do("release")
        await self.stage.watch.observation("button-release", before)

    async def start(self) -> None:
        """Press, and wait until the robot has felt it: how it stood before is over."""
        await self.press()
        await self.stage.watch.until("the press", lambda: "preparing" in self.stage.watch.phases or None)

    async def begin(self) -> None:
        """Press, and wait until the robot listens."""
        await self.start()
        await self.stage.watch.phase("listening", seconds=30)

    async def quiet(self) -> None:
        """Wait until the chime is over, as people do whose words matter."""
        watch = self.stage.watch
        began = await watch.until("listening", lambda: watch.marks.get("listening"))
        await watch.observation("speaker-silent", began)

    async def end(self) -> None:
        """Press, and wait until it is at rest."""
        await self.press()
        await self.rest()

    async def rest(self, seconds: float = 30.0) -> None:
        """Wait until the robot holds nothing."""
        await self.stage.watch.phase(*REST, seconds=seconds)

    async def on_air(self) -> None:
        """Wait until it is on air."""
        await self.stage.watch.until("on air", lambda: self._on_air() or None)

    def _on_air(self) -> bool:
        return bool(self.stage.watch.state and self.stage.watch.state.on_air)

    async def ask(self, text: str) -> None:
        """Let the visitor say something."""
        if text not in self.asked:
            self.asked[text] = (await spoken(self.stage.folder, text)).path
        self.stage.robot.do("say", path=str(self.asked[text]))

    async def use(self, tool: str, **arguments: Any) -> None:
        """Use a tool from afar, whatever comes of it."""
        await remote(self.stage, Verb.USE, _unheard, {"tool": tool, "arguments": arguments})

    async def order(self, verb: Verb) -> None:
        """Order the robot about from afar, whatever comes of it."""
        await remote(self.stage, verb, _unheard)

    async def hesitate(self, longest: float) -> None:
        """Wait as people do, somewhere between not at all and `longest` seconds."""
        await asyncio.sleep(self.chance.uniform(0, longest))

    def all_well(self) -> None:
        """Switch every fault off."""
        self.openai.faults.become(Faults())
        for name in ImageFluxFaults.__struct_fields__:
            setattr(self.imageflux.faults, name, getattr(ImageFluxFaults(), name))


def _unheard(_text: str) -> None:
    """Nobody listens."""
