from __future__ import annotations

import asyncio
from typing import Any, Literal

import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError

from device.audio.block import BLOCK, SILENCE, Samples
from device.audio.level import rms_dbfs
from device.audio.opus import Application, OpusDecoder, OpusSettings, packet_samples
from device.errors import MediaError
from device.rtc.outbound import send_by
from device.rtc.sending import LONGEST_QUEUE, OpusSender
from tests.device.audio.sound import blocks, speech, tone
from tests.device.rtc.loopback import End, loopback, stay_at_home


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    stay_at_home(monkeypatch)


class Wire:
    """What comes at one end, before the jitter buffer."""

    def __init__(self, end: End) -> None:
        self.payloads: list[bytes] = []
        self.sequence: list[int] = []
        self.timestamps: list[int] = []
        self._put = end.ear._reception.put
        end.ear._reception.put = self._note  # type: ignore[method-assign]  # to look at every packet

    def _note(self, sequence: int, timestamp: int, payload: bytes, now: float) -> None:
        self.payloads.append(payload)
        self.sequence.append(sequence)
        self.timestamps.append(timestamp)
        self._put(sequence, timestamp, payload, now)


async def pushed(one: End, other: End, sounds: list[Samples]) -> Wire:
    """Push `sounds` at one end, each when the one before has come at the other."""
    wire = Wire(other)
    for index, sound in enumerate(sounds):
        one.mouth.push(sound)
        await other.ear.seen(index + 1)
    return wire


async def test_what_comes_before_the_connection_is_up_waits_and_the_oldest_of_it_goes() -> None:
    mouth = OpusSender()
    for loud in [False] * 5 + [True] * LONGEST_QUEUE:
        mouth.push(tone(0.02) if loud else SILENCE)
    async with loopback(mouth=mouth) as (one, other):
        await other.ear.seen(LONGEST_QUEUE)
        counters = one.mouth.counters()
    assert (counters["pushed"], counters["dropped"], counters["packets"]) == (LONGEST_QUEUE + 5, 5, LONGEST_QUEUE)
    assert other.ear.counters()["received"] == LONGEST_QUEUE


async def test_packets_are_contiguous_mono_opus_of_twenty_milliseconds_at_the_bit_rate_asked_for() -> None:
    mouth = OpusSender(OpusSettings(bit_rate=16_000), Application.VOIP)
    async with loopback(mouth=mouth) as (one, other):
        wire = await pushed(one, other, blocks(speech(2.0, pause_every=9.0)))
    assert {packet_samples(payload) for payload in wire.payloads} == {BLOCK}
    assert not any(payload[0] & 0b100 for payload in wire.payloads), "the stereo bit of RFC 6716"
    assert sum(map(len, wire.payloads)) * 8 / 2 < 22_000
    assert mouth.counters()["bytes"] == sum(map(len, wire.payloads))
    steps = {(after - before) & 0xFFFF for before, after in zip(wire.sequence, wire.sequence[1:], strict=False)}
    ticks = {(after - before) & 0xFFFFFFFF for before, after in zip(wire.timestamps, wire.timestamps[1:], strict=False)}
    assert (steps, ticks) == ({1}, {BLOCK})
    assert OpusDecoder().decode(wire.payloads[50]).any()


@pytest.mark.parametrize("packet_ms", [40, 60])
async def test_longer_packets_are_fewer_and_lose_nothing(packet_ms: Literal[40, 60]) -> None:
    whole = packet_ms // 20
    mouth = OpusSender(OpusSettings(packet_ms=packet_ms), Application.AUDIO)
    sound = blocks(tone(0.48))
    async with loopback(mouth=mouth) as (_, other):
        wire = Wire(other)
        for index, block in enumerate(sound):
            mouth.push(block)
            await other.ear.seen((index + 1) // whole)
    assert {packet_samples(payload) for payload in wire.payloads} == {whole * BLOCK}
    ticks = {(after - before) & 0xFFFFFFFF for before, after in zip(wire.timestamps, wire.timestamps[1:], strict=False)}
    assert ticks == {whole * BLOCK}
    assert (mouth.counters()["pushed"], mouth.counters()["packets"]) == (24, 24 / whole)
    decoder = OpusDecoder()
    heard = np.concatenate([decoder.decode(payload) for payload in wire.payloads])
    assert rms_dbfs(heard[BLOCK * whole :]) == pytest.approx(rms_dbfs(np.concatenate(sound)), abs=1.0)


async def test_a_longer_packet_that_cannot_be_sent_counts_each_of_its_blocks() -> None:
    mouth = OpusSender(OpusSettings(packet_ms=60))
    async with loopback(mouth=mouth) as (one, other):
        for _ in range(3):
            mouth.push(SILENCE)
        await other.ear.seen(1)
        transport: Any = one.peer.getSenders()[0].transport

        async def closed(_data: bytes) -> None:
            raise ConnectionError

        transport._send_rtp = closed
        for _ in range(5):
            mouth.push(SILENCE)
    assert (mouth.counters()["packets"], mouth.counters()["dropped"]) == (1, 3)


async def test_bit_rate_and_expected_loss_change_while_it_sends() -> None:
    async with loopback() as (one, other):
        sound = blocks(speech(1.0, pause_every=9.0))
        before = await pushed(one, other, sound)
        one.mouth.set_bit_rate(12_000)
        one.mouth.expect_loss(20)
        for index, block in enumerate(sound):
            one.mouth.push(block)
            await other.ear.seen(len(sound) + index + 1)
    assert sum(map(len, before.payloads[len(sound) :])) < 0.5 * sum(map(len, before.payloads[: len(sound)]))


async def test_rtcp_and_the_statistics_tell_what_was_sent() -> None:
    async with loopback() as (one, other):
        wire = await pushed(one, other, blocks(tone(0.4)))
        sender = one.peer.getSenders()[0]
        stats = await sender.getStats()
        outbound = next(stat for stat in stats.values() if stat.type == "outbound-rtp")
        assert outbound.packetsSent == 20
        assert outbound.bytesSent == one.mouth.counters()["bytes"]
        private = vars(sender)
        assert private["_RTCRtpSender__rtp_timestamp"] == wire.timestamps[-1]
        assert private["_RTCRtpSender__ntp_timestamp"] > 0


async def test_nothing_is_sent_after_the_end_and_the_track_ends_with_the_connection() -> None:
    async with loopback() as (one, other):
        await pushed(one, other, [SILENCE])
        await one.peer.close()
        assert one.mouth.track.readyState == "ended"
        one.mouth.push(SILENCE)
        counters = one.mouth.counters()
        assert (counters["packets"], counters["dropped"]) == (1, 1)
    with pytest.raises(MediaStreamError):
        await one.mouth.track.recv()


async def test_a_direction_that_does_not_send_sends_nothing() -> None:
    async with loopback() as (one, other):
        await pushed(one, other, [SILENCE])
        one.peer.getSenders()[0]._enabled = False
        one.mouth.push(SILENCE)
        assert one.mouth.counters()["packets"] == 1


async def test_a_transport_that_closed_or_waits_loses_the_block_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def closed(_data: bytes) -> None:
        raise ConnectionError

    async def waiting(_data: bytes) -> None:
        await asyncio.sleep(1.0)

    async with loopback() as (one, other):
        await pushed(one, other, [SILENCE])
        transport: Any = one.peer.getSenders()[0].transport
        for sending in (closed, waiting):
            monkeypatch.setattr(transport, "_send_rtp", sending)
            one.mouth.push(SILENCE)
        monkeypatch.undo()
        one.mouth.push(SILENCE)
        counters = one.mouth.counters()
        assert (counters["packets"], counters["dropped"]) == (2, 2)


def test_a_library_whose_names_have_changed_is_refused() -> None:
    class RTCRtpSender:
        """What aiortc may become."""

    async def nothing(_outbound: object) -> None:
        pass

    with pytest.raises(MediaError, match="_run_rtp"):
        send_by(RTCRtpSender(), nothing)  # type: ignore[arg-type]  # that is the point
