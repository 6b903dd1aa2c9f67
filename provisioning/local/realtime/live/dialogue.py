"""The conversation of one Live session: it hears all the time, and speaks, delegates and falls silent as it likes.

Nothing tells a client whose turn it is. What is heard and said comes as words with their place on the timeline; what the
Live model does not do itself, it gives to the model behind.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from provisioning.local.realtime import replies, sound
from provisioning.local.realtime.calling import Outcome
from provisioning.local.realtime.dialogue import House
from provisioning.local.realtime.hearing import FAINTEST_DBFS, InputBuffer
from provisioning.local.realtime.identifiers import identifier
from provisioning.local.realtime.live import messages
from provisioning.local.realtime.live.backend import LETTERS_PER_TOKEN, BackendAnswer
from provisioning.local.realtime.live.session import LiveSession
from provisioning.local.realtime.messages import Event
from provisioning.local.realtime.planning import Planner
from provisioning.local.realtime.playback import Playback
from provisioning.local.realtime.records import Called, Heard, Spoken, Written
from provisioning.local.realtime.refusals import RefusedError
from provisioning.local.realtime.repertoire import Plan
from provisioning.local.realtime.session import TurnDetection
from provisioning.local.realtime.sound import FRAME, RATE, Samples
from provisioning.local.realtime.turn_detection import Began

SILENCE_MS: Final = 500
"""After which it takes what was said as said."""

USAGE_SECONDS: Final = 5.0
"""Between two reports of what is billed."""

_HEARING: Final = TurnDetection(silence_duration_ms=SILENCE_MS)
_QUOTED: Final = re.compile(r'"([^"]+)"')


class LiveDialogue:
    """One conversation; what it says and does are tasks of the group it is given."""

    def __init__(
        self,
        house: House,
        session: LiveSession,
        playback: Playback,
        send: Callable[[Event], None],
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.session = session
        self.muted = False
        self._house, self._playback, self._send, self._tasks = house, playback, send, tasks
        self._began = time.monotonic()
        self._input, self._planner = InputBuffer(), Planner(house.repertoire)
        self._start_ms = 0
        self._speaking = asyncio.Lock()
        self._delegation = ""
        self._called: dict[str, Called] = {}
        self._written = len(session.instructions)
        """Letters that the model behind is given with each answer."""

    @property
    def seconds(self) -> float:
        """How long the session has gone on, all of which is billed."""
        return time.monotonic() - self._began

    @property
    def at_ms(self) -> int:
        """Where on its timeline the session is."""
        return round(self.seconds * 1000)

    async def reckon(self) -> None:
        """Report what is billed, now and then."""
        while True:
            await asyncio.sleep(USAGE_SECONDS)
            self._send(messages.usage_updated(self.seconds))

    def hear(self, frame: Samples) -> None:
        """Take 20 ms of the client's voice."""
        match self._input.feed(frame * (not self.muted), _HEARING):
            case Began(start_ms):
                self._start_ms = start_ms
                self._playback.cut()
            case None:
                pass
            case _:
                samples = self._input.take(self._start_ms)
                self._tasks.create_task(self._listen(samples, time.monotonic()), name="listen to it")

    def instruct(self, text: str, client_event: str | None) -> None:
        """The client tells the model what to do; a question in quotation marks is answered, anything else obeyed."""
        self._house.records.written.append(Written("developer", text))
        self._send(messages.appended("instructions", self.at_ms, client_event))
        asked = _QUOTED.search(text)
        if asked is not None:
            self._ask(asked[1])
        elif "stop speaking" in text.lower():
            self._playback.cut()
        else:
            self._planner.prompted(text)
            self._tasks.create_task(self._respond(None), name="respond")

    def inform(self, what: str, text: str, client_event: str | None) -> None:
        """The client tells the model something, to be spoken of (`commentary`) or not (`thinking`)."""
        self._house.records.written.append(Written(what, text))
        self._written += len(text)
        self._send(messages.appended(what, self.at_ms, client_event))
        if what == "commentary":
            self._tasks.create_task(self._speak(text), name="speak")

    def mute(self, client_event: str | None, *, muted: bool) -> None:
        """The client's voice counts no longer, or again."""
        self.muted = muted
        self._send(messages.muted(client_event, muted=muted))

    def take_outcome(self, call_id: str, output: str) -> None:
        """The client tells what came of a call.

        Raises:
            RefusedError: there was no such call.
        """
        called = self._called.get(call_id)
        if called is None:
            raise RefusedError(
                400, "invalid_tool_call_id", f"No tool call found for call_id '{call_id}'.", param="item"
            )
        called.output = output
        self._planner.outcome(Outcome(called.name, output))

    def go_on(self) -> None:
        """The client lets the model behind go on.

        Raises:
            RefusedError: it still waits for outcomes, or there is none.
        """
        if not self.session.backend_model:
            raise RefusedError(400, "invalid_value", "response.create requires Responses delegation.", param="type")
        if any(called.output is None for called in self._called.values()):
            raise RefusedError(400, "missing_tool_output", "No tool output found for function call.", param="item")
        self._tasks.create_task(self._tell(), name="tell")

    def _ask(self, question: str) -> None:
        self._planner.asked()
        self._house.course.heard(question)
        self._tasks.create_task(self._respond(question), name="respond")

    async def _listen(self, samples: Samples, end: float) -> None:
        level, seconds = sound.level(samples), len(samples) / RATE
        if level <= FAINTEST_DBFS:
            return
        phrase = await self._house.ears.recognise(samples)
        text = replies.sentence(phrase) if phrase else replies.SPEECH
        self._house.records.heard.append(Heard(text, end - seconds, end, level, end - sound.quiet_after(samples)))
        start_ms = round((end - seconds - self._began) * 1000)
        self._transcribe("input", text, max(0, start_ms), seconds)
        self._ask(text)

    def _transcribe(self, whose: str, text: str, start_ms: int, seconds: float) -> None:
        """Tell words that have been said already."""
        for piece, begin, end in _timed(text, seconds):
            self._send(messages.words(whose, piece, start_ms + begin, start_ms + end))

    async def _respond(self, question: str | None) -> None:
        await asyncio.sleep(self._house.settings.thinking_seconds)
        session = self.session
        plan = self._planner.next(question, session.tools, session.language, datetime.now().astimezone())
        await asyncio.sleep(plan.wait)
        if plan.words:
            await self._speak(plan.words)
        if plan.calls:
            self._delegate(plan)

    def _delegate(self, plan: Plan) -> None:
        """Give the calls to the model behind, and wait for `go_on`."""
        answer = BackendAnswer(self.session.backend_model, self._written // LETTERS_PER_TOKEN, time.time())
        self._delegation = identifier("del")
        self._send(messages.delegation_created(self._delegation, answer.id, self.at_ms))
        self._tell_of(answer.begin())
        if self._house.faults.responses:
            self._tell_of(answer.fail(self._house.faults.responses))
            return
        for call in plan.calls:
            call_id, event = answer.call(call)
            self._called[call_id] = Called(call.name, call.text)
            self._house.records.called.append(self._called[call_id])
            self._tell_of(event)
        self._tell_of(answer.complete())

    async def _tell(self) -> None:
        """Let the model behind write about the outcomes, and say it."""
        session = self.session
        plan = self._planner.next(None, session.tools, session.language, datetime.now().astimezone())
        answer = BackendAnswer(session.backend_model, self._written // LETTERS_PER_TOKEN, time.time())
        for event in (answer.begin(), answer.say(plan.words), answer.complete()):
            self._tell_of(event)
        await self._speak(plan.words)

    def _tell_of(self, event: dict[str, object]) -> None:
        self._send(messages.of_backend(event, self._delegation or None))

    async def _speak(self, text: str) -> None:
        """Say it, one thing after the other; the words come with their sound."""
        async with self._speaking:
            utterance = await self._house.mouth.say(text)
            ended = self._playback.play(utterance)
            start_ms = self.at_ms
            spoken = Spoken(text, utterance.samples, self._playback.due)
            self._house.records.spoken.append(spoken)
            self._written += len(text)
            for piece, begin, end in _timed(text, utterance.seconds):
                await asyncio.wait({ended}, timeout=self._until(start_ms + begin))
                if ended.done() and not ended.result():
                    break
                self._send(messages.words("output", piece, start_ms + begin, start_ms + end))
            await ended
            spoken.played_ms = min(self.at_ms - start_ms, round(len(utterance.samples) / FRAME * 20))
            self._send(messages.usage_updated(self.seconds))

    def _until(self, at_ms: int) -> float:
        return max(0.0, at_ms / 1000 - self.seconds)


def _timed(text: str, seconds: float) -> Iterable[tuple[str, int, int]]:
    """Yield the words of what is said in so many seconds, each with the milliseconds at which it begins and ends."""
    said, whole = 0, max(1, len(text))
    for piece in replies.pieces(text):
        begin, said = said, said + len(piece)
        yield piece, round(1000 * seconds * begin / whole), round(1000 * seconds * said / whole)
