"""The scripted conversation: one press, one question, an answer that is interrupted, a second answer, one press."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provisioning.local.demo.evidence import Samples
from provisioning.local.demo.listener import Listener
from provisioning.local.demo.robot import Robot
from provisioning.local.demo.watch import Observation, Watch

SPEAK_BEFORE_BARGE_IN: Final = 3.0
"""Seconds of the first answer that are heard before it is interrupted: enough to be found in the stream."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something the visitor says: the words, a WAV file of them, and its samples (int16 mono at 48 kHz)."""

    text: str
    path: Path
    samples: Samples


@dataclass(slots=True)
class Course:
    """When everything happened, in monotonic seconds."""

    pressed: float = 0.0
    light: Observation | None = None
    earcon: Observation | None = None
    asked: Observation | None = None
    question_over: Observation | None = None
    answered: Observation | None = None
    interrupted: Observation | None = None
    cut: Observation | None = None
    ended: float = 0.0


class Script:
    """Plays the visitor against a running robot; each step waits for what must come of the one before."""

    def __init__(self, robot: Robot, watch: Watch, listener: Listener, say: Callable[[str], None]) -> None:
        self.watch = watch
        self.course = Course()
        self._robot = robot
        self._listener = listener
        self._say = say

    async def play(self, question: Utterance, interruption: Utterance) -> None:
        """Play it to its end.

        Raises:
            DemoError: a step did not lead to the next one in time.
        """
        await self.watch.phase("idle", seconds=60.0)
        await self.press()
        async with asyncio.TaskGroup() as tasks:
            following = tasks.create_task(self.follow(), name="observer")
            try:
                await self._converse(question, interruption)
                await self.catch_up()
                await self.hang_up()
            except BaseException:
                following.cancel()
                raise

    async def press(self) -> None:
        """Press the button, and wait until the robot listens."""
        self._say("press the button")
        before = time.monotonic()
        self._robot.do("press")
        pressed = await self.watch.observation("pressed", before)
        self.course.pressed = pressed.at
        self.course.light = await self.watch.until("the light", lambda: self._lit(pressed.at))
        self._robot.do("release")
        self.course.earcon = await self.watch.observation("speaker-audible", pressed.at)
        await self.watch.phase("listening", seconds=40.0)
        self._say("listening")

    def _lit(self, after: float) -> Observation | None:
        lit = (seen for seen in self.watch.seen if seen.what == "light" and seen.at >= after)
        return next((seen for seen in lit if seen.detail["brightness"] > 0), None)

    async def tap(self) -> None:
        """Press and release the button."""
        before = time.monotonic()
        self._robot.do("press")
        self._robot.do("release")
        await self.watch.observation("button-release", before)

    async def follow(self) -> None:
        """Hear what observers hear, until the stream ends."""
        url = await self.watch.until("the stream", lambda: self.watch.playlist or None, 30.0)
        self._say(f"on air: {url}")
        await self._listener.follow(url)

    async def streaming(self) -> None:
        """Wait until observers hear something."""
        await self.watch.until("the stream", lambda: self._listener.pieces or None, 30.0)

    async def ask(self, utterance: Utterance, number: int) -> Observation:
        """Say something, the `number`-th thing that is said in the room, and return its end."""
        self._robot.do("say", path=str(utterance.path))
        begun = await self.watch.observation("said-begin", number=number)
        over = await self.watch.observation("said-end", number=number)
        if number == 1:
            self.course.asked, self.course.question_over = begun, over
        return over

    async def quiet(self) -> None:
        """Wait until the loudspeaker is silent."""

        def silent() -> bool | None:
            sounds = [seen.what for seen in self.watch.seen if seen.what.startswith("speaker-")]
            return sounds[-1:] == ["speaker-silent"] or None

        await self.watch.until("silence", silent)

    async def _converse(self, question: Utterance, interruption: Utterance) -> None:
        course, watch = self.course, self.watch
        await self.streaming()
        self._say(f"the visitor asks: {question.text}")
        over = await self.ask(question, 1)
        await watch.phase("speaking")
        course.answered = await watch.observation("speaker-audible", over.at)
        self._say("the robot answers")
        await asyncio.sleep(SPEAK_BEFORE_BARGE_IN)
        self._say(f"the visitor interrupts: {interruption.text}")
        self._robot.do("say", path=str(interruption.path))
        course.interrupted = await watch.observation("said-begin", number=2)
        course.cut = await watch.observation("speaker-silent", course.interrupted.at)
        self._say("the robot falls silent")
        over = await watch.observation("said-end", number=2)
        await watch.observation("speaker-audible", over.at)
        self._say("the robot answers again")
        await watch.phase("listening", seconds=40.0)

    async def catch_up(self) -> None:
        """Wait until observers can have heard all that was said by now."""
        now = time.monotonic()
        await self.watch.until("the stream goes on", lambda: self._listener.heard_after(now, pieces=2), 30.0)

    async def hang_up(self) -> None:
        """Press the button again, and wait for the end of the session."""
        self._say("press the button again")
        before = len(self.watch.ended)
        self._robot.do("press")
        await self.watch.until("the session's end", lambda: self.watch.ended[before:] or None)
        self._robot.do("release")
        await self.watch.phase("idle")
        self.course.ended = time.monotonic()
