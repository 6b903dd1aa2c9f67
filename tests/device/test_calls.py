"""One call after another over real sockets, with real sound: what the visitor hears of it, and what observers do."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import aiohttp
import numpy as np
import pytest

from device import phase as p
from device.audio.block import BLOCK, BLOCK_SECONDS, SILENCE, Block, Samples
from device.audio.echo import NoEchoControl
from device.broadcast.air import Air
from device.calls import Calls, Hooks
from device.clock import WallClock
from device.console import Console
from device.equipment import Equipment
from device.errors import MintError
from device.messages.enrolment import BrokerAddress
from device.messages.envelope import KeySigner
from device.messages.minting import Grant, Refusal
from device.messages.reports import CallAnswered, CallLeft, Levels, decode_event
from device.mint import MintClient
from device.mqtt import Broker, Presence
from device.outlet import Outlet
from device.realtime.conversation import CLOSED_BY_SERVICE
from device.realtime.endpoint import Endpoint
from device.realtime.events import conversation_item_create, response_create
from device.realtime.settings import RealtimeSettings
from device.sora.settings import BroadcastSettings
from device.tools.built_in import BuiltIn
from device.tools.toolbox import Toolbox
from device.voice import VoicePath
from provisioning.local.realtime import HttpFault, RealtimeStandIn, StandInSettings
from tests.device.audio.speaker import RingSpeaker
from tests.device.realtime.handset import VOICE, likeness, mint
from tests.device.test_mint import DEVICE_KEY, find
from tests.device.tools.reach import Body, reach

SESSION = "ab" * 16
QUICK = StandInSettings(words_per_minute=450, thinking_seconds=0.0, word_seconds=0.0)
GAP_MS = 200
"""The longest silence that observers may hear where one call takes over from another."""

STORY_WANTED = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Tell me a story."}]}

E = TypeVar("E", bound=p.Event)


@dataclass
class Programme:
    """What observers are sent."""

    blocks: list[Samples] = field(default_factory=list)

    def push(self, samples: Samples) -> None:
        self.blocks.append(samples.copy())

    def counters(self) -> dict[str, float]:
        return {}

    def longest_gap_ms(self) -> float:
        """Return the longest silence; the room is never quite silent."""
        longest = run = 0
        for block in self.blocks:
            run = 0 if block.any() else run + 1
            longest = max(longest, run)
        return longest * BLOCK_SECONDS * 1000


class LostError(Exception):
    """The first call was never up."""


class Room:
    """A voice path whose room hums softly, 20 ms at a time by the clock of the event loop; somebody may speak in it."""

    def __init__(self) -> None:
        self.speaker = RingSpeaker()
        self.voice = VoicePath(NoEchoControl(), self.speaker)
        self.programme = Programme()
        self.played: list[Samples] = []
        self._words: deque[Samples] = deque()
        self._hum = np.random.default_rng(1).integers(-6, 7, BLOCK).astype(np.int16) | 1
        self._tick: asyncio.TimerHandle | None = None
        self._ticked = asyncio.Event()

    def begin(self) -> None:
        loop = asyncio.get_running_loop()
        self._tick = loop.call_at(loop.time(), self._block, loop.time())

    def end(self) -> None:
        if self._tick is not None:
            self._tick.cancel()

    async def say(self, text: str) -> None:
        self._words.extend((await VOICE.say(text)).samples.reshape(-1, BLOCK))

    async def blocks(self, count: int) -> None:
        """Wait for so many blocks."""
        for _ in range(count):
            self._ticked.clear()
            await self._ticked.wait()

    def heard(self) -> Samples:
        return np.concatenate([SILENCE, *self.played])

    def _block(self, due: float) -> None:
        played = self.speaker.take(BLOCK)
        self.played.append(played)
        said = self._words.popleft() if self._words else SILENCE
        while self.speaker.queued < BLOCK:
            self.voice.feed()
        self.voice.on_block(Block(said + self._hum, played, due))
        self._ticked.set()
        self._tick = asyncio.get_running_loop().call_at(due + BLOCK_SECONDS, self._block, due + BLOCK_SECONDS)


@dataclass
class Bench:
    """The calls of one session, and all around them; nobody answers at the broker."""

    room: Room
    calls: Calls
    service: RealtimeStandIn
    posted: asyncio.Queue[p.Event]
    broker: Broker
    refused: MintError | None = None

    async def until(self, kind: type[E], *matching: object) -> E:
        """Wait for the next event of a kind, equal to `matching` if that is given, and let all others by."""
        async with asyncio.timeout(10):
            while True:
                event = await self.posted.get()
                if isinstance(event, kind) and (not matching or event in matching):
                    return event

    async def asked(self, text: str) -> None:
        """Ask aloud, and wait until the answer was heard."""
        await self.room.say(text)
        await self.until(p.Spoken)
        await self.room.blocks(8)

    def told(self) -> list[CallAnswered | CallLeft]:
        """What the cloud is told of calls."""
        events = [decode_event(message.payload) for message in self.broker._outbox]
        return [event for event in events if isinstance(event, CallAnswered | CallLeft)]

    async def only(self, call_id: str) -> None:
        """Wait until the service has this call and no other."""
        async with asyncio.timeout(5):
            while list(self.service.calls) != [call_id]:
                await self.room.blocks(1)


@asynccontextmanager
async def bench(
    settings: RealtimeSettings | None = None, *, meeting: HttpFault | None = None, refused: MintError | None = None
) -> AsyncIterator[Bench]:
    """Begin a session; what its first offer is met with is over when another secret is asked for."""
    async with RealtimeStandIn(QUICK) as service, aiohttp.ClientSession() as http, asyncio.TaskGroup() as tasks:
        room, clock, held = Room(), WallClock(), list[asyncio.Task[None]]()
        broker = Broker(Presence(BrokerAddress(host="127.0.0.1", port=1), "r", ssl.create_default_context(), "w", b""))
        built_in, outlet = BuiltIn(reach(Body())), Outlet("robot", broker, clock)
        own = Equipment(
            room.voice,
            MintClient("robot", KeySigner("robot", DEVICE_KEY), find, clock),
            broker,
            outlet,
            http,
            settings or RealtimeSettings(),
            BroadcastSettings(),
            Toolbox(built_in.tools()),
            built_in,
            Air(room.voice, outlet, 0.0, lambda _levels: None),
            Console(outlet, Levels),
        )

        async def again(offer: str) -> Grant:
            assert offer == ""
            if meeting is not None:
                service.faults.calls = None
            if made.refused is not None:
                raise made.refused
            return Grant(session=SESSION, openai=await mint(service, http))

        def start(name: str, work: Coroutine[None, None, None]) -> None:
            held.append(tasks.create_task(work, name=name))

        posted: asyncio.Queue[p.Event] = asyncio.Queue()
        hooks = Hooks(posted.put_nowait, start, again, lambda _: None)
        calls = Calls(await again_first(service, http), own, hooks, Endpoint(own.call))
        made = Bench(room, calls, service, posted, broker, refused)
        room.begin()
        service.faults.calls = meeting
        made.calls.open()
        first = await posted.get()
        if isinstance(first, p.CallLost):
            room.end()
            raise LostError(first.text)
        assert isinstance(first, p.CallUp)
        room.voice.programme = room.programme
        try:
            yield made
        finally:
            for task in held:
                task.cancel()
            await asyncio.wait(held)
            made.calls.close()
            room.end()
            assert (room.voice.uplink, room.voice.source, room.voice.spare) == (None, None, None)


async def again_first(service: RealtimeStandIn, http: aiohttp.ClientSession) -> Grant:
    return Grant(session=SESSION, openai=await mint(service, http))


async def test_nothing_is_lost_where_a_call_takes_over_in_a_pause() -> None:
    async with bench() as ready:
        first = ready.calls.current
        await ready.asked("how are you")
        ready.calls.renew(1)
        assert await ready.until(p.SpareReady) == p.SpareReady(SESSION, 1)
        assert [(line.role, line.text) for line in ready.service.written] == [
            ("user", "How are you?"),
            ("assistant", "Very well, thank you."),
        ]
        await ready.room.say("thank you")
        await ready.room.blocks(12)  # in the middle of a word, before the first call could have noticed
        ready.calls.switch(1)
        assert ready.calls.current not in {None, first}
        await ready.until(p.Spoken, p.Spoken(SESSION, 1))
        await ready.room.blocks(30)  # of the speaker's ring, the jitter buffer and the network

        assert [heard.text for heard in ready.service.heard] == ["How are you?", "Thank you."]
        sound = ready.room.heard()
        assert [likeness(spoken.samples, sound) > 0.8 for spoken in ready.service.spoken] == [True, True]
        assert ready.room.programme.longest_gap_ms() <= GAP_MS
        assert ready.calls.usage["responses"] == 2
        assert first is not None
        assert ready.calls.current is not None
        one, two = first.call_id, ready.calls.current.call_id
        await ready.only(two)
        assert [(type(told), told.call_id) for told in ready.told()] == [
            (CallAnswered, one),
            (CallAnswered, two),
            (CallLeft, one),
        ]


async def test_a_network_that_dies_in_the_middle_of_an_answer_costs_a_moment_and_no_word_of_the_visitor() -> None:
    async with bench(RealtimeSettings(silent_seconds=0.4)) as ready:
        assert ready.calls.current is not None
        ready.calls.current.send(conversation_item_create(STORY_WANTED))
        ready.calls.current.send(response_create())
        await ready.until(p.Turn, p.Turn(SESSION, p.Phase.SPEAKING))
        await ready.room.blocks(20)
        ready.service.faults.loss = 1.0
        lost = await ready.until(p.CallLost)
        assert (lost.code, lost.call, lost.renewable, lost.broke_off) == ("media", 0, True, True)
        ready.service.faults.loss = 0.0
        await ready.room.say("how are you")
        ready.calls.renew(1)
        await ready.until(p.SpareReady)
        ready.calls.switch(1)
        assert ready.calls.current is not None
        await ready.until(p.Turn, p.Turn(SESSION, p.Phase.SPEAKING, 1))
        assert ready.service.heard[-1].text == "How are you?"
        assert ready.service.written[-1].role == "assistant"
        assert 0 < len(ready.service.written[-1].text) < 80, "of the story, what was heard"
        assert ready.room.programme.longest_gap_ms() <= GAP_MS


async def test_what_an_operator_asks_of_a_call_that_is_dead_is_answered_by_the_next() -> None:
    async with bench(RealtimeSettings(silent_seconds=0.4)) as ready:
        ready.calls.write("Tell me a story.", 1)
        await ready.until(p.Turn, p.Turn(SESSION, p.Phase.SPEAKING))
        assert await ready.until(p.Heeded) == p.Heeded(SESSION, 1)
        await ready.room.blocks(10)
        ready.service.faults.loss = 1.0
        ready.calls.write("How are you?", 2)
        await ready.until(p.CallLost)
        ready.calls.write("How are you?", 2)
        ready.service.faults.loss = 0.0
        ready.calls.renew(1)
        await ready.until(p.SpareReady)
        told = [line.text for line in ready.service.written]
        assert told.count("Tell me a story.") == 2, "the next call is told of what was answered"
        assert "How are you?" not in told, "and not of what was not, for that it will be asked"
        ready.calls.switch(1)
        ready.calls.write("How are you?", 2)
        assert await ready.until(p.Heeded) == p.Heeded(SESSION, 2, "", 1)
        assert [line.text for line in ready.service.written].count("How are you?") == 1


async def test_a_second_call_that_cannot_be_had_leaves_the_first_alone() -> None:
    async with bench() as ready:
        ready.refused = MintError(Refusal.BUDGET, "no money", None)
        ready.calls.renew(1)
        assert (await ready.until(p.SpareLost)).code == "BUDGET"
        ready.refused = None
        ready.service.faults.calls = HttpFault.SERVER_ERROR
        ready.calls.renew(2)
        assert (await ready.until(p.SpareLost)).code == "upstream"
        ready.service.faults.calls = None
        ready.calls.switch(2)
        assert ready.calls.current is not None
        await ready.only(ready.calls.current.call_id)
        assert ready.room.voice.uplink is ready.calls.current.uplink
        assert ready.room.voice.spare is None


async def test_a_second_call_that_hears_nothing_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench(RealtimeSettings(rehearsal_seconds=0.3)) as ready:
        monkeypatch.setattr("provisioning.local.realtime.dialogue.Dialogue.hear", lambda *_: None)
        ready.calls.renew(1)
        lost = await ready.until(p.SpareLost)
        assert lost.code == "media"
        assert "may not hear" in lost.text
        assert ready.calls.current is not None
        answered = [told.call_id for told in ready.told() if isinstance(told, CallAnswered)]
        assert ready.told()[-1].call_id == answered[-1] != ready.calls.current.call_id
        assert isinstance(ready.told()[-1], CallLeft)


async def test_a_call_that_the_cloud_hangs_up_is_not_followed_by_another() -> None:
    async with bench() as ready:
        for call in list(ready.service.calls.values()):
            call.hang_up()
        assert await ready.until(p.CallLost) == p.CallLost(SESSION, None, CLOSED_BY_SERVICE)
        assert ready.room.voice.uplink is None


async def test_a_secret_that_the_service_does_not_take_is_replaced_by_a_fresh_one() -> None:
    async with bench(meeting=HttpFault.UNAUTHORIZED) as ready:
        assert ready.calls.current is not None
        assert list(ready.service.calls) == [ready.calls.current.call_id]
        assert ready.room.voice.uplink is ready.calls.current.uplink


async def test_without_a_fresh_secret_the_call_is_lost_with_both_reasons() -> None:
    why = r"401 invalid_api_key.*and no fresh secret: BUDGET"
    with pytest.RaisesGroup(pytest.RaisesExc(LostError, match=why), flatten_subgroups=True):
        async with bench(meeting=HttpFault.UNAUTHORIZED, refused=MintError("BUDGET", "all spent")):
            pass
