"""The demonstration: a local cloud, one robot, and either the scripted conversation or a person at the keyboard."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import numpy as np

from device.messages.commands import Verb
from device.messages.reports import Caption, Speaker
from provisioning.app import DEFAULT_OPERATOR
from provisioning.commands import new_command, order
from provisioning.link import connection
from provisioning.local.cloud import Choices, LocalCloud, local_cloud
from provisioning.local.demo.evidence import RATE, Samples
from provisioning.local.demo.judge import Evidence, judge
from provisioning.local.demo.listener import Listener
from provisioning.local.demo.robot import Robot, enrol
from provisioning.local.demo.script import SPEAK_BEFORE_BARGE_IN, Course, Script, Utterance
from provisioning.local.demo.summary import CaptionLine, Summary
from provisioning.local.demo.visitor import INTERRUPTION, QUESTION, QUESTIONS, utterances
from provisioning.local.demo.walkthrough import Walkthrough
from provisioning.local.demo.walkthrough import facts as of_turns
from provisioning.local.demo.watch import DemoError, Observation, Watch
from provisioning.local.realtime.scenario import Phrase, Scenario

DEVICE: Final = "demo"
"""Id of the demonstration's robot."""


_OFFERS: Final = '[realtime]\nexchange = "cloud"\n'
"""Settings of a robot for which the cloud opens calls."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything a performance needs."""

    local: LocalCloud
    robot: Robot
    watch: Watch
    folder: Path
    sayings: dict[str, Utterance]
    """What the visitor can ask, in the order of the keys that ask it."""
    scenario: Scenario | None = None
    """What the stand-in for OpenAI plays."""

    @property
    def page_url(self) -> str:
        """Where observers watch the robot."""
        return f"{self.local.cloud.web_url}/r/{DEVICE}"

    def stood_in(self) -> list[str]:
        """Name what took the place of real hardware or services."""
        body = self.watch.find("body")
        return [*(body.detail["stood_in"] if body else ()), *self.local.stood_in]


@asynccontextmanager
async def staged(
    folder: Path, choices: Choices, card: str, say: Callable[[str], None], more: str = "", panel: str = ""
) -> AsyncIterator[Stage]:
    """Bring up cloud and robot, enrolled and connected; `more` is added to the robot's settings, `panel` to its `[panel]`.

    Raises:
        KaiwaError: something cannot be started.
    """
    watch = Watch()
    say("starting the local cloud")
    async with local_cloud(folder / "cloud", choices, os.environ, [watch]) as local:
        config = _robot_config(folder, card, more + (_OFFERS if choices.opening != "secret" else ""), panel)
        say("enrolling the robot with a one-time claim")
        await enrol(config, await local.cloud.claim(device=DEVICE))
        sayings = await utterances(folder, _questions(choices), choices.scenario.language if choices.scenario else "en")
        async with Robot(config, folder / "robot.log", watch.on_observed, watch.on_gone) as robot:
            yield Stage(local, robot, watch, folder, sayings, choices.scenario)


def _questions(choices: Choices) -> Sequence[Phrase]:
    """Return what the visitor can ask: the first phrase of each turn of a scenario."""
    if choices.scenario is None:
        return QUESTIONS
    return [turn.phrases[0] for turn in choices.scenario.turns]


def _robot_config(folder: Path, card: str, more: str, panel: str) -> Path:
    path = folder / "device.toml"
    path.write_text(
        f'state_dir = "{folder / "robot"}"\n'
        "[panel]\n"
        f'factory = "auto"\n{panel}'
        "[sound]\n"
        f'card = "{card}"\n'
        "[sound.room]\n"
        f'loudspeaker_wav = "{folder / "loudspeaker.wav"}"\n'
        f'microphone_wav = "{folder / "microphone.wav"}"\n'
        "[report]\n"
        "metrics_seconds = 0.2\n"
        "heartbeat_seconds = 0.5\n" + more,
        encoding="utf-8",
    )
    return path


async def perform_once(stage: Stage, say: Callable[[str], None]) -> Summary:
    """Play the scripted conversation, or the scenario's, and judge it; a step that fails ends it and is named in the summary."""
    began = time.monotonic()
    summary = Summary(page_url=stage.page_url)
    async with aiohttp.ClientSession() as http:
        listener = Listener(http, stage.watch.nudge)
        script = Script(stage.robot, stage.watch, listener, say)
        walkthrough = _walkthrough(stage, script, say)
        facts: dict[str, bool] = {}
        try:
            if walkthrough is None:
                await script.play(stage.sayings[QUESTION], stage.sayings[INTERRUPTION])
            else:
                await walkthrough.play()
            facts["the page is served"] = await _served(http, stage.page_url)
        except* DemoError as errors:
            facts |= {str(error): False for error in errors.exceptions}
    code = await stage.robot.stop()
    facts["the robot gave everything back and ended well"] = code == 0
    _fill(summary, stage, script.course, began)
    facts |= _facts(stage, summary)
    if walkthrough is not None:
        summary.turns = walkthrough.turns
        facts |= of_turns(walkthrough.scenario, walkthrough.turns)
    return judge(summary, _evidence(stage, script.course, listener, facts))


def _walkthrough(stage: Stage, script: Script, say: Callable[[str], None]) -> Walkthrough | None:
    if stage.scenario is None or stage.local.openai is None:
        return None
    return Walkthrough(script, stage.scenario, stage.sayings, stage.local.openai, say)


async def _served(http: aiohttp.ClientSession, url: str) -> bool:
    async with http.get(url) as response:
        return response.status == 200 and "Kaiwa" in await response.text()


def _fill(summary: Summary, stage: Stage, course: Course, began: float) -> None:
    pressed = Observation("pressed", course.pressed) if course.pressed else None
    listening = stage.watch.marks.get("listening")
    summary.press_to_light_ms = _ms(pressed, course.light)
    summary.press_to_earcon_ms = _ms(pressed, course.earcon)
    summary.press_to_listening_ms = _ms(pressed, None if listening is None else Observation("listening", listening))
    summary.question_end_to_answer_ms = _ms(course.question_over, course.answered)
    summary.barge_in_to_silence_ms = _ms(course.interrupted, course.cut)
    summary.heard = stage.local.openai.heard[0].text if stage.local.openai and stage.local.openai.heard else ""
    summary.hls_url = stage.watch.playlist
    summary.captions = _captions(list(stage.watch.captions.values()))
    summary.stood_in = stage.stood_in()
    summary.seconds = time.monotonic() - began


def _ms(start: Observation | None, end: Observation | None) -> float | None:
    return None if start is None or end is None else 1000 * (end.at - start.at)


def _captions(captions: list[Caption]) -> list[CaptionLine]:
    captions = sorted(captions, key=lambda caption: caption.start)
    first = captions[0].start if captions else 0.0
    return [CaptionLine(c.speaker, c.text, c.start - first, c.end - first) for c in captions]


def _facts(stage: Stage, summary: Summary) -> dict[str, bool]:
    speakers = {line.speaker for line in summary.captions}
    facts = {
        "the light came on within 100 ms of the press": (summary.press_to_light_ms or 1e9) <= 100.0,
        "the grant came sealed over MQTT and the call came up": summary.press_to_listening_ms is not None,
        "both sides have captions": {Speaker.USER, Speaker.ASSISTANT} <= speakers,
    }
    if stage.local.openai is not None and stage.scenario is None:
        facts["the stand-in understood the question"] = summary.heard.rstrip(".?") == QUESTION.rstrip(".?")
    return facts


def _evidence(stage: Stage, course: Course, listener: Listener, facts: dict[str, bool]) -> Evidence:
    question = QUESTION if stage.scenario is None else next(iter(stage.sayings))
    return Evidence(
        question=stage.sayings[question].samples,
        question_spoken_at=course.asked.at if course.asked else None,
        answer=_answer(stage),
        pieces=listener.pieces,
        recording=listener.recording,
        facts=facts,
        interrupted=stage.scenario is None,
    )


def _answer(stage: Stage) -> Samples:
    """Return the part of the first answer that was played before it was interrupted, as the stand-in spoke it."""
    if stage.local.openai is None or not stage.local.openai.spoken:
        return np.zeros(0, np.int16)
    return stage.local.openai.spoken[0].samples[: int(SPEAK_BEFORE_BARGE_IN * RATE)]


async def remote(stage: Stage, verb: Verb, say: Callable[[str], None], args: dict[str, Any] | None = None) -> None:
    """Order the robot about as an operator would, and tell of every step."""
    cloud = stage.local.cloud
    files, signer = cloud.authority.operator(DEFAULT_OPERATOR, time.time())
    tls = cloud.authority.client_context(files)
    command = new_command(DEVICE, verb, signer.kid, time.time(), args)
    async with connection(cloud.broker, f"operator-{DEFAULT_OPERATOR}", tls) as client:
        async for status in order(client, signer, command):
            say(f"{verb}: {status.step} {status.reason}".rstrip())
