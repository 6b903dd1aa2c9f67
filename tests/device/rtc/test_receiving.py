from __future__ import annotations

import aiortc.rtcrtpreceiver
import numpy as np
import pytest
from aiortc.codecs import get_capabilities
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RtpPacket

from device.audio.block import BLOCK, SILENCE, Samples
from device.audio.level import rms_dbfs
from device.audio.opus import OpusEncoder
from device.errors import MediaError
from device.rtc.receiving import VoiceReceiver, _Tap
from tests.device.audio.sound import blocks, likeness, speech, tone
from tests.device.rtc.loopback import loopback, say, stay_at_home

MOST_BLOCKS = 4  # 40 ms of first delay, the block in which the sound begins, and the codec's look-ahead


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch) -> None:
    stay_at_home(monkeypatch)


def first_loud(heard: list[Samples]) -> int:
    return next(place for place, block in enumerate(heard) if rms_dbfs(block) > -30)


async def test_both_ways_are_heard_soon_at_their_level_and_without_aiortcs_decoder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used: list[str] = []
    monkeypatch.setattr(aiortc.rtcrtpreceiver, "get_decoder", lambda codec: used.append(codec.name))
    said = [SILENCE] * 20 + blocks(tone(1.0))
    async with loopback() as (one, other):
        for speaker, listener in ((one, other), (other, one)):
            heard = await say(speaker, listener, said)
            assert first_loud(heard) - 20 <= MOST_BLOCKS
            assert abs(rms_dbfs(np.concatenate(heard[-20:])) - rms_dbfs(tone(0.4))) < 1.0
            assert listener.ear.counters()["received"] == len(said)
            assert listener.ear.last_packet_at == pytest.approx(listener.clock.now - 0.02)
        stats = await other.peer.getReceivers()[0].getStats()
    inbound = next(stat for stat in stats.values() if stat.type == "inbound-rtp")
    assert inbound.packetsReceived == len(said), "RTCP statistics go on"
    assert used == []


async def test_a_lost_packet_is_concealed_and_the_delay_is_as_before() -> None:
    said = blocks(tone(3.0))
    async with loopback(lost={60}) as (one, other):
        await say(one, other, said[:55])
        before = other.ear.counters()["waiting_ms"]
        around = await say(one, other, said[55:70])
        await say(one, other, said[70:])
        counters = other.ear.counters()
    assert all(rms_dbfs(block) > -30 for block in around)
    assert counters["recovered"] + counters["concealed"] == 1
    assert counters["dry"] == 0
    assert 0 < counters["waiting_ms"] <= before + 1


async def test_a_hundred_packets_lost_are_silence_and_then_all_is_as_before() -> None:
    async with loopback(lost=range(50, 150)) as (one, other):
        said = blocks(tone(4.0))
        heard = await say(one, other, said)
    assert first_loud(heard) <= MOST_BLOCKS
    assert not any(block.any() for block in heard[70:140])
    assert first_loud(heard[150:]) <= MOST_BLOCKS


async def test_the_shape_of_speech_survives_the_network() -> None:
    said = blocks(speech(2.0, pause_every=9.0))
    async with loopback() as (one, other):
        heard = np.concatenate(await say(one, other, said))
    before = np.concatenate(said[:28])  # until enough is known to shorten a pause
    assert likeness(before, heard, most=MOST_BLOCKS * BLOCK) > 0.7


def test_a_library_whose_names_have_changed_is_refused() -> None:
    class RTCRtpReceiver:
        """What aiortc may become."""

    with pytest.raises(MediaError, match="has no __codecs any more"):
        VoiceReceiver().attach(RTCRtpReceiver())  # type: ignore[arg-type]  # that is the point


def packet(payload: bytes, sequence: int, kind: int, ssrc: int) -> RtpPacket:
    made = RtpPacket(payload_type=kind, sequence_number=sequence, timestamp=sequence * BLOCK, payload=payload)
    made.ssrc = ssrc
    return made


def test_only_opus_goes_in_and_another_ssrc_begins_anew() -> None:
    codecs = {
        kind: RTCRtpCodecParameters(mimeType=name, clockRate=48_000, payloadType=kind)
        for kind, name in ((96, "audio/opus"), (0, "audio/PCMU"))
    }
    now = [0.0]
    receiver, encoder = VoiceReceiver(lambda: now[0]), OpusEncoder()
    tap = _Tap(codecs, receiver._take)
    assert any(codec.mimeType == "audio/opus" for codec in get_capabilities("audio").codecs)
    for kind in (0, 13):
        assert tap.add(packet(b"12345", 1, kind, 7)) == (False, None)
    assert receiver.last_packet_at is None
    assert receiver.counters()["foreign"] == 2
    for ssrc, first in ((7, 40_000), (8, 3)):
        for index in range(10):
            tap.add(packet(encoder.encode(tone(0.02)), first + index, 96, ssrc))
            now[0] += 0.02
            receiver.pull()
    assert receiver.counters()["late"] == 0
    assert receiver.counters()["spurts"] == 2


def test_a_flush_is_silent() -> None:
    receiver = VoiceReceiver(lambda: 0.0)
    receiver.flush()
    assert not receiver.pull().any()
