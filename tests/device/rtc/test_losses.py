from __future__ import annotations

import numpy as np
import pytest
from aiortc.rtp import RtcpReceiverInfo, RtcpRrPacket
from hypothesis import given
from hypothesis import strategies as st

from device.audio.block import Samples
from device.audio.opus import Application, OpusDecoder, OpusEncoder, OpusSettings
from device.errors import MediaError
from device.rtc.losses import COPIES_PERCENT, MOST_PERCENT, ExpectedLoss, on_loss_report
from tests.device.audio.sound import blocks, likeness, speech
from tests.device.rtc.loopback import loopback, stay_at_home


def report(ssrc: int, fraction: int, highest: int = 1) -> bytes:
    info = RtcpReceiverInfo(
        ssrc=ssrc, fraction_lost=fraction, packets_lost=1, highest_sequence=highest, jitter=0, lsr=0, dlsr=0
    )
    return bytes(RtcpRrPacket(ssrc=1, reports=[info]))


async def test_what_the_far_end_reports_reaches_the_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    stay_at_home(monkeypatch)
    async with loopback() as (one, _):
        sender = one.peer.getSenders()[0]
        floor = OpusSettings().expected_loss_percent
        for ssrc, fraction, percent in ((sender._ssrc + 1, 64, floor), (sender._ssrc, 64, 25), (sender._ssrc, 0, 22)):
            await sender.transport._handle_rtcp_data(report(ssrc, fraction))
            assert one.mouth.counters()["expected_loss_percent"] == percent


async def test_a_report_counts_when_it_tells_of_more(monkeypatch: pytest.MonkeyPatch) -> None:
    stay_at_home(monkeypatch)
    async with loopback() as (one, _):
        sender = one.peer.getSenders()[0]
        for ssrc, highest in ((0, 7), (0, 7), (1, 8), (0, 8)):
            await sender.transport._handle_rtcp_data(report(sender._ssrc + ssrc, 0, highest))
        assert one.mouth.counters()["acknowledged"] == 2


@given(st.integers(0, 20), st.lists(st.floats(0, 1), max_size=30))
def test_the_expectation_is_bounded_and_falls_back_to_the_floor(floor: int, shares: list[float]) -> None:
    loss = ExpectedLoss(floor)
    for share in shares:
        assert floor <= loss.reported(share) <= MOST_PERCENT
    assert loss.reported(1.0) == MOST_PERCENT
    for _ in range(60):
        loss.reported(0.0)
    assert loss.percent == floor


def copied(percent: int, sound: Samples) -> float:
    """Return how alike every tenth packet of a broadcast is to what its successor has of it: the median correlation."""
    encoder = OpusEncoder(application=Application.AUDIO, bit_rate=96_000, expected_loss_percent=percent)
    packets = [encoder.encode(block) for block in blocks(sound)]
    alike = []
    for number in range(10, len(packets) - 1, 10):
        whole, lossy = OpusDecoder(), OpusDecoder()
        for packet in packets[:number]:
            whole.decode(packet), lossy.decode(packet)
        alike.append(likeness(whole.decode(packets[number]), lossy.decode_fec(packets[number + 1])))
    return float(np.median(alike))


def test_a_broadcast_that_loses_one_packet_has_copies_from_then_on() -> None:
    loss, sound = ExpectedLoss(5), speech(2.0, pause_every=9.0)
    without = copied(loss.percent, sound)
    expected = loss.reported(1 / 50)
    assert (expected, loss.reported(0.0)) == (COPIES_PERCENT, COPIES_PERCENT)
    assert copied(expected, sound) > 0.95 > without


def test_a_library_whose_names_have_changed_is_refused() -> None:
    class RTCRtpSender:
        """What aiortc may become."""

    with pytest.raises(MediaError, match="_handle_rtcp_packet"):
        on_loss_report(RTCRtpSender(), lambda *_: None)  # type: ignore[arg-type]  # that is the point
