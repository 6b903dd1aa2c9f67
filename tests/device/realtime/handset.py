"""A person with a telephone: speaks into a call in real time, and notes what comes out of it and what happens."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import msgspec
import numpy as np
from numpy.typing import NDArray

from device.audio.block import BLOCK, BLOCK_SECONDS, SILENCE, Samples
from device.audio.level import rms_dbfs
from device.messages.minting import OpenAIGrant
from device.messages.secret import Secret
from device.messages.tools import ToolDeclaration, as_function
from device.realtime.call import RealtimeCall
from device.realtime.conversation import CallEvent, Turn, TurnChanged
from device.realtime.endpoint import Endpoint
from device.realtime.events import conversation_item_create, response_create
from device.realtime.opening import opening, talk
from device.realtime.settings import RealtimeSettings
from provisioning.local.realtime import RealtimeStandIn
from provisioning.local.realtime.mouth import Mouth
from tests.device.audio.taking import Taker
from tests.provisioning.local.realtime.reference import judge, judge_asked

E = TypeVar("E")

Judge = Callable[[dict[str, Any]], None]

PATIENCE = 10.0

VOICE = Mouth("en-us+f2", 150)


async def mint(
    stand_in: RealtimeStandIn,
    http: aiohttp.ClientSession,
    tools: Sequence[ToolDeclaration] = (),
    *,
    push_to_talk: bool = False,
) -> OpenAIGrant:
    turns = None if push_to_talk else {"type": "server_vad", "silence_duration_ms": 300}
    audio = {"input": {"transcription": {"model": "gpt-transcribe"}, "turn_detection": turns}}
    functions = [as_function(tool) for tool in tools]
    session = {"type": "realtime", "model": "gpt-realtime-2.1", "audio": audio, "tools": functions}
    async with http.post(
        f"{stand_in.base_url}/realtime/client_secrets",
        json={"session": session},
        headers={"Authorization": f"Bearer {stand_in.settings.api_key.reveal()}"},
    ) as response:
        answer = await response.json()
        return OpenAIGrant(
            base_url=stand_in.base_url,
            secret=Secret(answer["value"]),
            expires_at=answer["expires_at"],
            model=answer["session"]["model"],
        )


class Handset:
    """One call, its microphone and its loudspeaker, 20 ms at a time by the clock of the event loop."""

    def __init__(
        self,
        grant: OpenAIGrant,
        http: aiohttp.ClientSession,
        settings: RealtimeSettings | None = None,
        endpoint: Endpoint | None = None,
        *,
        judged: bool = True,
        judges: tuple[Judge, Judge] = (judge, judge_asked),
    ) -> None:
        settings = settings or RealtimeSettings()
        way = opening(grant, http, settings.offer_seconds)
        self.passed: list[tuple[bool, dict[str, Any]]] = []
        """Every event of the data channel, and whether we have sent it; at the end the vendor's types judge them all."""
        self.events: list[CallEvent] = []
        self.played: list[Samples] = []
        self.call = RealtimeCall(
            way,
            on_event=self._happened,
            settings=settings,
            passed=self._passed,
            endpoint=endpoint,
            talk=talk(grant),
        )
        self._judged, (self._judge, self._judge_asked) = judged, judges
        self._words: deque[Samples] = deque()
        self._taker = Taker()
        self._something = asyncio.Event()
        self._tick: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        await self.call.__aenter__()
        loop = asyncio.get_running_loop()
        self._tick = loop.call_at(loop.time(), self._block, loop.time())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tick is not None:
            self._tick.cancel()
        await self.call.__aexit__(kind, error, trace)
        if error is None:
            for sent, event in self.passed:
                (self._judge_asked if sent else self._judge)(event)

    async def say(self, text: str) -> None:
        samples = (await VOICE.say(text)).samples
        self._words.extend(samples.reshape(-1, BLOCK))

    def write(self, text: str) -> None:
        """Ask without a voice, where the question is not what is tested."""
        part = {"type": "input_text", "text": text}
        self.call.send(conversation_item_create({"type": "message", "role": "user", "content": [part]}))
        self.call.send(response_create())

    async def seen(self, wanted: Callable[[CallEvent], E | None]) -> E:
        """Wait for the first event that `wanted` finds something in, forget all up to it, and return what it found."""
        async with asyncio.timeout(PATIENCE):
            while True:
                while self.events:
                    found = wanted(self.events.pop(0))
                    if found:
                        return found
                self._something.clear()
                await self._something.wait()

    async def turn(self, turn: Turn) -> None:
        await self.seen(lambda event: event == TurnChanged(turn))

    async def heard_blocks(self, count: int) -> None:
        """Wait until so many more blocks have been played."""
        wanted = len(self.played) + count
        async with asyncio.timeout(PATIENCE):
            while len(self.played) < wanted:
                self._something.clear()
                await self._something.wait()

    def sound(self) -> Samples:
        return np.concatenate([SILENCE, *self.played])

    def _passed(self, data: str | bytes, *, sent: bool) -> None:
        if self._judged:
            self.passed.append((sent, msgspec.json.decode(data)))

    def _happened(self, event: CallEvent) -> None:
        self.events.append(event)
        self._something.set()

    def _block(self, due: float) -> None:
        self.call.uplink.push(self._words.popleft() if self._words else SILENCE)
        self.played.append(self._taker.take(self.call.downlink.pull))
        self._something.set()
        loop = asyncio.get_running_loop()
        self._tick = loop.call_at(due + BLOCK_SECONDS, self._block, due + BLOCK_SECONDS)


def likeness(sent: Samples, received: Samples) -> float:
    """Return how much of `sent` is in `received`, 0 to 1: the median over pieces of 0.4 s, each wherever it fits best."""
    pieces = [piece for piece in np.array_split(sent, max(1, len(sent) // 19_200)) if rms_dbfs(piece) > -30]
    return float(np.median([_best_fit(piece.astype(float), received.astype(float)) for piece in pieces]))


def _best_fit(piece: NDArray[np.float64], sound: NDArray[np.float64]) -> float:
    length = 1 << (len(piece) + len(sound)).bit_length()
    spectrum = np.fft.rfft(sound, length) * np.conj(np.fft.rfft(piece, length))
    shift = int(np.argmax(np.fft.irfft(spectrum, length)[: len(sound)]))
    found = sound[shift : shift + len(piece)]
    wanted = piece[: len(found)]
    return float(np.dot(found, wanted) / (np.linalg.norm(found) * np.linalg.norm(wanted) + 1e-9))
