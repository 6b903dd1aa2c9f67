import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import pytest

from provisioning.local.realtime.course import Course
from provisioning.local.realtime.dialogue import Dialogue, House
from provisioning.local.realtime.ears import Ears
from provisioning.local.realtime.faults import Faults
from provisioning.local.realtime.mouth import Mouth
from provisioning.local.realtime.playback import Playback
from provisioning.local.realtime.records import Records
from provisioning.local.realtime.repertoire import BuiltIn, Repertoire, Scripted
from provisioning.local.realtime.requests import carry_out
from provisioning.local.realtime.scenario import Scenario
from provisioning.local.realtime.session import Session
from provisioning.local.realtime.settings import StandInSettings
from provisioning.local.realtime.sound import FRAME, Samples
from tests.provisioning.local.realtime.reference import judge

USER = Mouth("en-us+f2", 150)


class Desk:
    """A dialogue without a network: frames go in as fast as they are made, judged events come out."""

    def __init__(self, house: House, session: Session, tasks: asyncio.TaskGroup) -> None:
        self.house, self.events = house, list[dict[str, Any]]()
        self.playback = Playback()
        self.dialogue = Dialogue(house, session, self.playback, self._take, tasks)
        self._something = asyncio.Event()

    @property
    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    async def until(self, kind: str, times: int = 1) -> dict[str, Any]:
        async with asyncio.timeout(10):
            while self.kinds.count(kind) < times:
                self._something.clear()
                await self._something.wait()
        return self.of(kind)[times - 1]

    async def say(self, text: str) -> None:
        self.hear((await USER.say(text)).samples)

    def hear(self, samples: Samples) -> None:
        for start in range(0, len(samples) - FRAME + 1, FRAME):
            self.dialogue.hear(samples[start : start + FRAME])

    def pause(self, milliseconds: int = 600) -> None:
        self.hear(np.zeros(48 * milliseconds, np.int16))

    async def ask(self, text: str) -> None:
        await self.say(text)
        self.pause()

    def request(self, message: str) -> None:
        carry_out(self.dialogue, message, self._take)

    def _take(self, event: dict[str, Any]) -> None:
        judge(event)
        self.events.append(event)
        self._something.set()


@pytest.fixture
def config() -> dict[str, Any]:
    return {"type": "realtime", "audio": {"input": {"transcription": {"model": "gpt-transcribe", "language": "en"}}}}


@pytest.fixture
def settings() -> StandInSettings:
    return StandInSettings(thinking_seconds=0.0, word_seconds=0.005)


@pytest.fixture(scope="session")
def ears() -> Iterator[Ears]:
    with Ears(BuiltIn.phrases) as made:
        yield made


@pytest.fixture
def scenario() -> Scenario | None:
    return None


class OverError(Exception):
    pass


@pytest.fixture
async def desk(
    config: dict[str, Any], settings: StandInSettings, ears: Ears, scenario: Scenario | None
) -> AsyncIterator[Desk]:
    mouth, faults = Mouth(settings.voice, settings.words_per_minute), Faults()
    repertoire: Repertoire = BuiltIn() if scenario is None else Scripted(scenario)
    house = House(settings, faults, ears, mouth, Records(), repertoire, Course(scenario, faults))
    try:
        async with asyncio.TaskGroup() as tasks:
            desk = Desk(house, Session("sess_1", 0, config), tasks)
            tasks.create_task(play(desk.playback))
            yield desk
            raise OverError  # noqa: TRY301 - the way to end a task group
    except* OverError:
        pass


async def play(playback: Playback) -> None:
    while True:
        await playback.recv()
