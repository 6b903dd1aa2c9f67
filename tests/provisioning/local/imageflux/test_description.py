from __future__ import annotations

from provisioning.local.imageflux.description import mids, with_opus_parameters
from provisioning.local.imageflux.messages import OpusParams

SDP = (
    "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 97\r\na=mid:0\r\na=rtpmap:97 VP8/90000\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=rtpmap:96 opus/48000/2\r\na=sendonly\r\n"
)


def test_opus_gets_a_line_of_parameters_after_its_name() -> None:
    sdp = with_opus_parameters(SDP, OpusParams())
    assert "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 minptime=10;useinbandfec=1\r\na=sendonly\r\n" in sdp


def test_wishes_are_echoed_under_their_names_in_sdp() -> None:
    wished = OpusParams(maxplaybackrate=16_000, stereo=False, sprop_stereo=False, usedtx=True, useinbandfec=False)
    line = next(line for line in with_opus_parameters(SDP, wished).split("\r\n") if line.startswith("a=fmtp:96 "))
    assert set(line.removeprefix("a=fmtp:96 ").split(";")) == {
        "minptime=10",
        "maxplaybackrate=16000",
        "stereo=0",
        "sprop-stereo=0",
        "usedtx=1",
        "useinbandfec=0",
    }


def test_mids_by_kind() -> None:
    assert mids(SDP) == {"video": "0", "audio": "1"}
