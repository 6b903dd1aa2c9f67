"""What a session holds: whatever breaks in it, the robot goes on and gives everything back."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import aiohttp
import pytest
from msgspec.structs import replace

from device import holdings as module
from device import phase as p
from device.audio.block import SILENCE, Block
from device.audio.echo import NoEchoControl
from device.broadcast.air import Air
from device.clock import WallClock
from device.console import Console
from device.equipment import Equipment
from device.errors import CodecError, MalformedMessageError, MintError
from device.holdings import Holdings
from device.messages.commands import CommandStatus, Step
from device.messages.enrolment import BrokerAddress
from device.messages.envelope import KeySigner
from device.messages.knowledge import KnownText, packed
from device.messages.minting import Grant, Prompts
from device.messages.reports import Event, Levels, OperatorNote, Speaker, Spent
from device.messages.wire import decode
from device.mint import MintClient
from device.mqtt import Broker, Presence
from device.outlet import Outlet
from device.phase import Phase
from device.picture.studio import Studio
from device.realtime.endpoint import Endpoint
from device.realtime.events import conversation_item_create, response_create
from device.realtime.settings import RealtimeSettings
from device.record.chronicle import Chronicle, nothing_kept
from device.sora.picture import studio
from device.sora.settings import BroadcastSettings
from device.tools.built_in import BuiltIn
from device.tools.tool import made
from device.tools.toolbox import Toolbox
from device.voice import VoicePath
from provisioning.local.realtime import HttpFault, RealtimeStandIn, StandInSettings
from provisioning.spending.prices import DOCUMENTED, token_prices
from tests.device.audio.sound import tone
from tests.device.audio.speaker import RingSpeaker
from tests.device.realtime.handset import mint
from tests.device.test_mint import DEVICE_KEY, find
from tests.device.test_voice import Recorder
from tests.device.tools.reach import Body, reach

SESSION = "ab" * 16


E = TypeVar("E", bound=p.Event)
T = TypeVar("T")

USER = {"type": "message", "role": "user"}

GATE, AT_WORK = threading.Event(), threading.Event()

QUICK = StandInSettings(words_per_minute=450, thinking_seconds=0.0, word_seconds=0.0)


def lamp(*, on: bool) -> str:
    """Switch the lamp."""
    AT_WORK.set()
    GATE.wait(5)
    return f"on: {on}"


def _event(payload: bytes) -> object:
    for kind in (Event, CommandStatus):
        try:
            return decode(payload, kind)  # type: ignore[arg-type]  # a union is a type to msgspec
        except MalformedMessageError:
            continue
    return None


@dataclass(slots=True)
class Bench:
    """Holdings with all they are made with; nobody answers at the broker."""

    holdings: Holdings
    voice: VoicePath
    service: RealtimeStandIn
    grant: Grant
    posted: asyncio.Queue[p.Event]
    body: Body
    broker: Broker
    toolbox: Toolbox

    def published(self, kind: type[T]) -> list[T]:
        """What would go to the cloud, of one kind."""
        return [
            event for message in self.broker._outbox for event in [_event(message.payload)] if isinstance(event, kind)
        ]

    def write(self, text: str) -> None:
        """Ask without a voice."""
        calls = self.holdings._held[SESSION].calls
        assert calls is not None
        call = calls.current
        assert call is not None
        call.send(conversation_item_create(USER | {"content": [{"type": "input_text", "text": text}]}))
        call.send(response_create())

    async def until(self, kind: type[E]) -> E:
        """Wait for the next event of a kind, and let all others by."""
        while True:
            if isinstance(event := await self.next(), kind):
                return event

    async def next(self) -> p.Event:
        async with asyncio.timeout(10):
            return await self.posted.get()

    async def released(self) -> None:
        self.holdings.release(SESSION)
        while (event := await self.next()) != p.Released(SESSION):
            assert isinstance(event, p.CallLost | p.Turn)


@asynccontextmanager
async def bench(
    settings: RealtimeSettings | None = None,
    prompts: Prompts | None = None,
    shown: Studio | None = None,
    chronicle: Chronicle | None = None,
    delay: float = 0.0,
) -> AsyncIterator[Bench]:
    async with (
        RealtimeStandIn(QUICK) as service,
        aiohttp.ClientSession() as http,
        asyncio.TaskGroup() as tasks,
    ):
        nobody = BrokerAddress(host="127.0.0.1", port=1)
        broker = Broker(Presence(nobody, "robot", ssl.create_default_context(), "will", b""))
        clock, voice = WallClock(), VoicePath(NoEchoControl(), RingSpeaker())
        minter = MintClient("robot", KeySigner("robot", DEVICE_KEY), find, clock)
        outlet = Outlet("robot", broker, clock)
        body = Body()
        built_in = BuiltIn(reach(body))
        chronicle = voice.witness = chronicle or nothing_kept()
        tools = Toolbox([*built_in.tools(), *chronicle.tools(), made(lamp, seconds=5.0)])
        own = Equipment(
            *(voice, minter, broker, outlet, http, settings or RealtimeSettings(), BroadcastSettings()),
            *(tools, built_in, Air(voice, outlet, delay, lambda _levels: shown), Console(outlet, Levels), chronicle),
        )
        posted: asyncio.Queue[p.Event] = asyncio.Queue()
        holdings = Holdings(own, tasks, posted.put_nowait)
        grant = Grant(
            session=SESSION,
            openai=await mint(service, http, tools.declarations),
            tools=["lamp", "volume", "end_conversation", "keep_record"],
            prompts=prompts or Prompts(),
        )
        yield Bench(holdings, voice, service, grant, posted, body, broker, tools)


async def asked(ready: Bench, monkeypatch: pytest.MonkeyPatch) -> p.Event:
    """Ask for the session where no broker is, and return the answer."""
    monkeypatch.setattr(module, "RECONNECT_SECONDS", 0.0)
    ready.holdings.mint(SESSION, "button")
    return await ready.next()


async def test_a_cut_by_hand_drops_what_is_held_and_tells_the_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench(delay=5.0) as ready:
        await asked(ready, monkeypatch)
        ready.holdings._with.air.rise(Recorder())
        for _ in range(50):
            ready.voice.on_block(Block(SILENCE, SILENCE, time.monotonic()))
        assert ready.holdings.cut(SESSION)
        [note] = ready.published(OperatorNote)
        assert note.text.startswith("somebody at the robot cut ")
        assert note.session == SESSION
        assert ready.posted.empty()
        await ready.released()


async def test_a_cut_of_what_is_not_delayed_ends_the_broadcast(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench() as ready:
        await asked(ready, monkeypatch)
        ready.holdings._with.air.rise(Recorder())
        assert not ready.holdings.cut(SESSION)
        assert await ready.next() == p.BroadcastWished(on=False)
        assert ready.published(OperatorNote) == []
        await ready.released()


async def test_without_a_broker_nothing_is_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench() as ready:
        assert await asked(ready, monkeypatch) == p.Refused(SESSION, "broker", "no connection to the cloud")
        await ready.released()
        assert ready.holdings.usage(SESSION) == {"responses": 0}
        assert ready.holdings.usage(SESSION) == {}, "it is told once"


class Minting:
    """A cloud that answers at once; `granted` is what it grants, None for a refusal."""

    def __init__(self, granted: Grant | None) -> None:
        self.granted, self.offers = granted, list[str]()

    async def mint(self, *_: object, offer: str, **__: object) -> Grant:
        self.offers.append(offer)
        if self.granted is None:
            raise MintError("BUDGET", "no money")
        return self.granted


async def offered(ready: Bench, monkeypatch: pytest.MonkeyPatch, granted: Grant | None) -> tuple[Minting, Endpoint]:
    """Ask such a cloud for a session."""

    async def connected(_seconds: float) -> bool:
        return True

    cloud = Minting(granted)
    monkeypatch.setattr(ready.broker, "connected", connected)
    monkeypatch.setattr(MintClient, "mint", lambda _, *given, **more: cloud.mint(*given, **more))
    ready.holdings.mint(SESSION, "button")
    return cloud, ready.holdings._held[SESSION].endpoint


async def test_what_was_offered_is_the_end_of_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench(RealtimeSettings(exchange="cloud")) as ready:
        cloud, endpoint = await offered(ready, monkeypatch, ready.grant)
        assert await ready.next() == p.Granted(SESSION, ready.grant)
        assert cloud.offers == [await endpoint.offer()]
        ready.holdings.call(SESSION, ready.grant)
        await ready.until(p.CallUp)
        assert endpoint.uplink is ready.voice.uplink
        await ready.released()


async def test_what_was_offered_for_nothing_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench(RealtimeSettings(exchange="cloud")) as ready:
        _, endpoint = await offered(ready, monkeypatch, None)
        assert await ready.next() == p.Refused(SESSION, "BUDGET", "BUDGET: no money")
        await ready.released()
        assert endpoint.peer is not None
        assert endpoint.peer.connectionState == "closed"


async def test_a_robot_that_can_offer_nothing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no buffer space available")

    monkeypatch.setattr("device.realtime.endpoint.new_peer", full)
    async with bench(RealtimeSettings(exchange="cloud")) as ready:
        await offered(ready, monkeypatch, ready.grant)
        refused = await ready.until(p.Refused)
        assert (refused.code, "no buffer space" in refused.text) == ("media", True)
        await ready.released()


async def test_a_call_carries_both_voices_until_it_is_released(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench() as ready:
        await asked(ready, monkeypatch)
        ready.holdings.call(SESSION, ready.grant)
        assert await ready.next() == p.CallUp(SESSION)
        assert ready.voice.uplink is not None
        assert ready.voice.source is not None
        assert [(beat.session, beat.usage) for beat in ready.holdings.going_on()] == [(SESSION, {"responses": 0})]
        await ready.released()
        assert ready.voice.uplink is None
        assert ready.voice.source is None


async def test_the_end_of_a_conversation_is_heard_outside_unless_somebody_waits_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with bench(delay=5.0) as ready:
        for hurried in (False, True):
            await asked(ready, monkeypatch)
            ready.holdings._with.air.rise(programme := Recorder())
            ready.voice.on_block(Block(SILENCE, tone(0.02), 0.0))
            ready.holdings.release(SESSION)
            await asyncio.sleep(0)
            assert ready.posted.empty()
            if hurried:
                ready.holdings.hurry()
            async with asyncio.timeout(3):
                while ready.posted.empty():
                    ready.voice.on_block(Block(SILENCE, SILENCE, 0.0))
                    await asyncio.sleep(0)
            assert await ready.next() == p.Released(SESSION)
            assert bool(programme.sound.any()) is not hurried


async def test_words_are_in_the_picture_when_they_are_heard_and_gone_with_the_next_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = studio(BroadcastSettings(picture="captions"), "robot", Levels)
    assert shown
    async with bench(prompts=Prompts(greeting="Hello there."), shown=shown) as ready:
        await talking(ready, monkeypatch)
        await ready.until(p.Turn)
        async with asyncio.timeout(5):
            while (subtitle := shown.look(time.monotonic()).subtitle) is None:
                ready.voice.feed()
                ready.voice.on_block(Block(SILENCE, SILENCE, 0.0))
                await asyncio.sleep(0.005)
        assert subtitle.speaker is Speaker.ASSISTANT
        assert subtitle.lines[0].startswith("Hello")
        await ready.released()
        await asked(ready, monkeypatch)
        assert shown.look(time.monotonic()).subtitle is None


async def talking(ready: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await asked(ready, monkeypatch)
    ready.holdings.call(SESSION, ready.grant)
    await ready.until(p.CallUp)


async def outcome(ready: Bench, number: int) -> str:
    """Wait until the service has been told what came of its call with this number, and return it."""
    async with asyncio.timeout(5):
        while len(ready.service.called) <= number or ready.service.called[number].output is None:
            await asyncio.sleep(0.005)  # the stand-in tells nobody
    return ready.service.called[number].output or ""


async def test_tools_are_called_as_granted_and_their_outcomes_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench() as ready:
        await talking(ready, monkeypatch)
        ready.write("Turn the volume down.")
        assert await outcome(ready, 0) == '{"ok":true,"result":{"percent":80}}'
        assert ready.body.volume == pytest.approx(0.8)
        ready.write("Call somebody for help.")
        refused = "there is no tool 'tell_operator'; there are: end_conversation, lamp, volume"
        assert await outcome(ready, 1) == f'{{"ok":false,"error":"{refused}"}}'
        assert ready.body.notes == []
        await ready.released()
        assert ready.body.volume == 1.0


async def test_what_the_place_has_written_down_is_looked_up_and_what_the_talk_costs_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with bench() as ready:
        texts = packed([KnownText(title="exhibits.txt", text="The owl is in the tower.")])
        prices = token_prices(DOCUMENTED[0])
        ready.grant = replace(ready.grant, tools=["look_up"], knowledge=texts, prices=prices)
        assert ready.holdings.spent(None) is None
        await talking(ready, monkeypatch)
        assert ready.holdings.spent(SESSION) == Spent(micros=0)
        ready.write("Look up owl")
        assert await outcome(ready, 0) == '{"ok":true,"result":"exhibits.txt: The owl is in the tower."}'
        await ready.until(p.Spoken)
        found = ready.holdings.spent(SESSION)
        assert found is not None
        assert 0 < found.micros < 100_000
        await ready.released()
        assert "nothing is written down" in (await ready.toolbox.call("look_up", '{"query": "owl"}')).text


@pytest.mark.parametrize(("text", "said"), [("Goodbye.", False), ("Farewell my friend.", True)])
async def test_the_model_ends_the_conversation_with_one_goodbye(
    monkeypatch: pytest.MonkeyPatch, text: str, said: bool
) -> None:
    async with bench() as ready:
        await talking(ready, monkeypatch)
        ready.write(text)
        assert await ready.until(p.EndWished) == p.EndWished(SESSION, said=said)
        if said:
            await ready.until(p.Spoken)
            assert [spoken.text for spoken in ready.service.spoken] == ["Goodbye! It was nice talking to you."]
        await ready.released()


async def test_a_tool_at_work_neither_holds_up_the_release_nor_speaks_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with bench() as ready:
        await talking(ready, monkeypatch)
        ready.write("Please turn on the lamp.")
        assert await asyncio.to_thread(AT_WORK.wait, 5)
        await ready.released()
        GATE.set()
        assert ready.service.called[0].output is None


async def test_it_greets_first_can_be_interrupted_and_says_when_it_cannot_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with bench(prompts=Prompts(greeting="Greet the visitor.")) as ready:
        await talking(ready, monkeypatch)
        while await ready.until(p.Turn) != p.Turn(SESSION, Phase.SPEAKING):
            pass
        assert [spoken.text for spoken in ready.service.spoken] == ["Hello! I am listening."]
        ready.holdings.interrupt(SESSION)
        assert await ready.next() == p.Turn(SESSION, Phase.LISTENING)
        ready.service.faults.responses = "rate_limit_exceeded"
        ready.holdings.prompt(SESSION, "Say goodbye.")
        assert await ready.until(p.AnswerFailed) == p.AnswerFailed(SESSION, "rate_limit_exceeded", "Told to fail.")
        await ready.released()


@pytest.mark.parametrize(
    ("tool", "step", "reason"),
    [
        ("volume", Step.SUCCEEDED, '{"ok":true,"result":{"percent":80}}'),
        ("fly", Step.FAILED, '{"ok":false,"error":"there is no tool \'fly\''),
    ],
)
async def test_an_operator_is_told_what_came_of_a_tool(tool: str, step: Step, reason: str) -> None:
    async with bench() as ready:
        ready.holdings.use("order1", tool, '{"action": "down"}')
        async with asyncio.timeout(5):
            while not (told := ready.published(CommandStatus)):
                await asyncio.sleep(0)
        assert (told[0].id, told[0].step) == ("order1", step)
        assert told[0].reason.startswith(reason)


async def test_a_call_that_breaks_in_an_unforeseen_way_is_a_lost_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_arguments: object) -> None:
        raise CodecError("libopus.so.0 is missing")

    async with bench() as ready:
        await asked(ready, monkeypatch)
        monkeypatch.setattr("device.realtime.endpoint.OpusSender", missing)
        ready.holdings.call(SESSION, ready.grant)
        assert await ready.next() == p.CallLost(SESSION, "call", "failed: CodecError")
        await ready.released()


@pytest.mark.parametrize(
    ("fault", "code"), [(HttpFault.SERVER_ERROR, "upstream"), (HttpFault.MALFORMED_SDP, "upstream"), (None, "media")]
)
async def test_each_kind_of_failure_has_its_code(
    monkeypatch: pytest.MonkeyPatch, fault: HttpFault | None, code: str
) -> None:
    async with bench(RealtimeSettings(media_seconds=0.2)) as ready:
        await asked(ready, monkeypatch)
        ready.service.faults.calls = fault
        ready.service.faults.loss = 1.0
        ready.holdings.call(SESSION, ready.grant)
        lost = await ready.next()
        assert isinstance(lost, p.CallLost)
        assert lost.code == code
        await ready.released()
