"""The courses that one session of the day may take; each begins and ends at rest, unless something is wrong."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from device.messages.commands import Verb
from provisioning.local.demo.watch import DemoError
from provisioning.local.realtime import EventFault, HttpFault
from tests.day.scene import Scene

QUESTION: Final = "what can you do"
STORY: Final = "tell me a story"

Play = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Course:
    """One course, how often it comes in a hundred, and whether it is over within about a second."""

    play: Play
    often: int
    quick: bool = False

    @property
    def name(self) -> str:
        """What it is called in the report."""
        return self.play.__name__


async def short_talk(scene: Scene) -> None:
    await scene.begin()
    await scene.end()


async def question(scene: Scene) -> None:
    await scene.begin()
    await scene.ask(QUESTION)
    await scene.stage.watch.phase("speaking")
    await scene.hesitate(1.0)
    await scene.end()


async def interruption(scene: Scene) -> None:
    await scene.begin()
    await scene.ask(STORY)
    spoke = await scene.stage.watch.until("an answer", lambda: scene.stage.watch.find("said-end"))
    await scene.stage.watch.phase("speaking")
    await scene.hesitate(1.0)
    await scene.ask("what time is it")
    await scene.stage.watch.observation("speaker-silent", spoke.at)
    await scene.end()


async def changed_mind(scene: Scene) -> None:
    await scene.press()
    await scene.hesitate(0.6)
    await scene.press()
    await scene.rest()


async def many_presses(scene: Scene) -> None:
    for _ in range(scene.chance.randint(2, 5)):
        await scene.press()
        await scene.hesitate(0.4)
    with suppress(DemoError):
        await scene.rest(seconds=3)
        return
    await scene.end()


async def from_afar(scene: Scene) -> None:
    await scene.order(Verb.START)
    await scene.hesitate(0.5)
    await scene.order(Verb.STOP)
    await scene.rest()


async def operator_at_work(scene: Scene) -> None:
    await scene.begin()
    await scene.use("mute")
    await scene.use("broadcast", on=False)
    await scene.use("unmute")
    await scene.use("broadcast", on=True)
    await scene.use("say", text="We close at five.")
    await scene.end()


async def tool_by_voice(scene: Scene) -> None:
    await scene.begin()
    await scene.quiet()
    for _ in range(3):  # who is not understood says it again
        await scene.ask("turn the volume down")
        await scene.stage.watch.phase("speaking")
        if scene.openai.called:
            break
        await scene.stage.watch.phase("listening")
    assert [call.output for call in scene.openai.called] == ['{"ok":true,"result":{"percent":80}}']
    await scene.end()


async def goodbye(scene: Scene) -> None:
    await scene.begin()
    await scene.quiet()
    await scene.ask("goodbye")
    await scene.rest()


async def refused_secret(scene: Scene) -> None:
    kinds = set(HttpFault) - {HttpFault.SLOW, HttpFault.CHUNKED, HttpFault.MALFORMED_SDP, HttpFault.JSON_FOR_SDP}
    scene.openai.faults.secrets = scene.chance.choice(sorted(kinds))
    await scene.start()
    await scene.stage.watch.phase("fault")


async def refused_call(scene: Scene) -> None:
    scene.openai.faults.calls = scene.chance.choice(sorted(set(HttpFault) - {HttpFault.SLOW, HttpFault.CHUNKED}))
    await scene.start()
    await scene.stage.watch.phase("fault")


async def chunks(scene: Scene) -> None:
    scene.openai.faults.secrets = scene.openai.faults.calls = HttpFault.CHUNKED
    await short_talk(scene)


async def slow_service(scene: Scene) -> None:
    scene.openai.faults.secrets = HttpFault.SLOW
    await scene.press()
    await scene.hesitate(2.0)
    await scene.press()
    await scene.rest()


async def events_gone(scene: Scene) -> None:
    scene.openai.faults.events = scene.chance.choice(list(EventFault))
    await scene.start()
    await scene.stage.watch.phase("fault", seconds=30)


async def failing_answers(scene: Scene) -> None:
    scene.openai.faults.responses = scene.chance.choice(["insufficient_quota", "rate_limit_exceeded", "server_error"])
    await scene.begin()
    await scene.ask(QUESTION)
    await scene.stage.watch.until("the failure", lambda: scene.stage.watch.faults or None)
    await scene.end()


async def lost_transcripts(scene: Scene) -> None:
    scene.openai.faults.transcriptions = True
    await question(scene)


async def poor_network(scene: Scene) -> None:
    scene.openai.faults.loss = scene.chance.uniform(0.05, 0.3)
    await scene.start()
    if await scene.stage.watch.phase("listening", "fault", seconds=30) == "fault":
        return  # the handshake did not get through in time
    await scene.ask(QUESTION)
    if await scene.stage.watch.phase("speaking", "fault", "idle", seconds=30) == "speaking":
        await scene.end()


async def blocked_network(scene: Scene) -> None:
    scene.openai.faults.loss = 1.0
    await scene.start()
    await scene.stage.watch.phase("fault", seconds=30)


async def network_vanishes(scene: Scene) -> None:
    await scene.begin()
    await scene.ask(STORY)
    await scene.stage.watch.phase("speaking")
    scene.openai.faults.loss = 1.0
    await scene.rest(seconds=60)


async def hung_up(scene: Scene) -> None:
    await scene.begin()
    for call in list(scene.openai.calls.values()):
        call.hang_up()
    await scene.rest()


async def expired(scene: Scene) -> None:
    scene.openai.faults.session_seconds = scene.chance.uniform(0.5, 3.0)
    await scene.begin()
    await scene.rest()


async def nobody_speaks(scene: Scene) -> None:
    await scene.begin()
    await scene.rest(seconds=60)


async def too_long(scene: Scene) -> None:
    await scene.begin()
    for _ in range(2):
        await scene.ask(STORY)
        await scene.stage.watch.phase("speaking")
        with suppress(DemoError):
            await scene.stage.watch.phase("listening", seconds=8)
    await scene.rest(seconds=60)


async def no_broadcast(scene: Scene) -> None:
    scene.imageflux.faults.api_status = scene.chance.choice([429, 500, 503])
    await short_talk(scene)


async def slow_broadcast(scene: Scene) -> None:
    scene.imageflux.faults.slow_seconds = scene.chance.uniform(0.2, 1.5)
    await scene.begin()
    await scene.hesitate(1.0)
    await scene.end()


async def refused_broadcast(scene: Scene) -> None:
    scene.imageflux.faults.refuse_connect = True
    await scene.begin()
    await scene.hesitate(1.0)
    await scene.end()


async def broadcast_falls(scene: Scene) -> None:
    await scene.begin()
    await scene.on_air()
    scene.imageflux.drop()
    await scene.hesitate(2.0)
    await scene.end()


async def broker_stalls(scene: Scene) -> None:
    child = scene.stage.local.cloud.child
    assert child is not None
    os.kill(child.pid, signal.SIGSTOP)
    try:
        await scene.press()
        await scene.hesitate(2.0)
    finally:
        os.kill(child.pid, signal.SIGCONT)
    await scene.stage.watch.phase("listening", seconds=30)
    await scene.end()


COURSES: Final = (
    Course(short_talk, 8, quick=True),
    Course(question, 14),
    Course(interruption, 8),
    Course(changed_mind, 8, quick=True),
    Course(many_presses, 4),
    Course(from_afar, 4),
    Course(operator_at_work, 3),
    Course(tool_by_voice, 3),
    Course(goodbye, 3),
    Course(refused_secret, 5, quick=True),
    Course(refused_call, 5, quick=True),
    Course(chunks, 2, quick=True),
    Course(slow_service, 3),
    Course(events_gone, 1),
    Course(failing_answers, 3),
    Course(lost_transcripts, 2),
    Course(poor_network, 4),
    Course(blocked_network, 1),
    Course(network_vanishes, 2),
    Course(hung_up, 4, quick=True),
    Course(expired, 3),
    Course(nobody_speaks, 1),
    Course(too_long, 1),
    Course(no_broadcast, 3, quick=True),
    Course(slow_broadcast, 2),
    Course(refused_broadcast, 2),
    Course(broadcast_falls, 2),
    Course(broker_stalls, 1),
)


def drawn(chance: random.Random, *, quick: bool) -> Course:
    """Draw a course, each as often as it comes."""
    among = [course for course in COURSES if course.quick or not quick]
    return chance.choices(among, [course.often for course in among])[0]
