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
        self._robot = robot
        self._watch = watch
        self._listener = listener
        self._say = say
        self.course = Course()

    async def play(self, question: Utterance, interruption: Utterance) -> None:
        """Play it to its end.

        Raises:
            DemoError: a step did not lead to the next one in time.
        """
        await self._watch.phase("idle", seconds=60.0)
        await self._press()
        async with asyncio.TaskGroup() as tasks:
            following = tasks.create_task(self._follow(), name="observer")
            try:
                await self._converse(question, interruption)
                await self._catch_up()
                await self._hang_up()
            except BaseException:
                following.cancel()
                raise

    async def _press(self) -> None:
        self._say("press the button")
        before = time.monotonic()
        self._robot.do("press")
        pressed = await self._watch.observation("pressed", before)
        self.course.pressed = pressed.at
        self.course.light = await self._watch.until("the light", lambda: self._lit(pressed.at))
        self.course.earcon = await self._watch.observation("speaker-audible", pressed.at)
        self._robot.do("release")
        await self._watch.phase("listening", seconds=40.0)
        self._say("listening")

    def _lit(self, after: float) -> Observation | None:
        lit = (seen for seen in self._watch.seen if seen.what == "light" and seen.at >= after)
        return next((seen for seen in lit if seen.detail["brightness"] > 0), None)

    async def _follow(self) -> None:
        url = await self._watch.until("the stream", lambda: self._watch.playlist or None, 30.0)
        self._say(f"on air: {url}")
        await self._listener.follow(url)

    async def _converse(self, question: Utterance, interruption: Utterance) -> None:
        course, watch = self.course, self._watch
        await watch.until("the stream", lambda: self._listener.pieces or None, 30.0)
        self._say(f"the visitor asks: {question.text}")
        self._robot.do("say", path=str(question.path))
        course.asked = await watch.observation("said-begin", number=1)
        course.question_over = await watch.observation("said-end", number=1)
        await watch.phase("speaking")
        course.answered = await watch.observation("speaker-audible", course.question_over.at)
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

    async def _catch_up(self) -> None:
        """Wait until observers can have heard all that was said by now."""
        now = time.monotonic()
        await self._watch.until("the stream goes on", lambda: self._listener.heard_after(now, pieces=2), 30.0)

    async def _hang_up(self) -> None:
        self._say("press the button again")
        self._robot.do("press")
        await self._watch.until("the session's end", lambda: self._watch.ended or None)
        self._robot.do("release")
        await self._watch.phase("idle")
        self.course.ended = time.monotonic()
