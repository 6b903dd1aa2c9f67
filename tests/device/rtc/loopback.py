"""Two real peer connections on 127.0.0.1, and a clock that only the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aioice.ice
import pytest
from aiortc import RTCPeerConnection
from aiortc.rtp import RtpPacket

from device.audio.block import BLOCK_SECONDS, Samples
from device.rtc.peer import new_peer
from device.rtc.receiving import VoiceReceiver
from device.rtc.sending import OpusSender
from tests.device.audio.taking import Taker


def stay_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ICE gather 127.0.0.1 only."""

    def addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        return ["127.0.0.1"] if use_ipv4 or use_ipv6 else []

    monkeypatch.setattr(aioice.ice, "get_host_addresses", addresses)


@dataclass
class Clock:
    """Monotonic seconds that stand still until told otherwise."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


class Ear(VoiceReceiver):
    """A receiver that tells when packets come, and loses those it is told to."""

    def __init__(self, clock: Clock, lost: Collection[int] = ()) -> None:
        super().__init__(clock)
        self._lost = lost
        self._seen = 0
        self._came = asyncio.Event()

    def _take(self, packet: RtpPacket, is_opus: bool) -> None:
        if self._seen not in self._lost:
            super()._take(packet, is_opus)
        self._seen += 1
        self._came.set()

    async def seen(self, count: int) -> None:
        async with asyncio.timeout(10):
            while self._seen < count:
                self._came.clear()
                await self._came.wait()


@dataclass
class End:
    """One end of the loopback."""

    peer: RTCPeerConnection
    clock: Clock
    ear: Ear
    mouth: OpusSender
    heard: list[Samples] = field(default_factory=list)
    taker: Taker = field(default_factory=Taker)


async def say(speaker: End, listener: End, blocks: list[Samples]) -> list[Samples]:
    """Say `blocks` at one end, one per 20 ms of the other end's clock, and return what is heard there."""
    heard: list[Samples] = []
    already = int(listener.ear._seen)
    for index, block in enumerate(blocks):
        speaker.mouth.push(block)
        await listener.ear.seen(already + index + 1)
        listener.clock.now += BLOCK_SECONDS
        heard.append(listener.taker.take(listener.ear.pull))
    return heard


@asynccontextmanager
async def loopback(lost: Collection[int] = (), *, mouth: OpusSender | None = None) -> AsyncIterator[tuple[End, End]]:
    """Two connected ends; the first speaks by `mouth`, the second loses the packets numbered in `lost`."""
    one = End(new_peer(), clock := Clock(), Ear(clock), mouth or OpusSender())
    other = End(new_peer(), clock := Clock(), Ear(clock, lost), OpusSender())
    try:
        transceiver = one.peer.addTransceiver(one.mouth.track)
        one.ear.attach(transceiver.receiver)
        one.mouth.attach(transceiver.sender)
        await connect(one, other)
        yield one, other
    finally:
        await asyncio.gather(one.peer.close(), other.peer.close())


async def connect(one: End, other: End) -> None:
    await negotiate(one, other)
    for end in (one, other):
        await state(end.peer, "connected")


async def negotiate(one: End, other: End) -> None:
    await one.peer.setLocalDescription(await one.peer.createOffer())
    await other.peer.setRemoteDescription(one.peer.localDescription)
    other.mouth.attach(other.peer.addTrack(other.mouth.track))
    other.ear.attach(other.peer.getTransceivers()[0].receiver)
    await other.peer.setLocalDescription(await other.peer.createAnswer())
    await one.peer.setRemoteDescription(other.peer.localDescription)


async def state(peer: RTCPeerConnection, wanted: str) -> None:
    """Wait until the connection is in the state `wanted`."""
    changed = asyncio.Event()
    peer.on("connectionstatechange", changed.set)
    async with asyncio.timeout(10):
        while peer.connectionState != wanted:
            changed.clear()
            await changed.wait()
