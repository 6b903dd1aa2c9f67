"""The receiving ends of the receive bench: `ours` and `naive`, each a process that plays through PyAudio.

One JSON object a line on standard input: `{"offer": sdp}` is answered by `{"answer": sdp}`, `{"end": true}` by
`{"ended": true, "counters": {…}}`; each offer begins a new connection and a new sound card.
"""

from __future__ import annotations

import asyncio
import json
import queue
import sys
import threading
from contextlib import AsyncExitStack
from typing import Any, Protocol

import pyaudio
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from device.audio.block import RATE, Block
from device.audio.echo import NoEchoControl
from device.rtc.peer import new_peer
from device.rtc.receiving import VoiceReceiver
from device.soundcard.pyaudio_card import PyAudioCard
from device.soundcard.settings import SoundSettings
from device.voice import VoicePath


class Receiver(Protocol):
    """One of the two."""

    async def answer(self, offer: str) -> str:
        """Take an SDP offer, begin to play, and return the SDP answer."""

    async def end(self) -> dict[str, float]:
        """Stop playing, hang up, and tell what was counted."""


class Ours:
    """The device's own receiving path: sound card and voice path from the beginning, as on a device; then receivers."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._path: VoicePath | None = None

    async def answer(self, offer: str) -> str:
        """Take an SDP offer, begin to play, and return the SDP answer."""
        path = self._path = self._path or await self._sound()
        self._peer, self._receiver = new_peer(), VoiceReceiver()
        await self._peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        self._receiver.attach(self._peer.getTransceivers()[0].receiver)
        await self._peer.setLocalDescription(await self._peer.createAnswer())
        path.source = self._receiver
        return str(self._peer.localDescription.sdp)

    async def _sound(self) -> VoicePath:
        def deliver(block: Block) -> None:
            if self._path:
                self._path.on_block(block)

        def feed() -> None:
            if self._path:
                self._path.feed()

        self._card = await self._stack.enter_async_context(PyAudioCard(SoundSettings(), deliver, feed))
        return VoicePath(NoEchoControl(), self._card)

    async def end(self) -> dict[str, float]:
        """Hang up, and tell what was counted."""
        assert self._path
        self._path.source = None
        counted = self._path.counters() | self._card.counters() | self._receiver.counters()
        await self._peer.close()
        return counted


class Naive:
    """What one would write from aiortc's examples: recv in a loop, and a thread that writes to a blocking stream."""

    async def answer(self, offer: str) -> str:
        """Take an SDP offer, begin to play, and return the SDP answer."""
        self._peer: Any = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._tasks: list[asyncio.Task[None]] = []
        self._peer.on("track", self._play)
        await self._peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await self._peer.setLocalDescription(await self._peer.createAnswer())
        return str(self._peer.localDescription.sdp)

    def _play(self, track: MediaStreamTrack) -> None:
        waiting: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=_write, args=(waiting,), daemon=True).start()
        self._tasks.append(asyncio.ensure_future(_pump(track, waiting)))

    async def end(self) -> dict[str, float]:
        """Stop playing, hang up, and tell what was counted."""
        await self._peer.close()
        await asyncio.gather(*self._tasks)
        return {}


async def _pump(track: MediaStreamTrack, waiting: queue.Queue[bytes]) -> None:
    try:
        while True:
            frame: Any = await track.recv()
            waiting.put(bytes(frame.planes[0])[: frame.samples * 4])
    except MediaStreamError:
        waiting.put(b"")


def _write(waiting: queue.Queue[bytes]) -> None:
    audio = pyaudio.PyAudio()
    stream = audio.open(RATE, 2, pyaudio.paInt16, output=True, frames_per_buffer=960)
    while data := waiting.get():
        stream.write(data)
    stream.close()
    audio.terminate()


async def serve(receiver: Receiver) -> None:
    """Obey standard input until it ends."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        if "offer" in order:
            print(json.dumps({"answer": await receiver.answer(order["offer"])}), flush=True)
        else:
            print(json.dumps({"ended": True, "counters": await receiver.end()}), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(Ours() if sys.argv[1] == "ours" else Naive()))
