from __future__ import annotations

from aiortc import clock
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensionsMap, RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from device.rtc.packets import RtpStream, ntp

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"


def agreed(**numbers: int | None) -> HeaderExtensionsMap:
    """Return aiortc's reader for extensions of these numbers."""
    uris = {"mid": MID, "send_time": SEND_TIME}
    extensions = HeaderExtensionsMap()
    extensions.configure(
        RTCRtpParameters(
            headerExtensions=[RTCRtpHeaderExtensionParameters(id=n, uri=uris[name]) for name, n in numbers.items() if n]
        )
    )
    return extensions


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 127),
    st.one_of(st.none(), st.integers(1, 20)),
    st.one_of(st.none(), st.text(min_size=1, max_size=20).filter(lambda text: len(text.encode()) < 60)),
    st.binary(min_size=1, max_size=200),
    st.floats(0, 2**32),
)
def test_a_packet_reads_as_it_was_written(
    ssrc: int, payload_type: int, send_time: int | None, mid: str | None, payload: bytes, now: float
) -> None:
    elements = [(21, mid.encode())] if mid else []
    stream = RtpStream(ssrc, payload_type, send_time, elements, sequence=0xFFFF, timestamp=2**32 - 960)
    packets = [RtpPacket.parse(stream.packet(payload, 960, now), agreed(mid=21, send_time=send_time)) for _ in range(3)]
    assert [packet.sequence_number for packet in packets] == [0xFFFF, 0, 1]
    assert [packet.timestamp for packet in packets] == [2**32 - 960, 0, 960]
    assert [packet.marker for packet in packets] == [1, 0, 0]
    for packet in packets:
        assert (packet.ssrc, packet.payload_type, packet.payload) == (ssrc, payload_type, payload)
        assert packet.extensions.mid == mid
        assert packet.extensions.abs_send_time == (None if send_time is None else (ntp(now) >> 14) & 0xFFFFFF)


def test_short_extensions_take_the_form_of_one_byte() -> None:
    packet = RtpStream(1, 2, 3, [(4, b"0")], sequence=5, timestamp=6).packet(b"voice", 960, 0.0)
    assert packet[12:14] == b"\xbe\xde"
    assert len(packet) == 12 + 4 + 8 + len(b"voice")
    assert RtpStream(1, 2, sequence=5, timestamp=6).packet(b"voice", 960, 0.0)[12:] == b"voice"


def test_the_time_is_that_of_ntp() -> None:
    moment = clock.current_datetime()
    assert abs(ntp(moment.timestamp()) - clock.datetime_to_ntp(moment)) < 2**32 / 1e5
