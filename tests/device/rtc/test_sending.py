from __future__ import annotations

import asyncio
from fractions import Fraction

import av
import pytest
from aiortc.mediastreams import MediaStreamError

from device.audio.block import BLOCK, SILENCE
from device.audio.opus import Application, OpusDecoder, OpusSettings, packet_samples
from device.rtc.sending import LONGEST_QUEUE, OpusSender
from tests.device.audio.sound import blocks, speech, tone
from tests.device.rtc.loopback import loopback, stay_at_home


async def payload(sender: OpusSender) -> bytes:
    packet = await sender.track.recv()
    assert isinstance(packet, av.Packet)
    return bytes(packet)


async def test_packets_are_contiguous_whatever_was_dropped() -> None:
    sender = OpusSender()
    for _ in range(LONGEST_QUEUE + 5):
        sender.push(tone(0.02))
    packets = [await sender.track.recv() for _ in range(LONGEST_QUEUE)]
    assert [packet.pts for packet in packets] == [index * BLOCK for index in range(LONGEST_QUEUE)]
    assert {packet.time_base for packet in packets} == {Fraction(1, 48_000)}
    assert sender.counters()["dropped"] == 5
    assert sender.counters()["packets"] == LONGEST_QUEUE


async def test_the_oldest_blocks_are_the_ones_dropped() -> None:
    sender, decoder = OpusSender(), OpusDecoder()
    for loud in [False] * 5 + [True] * LONGEST_QUEUE:
        sender.push(tone(0.02) if loud else SILENCE)
    first = decoder.decode(await payload(sender))
    assert first.any()


async def test_a_packet_is_mono_opus_of_twenty_milliseconds_at_the_bit_rate_asked_for() -> None:
    sender = OpusSender(OpusSettings(bit_rate=16_000), Application.VOIP)
    for block in blocks(speech(2.0, pause_every=9.0)):
        sender.push(block)
        packet = await payload(sender)
        assert packet_samples(packet) == BLOCK
        assert packet[0] & 0b100 == 0, "the stereo bit of RFC 6716"
    assert sender.counters()["bytes"] * 8 / 2 < 22_000
    sender.set_bit_rate(48_000)
    sender.expect_loss(20)


async def test_waiting_ends_with_the_track() -> None:
    sender = OpusSender()
    receiving = asyncio.ensure_future(sender.track.recv())
    await asyncio.wait([receiving], timeout=0)
    sender.track.stop()
    with pytest.raises(MediaStreamError):
        await receiving
    sender.push(SILENCE)
    assert sender.counters()["dropped"] == 1


async def test_aiortc_sends_them_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    stay_at_home(monkeypatch)
    async with loopback() as (one, other):
        for index, block in enumerate(blocks(tone(0.4))):
            one.mouth.push(block)
            await other.ear.seen(index + 1)
        stats = await one.peer.getSenders()[0].getStats()
        outbound = next(stat for stat in stats.values() if stat.type == "outbound-rtp")
        assert outbound.packetsSent == 20
        assert outbound.bytesSent == one.mouth.counters()["bytes"]
