"""A scenario from its first turn to its last: the visitor asks each in turn, and what must come of it is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from device.messages.reports import Speaker
from provisioning.local.demo.script import Script, Utterance
from provisioning.local.demo.summary import TurnLine
from provisioning.local.realtime.records import Called, Heard
from provisioning.local.realtime.scenario import Scenario, Turn

ANSWER_SECONDS: Final = 60.0
"""How long an answer may take from its question to its last word; the longest that ships takes 30 s."""

PARTING: Final = "end_conversation"
"""The tool after which the conversation ends."""

MUTING: Final = "mute"
"""The tool after which a press is needed, or nobody is heard any more."""


class Partner(Protocol):
    """The stand-in, as far as it tells what it heard and called."""

    @property
    def heard(self) -> list[Heard]:
        """What was said to it."""

    @property
    def called(self) -> list[Called]:
        """What it has asked of tools."""


@dataclass(slots=True)
class Walkthrough:
    """Plays a scenario with a visitor, a robot and the stand-in that has the scenario; its `day` is left out.

    A turn that ends the conversation is followed by a press of the button, if there is another.
    """

    script: Script
    scenario: Scenario
    sayings: Mapping[str, Utterance]
    partner: Partner
    say: Callable[[str], None]
    turns: list[TurnLine] = field(default_factory=list)
    """What became of each turn so far."""

    async def play(self) -> None:
        """Play it to its end.

        Raises:
            DemoError: a turn did not lead to what it must in time.
        """
        watch = self.script.watch
        await watch.phase("idle", seconds=60.0)
        await self.script.press()
        async with asyncio.TaskGroup() as tasks:
            following = tasks.create_task(self.script.follow(), name="observer")
            try:
                await self.script.streaming()
                for number, turn in enumerate(self.scenario.turns, start=1):
                    await self._again()
                    await self._turn(number, turn)
                    if number == 1 and self._live:  # what observers heard of it is judged
                        await self.script.catch_up()
                if self._live:
                    await self.script.hang_up()
            finally:
                following.cancel()

    @property
    def _live(self) -> bool:
        state = self.script.watch.state
        return state is not None and bool(state.session)

    async def _again(self) -> None:
        """Begin another conversation where the turn before has ended it."""
        if not self._live:
            await self.script.watch.phase("idle", "fault")
            await self.script.press()

    async def _turn(self, number: int, turn: Turn) -> None:
        watch, partner = self.script.watch, self.partner
        asked = turn.phrases[0]
        heard, called, answers, faults = len(partner.heard), len(partner.called), self._answers(), len(watch.faults)
        line = TurnLine(asked=asked.written)
        self.turns.append(line)
        self.say(f"the visitor says: {asked.written}")
        over = await self.script.ask(self.sayings[asked.written], number)
        understood = await watch.until("the stand-in hears it", lambda: partner.heard[heard:] or None)
        line.heard = understood[0].text
        if turn.faults is not None and turn.faults.responses:
            await self._fails(turn.faults.responses, faults)
        else:
            if number == 1:
                self.script.course.answered = await watch.observation("speaker-audible", over.at)
            await self._answered(turn, answers, called)
        line.called = [call.name for call in partner.called[called:]]
        line.said = self._said()[answers:]
        for words in line.said:
            self.say(f"the robot says: {words}")
        await self._settled(line.called)

    async def _answered(self, turn: Turn, answers: int, called: int) -> None:
        def whole() -> bool | None:
            return self._answers() - answers >= expected(turn, self.partner.called[called:]) or None

        asked = turn.phrases[0].written
        await self.script.watch.until(f"the answer to {asked!r}", whole, ANSWER_SECONDS + turn.wait)

    async def _fails(self, code: str, before: int) -> None:
        watch = self.script.watch
        await watch.until(
            f"the answer fails ({code})", lambda: any(f.fault == code for f in watch.faults[before:]) or None
        )

    async def _settled(self, called: list[str]) -> None:
        """Wait until the visitor may speak again, or the conversation is over."""
        watch = self.script.watch
        if PARTING in called:
            await watch.phase("idle")
        elif MUTING in called:
            await watch.until("the microphone closes", lambda: (watch.state and watch.state.muted) or None)
            await self.script.tap()
            await watch.until("the microphone opens", lambda: (watch.state and not watch.state.muted) or None)
        await watch.phase("listening", "idle", "fault", seconds=40.0)
        await self.script.quiet()

    def _said(self) -> list[str]:
        """Return what the robot has said to its end, oldest first."""
        captions = sorted(self.script.watch.captions.values(), key=lambda caption: caption.start)
        return [c.text for c in captions if c.speaker is Speaker.ASSISTANT and c.final]

    def _answers(self) -> int:
        return len(self._said())


def facts(scenario: Scenario, played: Sequence[TurnLine]) -> dict[str, bool]:
    """Return what must be true of the turns that were `played`, in words, and whether it is."""
    found: dict[str, bool] = {"the scenario was played to its end": len(played) == len(scenario.turns)}
    for turn, line in zip(scenario.turns, played, strict=False):
        found[f"{line.asked!r} was understood"] = scenario.turn(line.heard) is turn
        for call in turn.calls:
            found[f"{line.asked!r} called {call.tool}"] = call.tool in line.called
    return found


def expected(turn: Turn, called: list[Called]) -> int:
    """Return how many things the robot says in a turn: before its calls, and of their outcome unless it has said goodbye."""
    if not called:
        return 1
    parting = any(call.name == PARTING for call in called)
    return 1 if parting or not turn.say else 2
