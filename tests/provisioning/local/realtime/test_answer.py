import pytest

from provisioning.local.realtime.answer import checked_offer, shaped_answer, without_candidates
from provisioning.local.realtime.refusals import RefusedError

OFFER = """\
v=0
s=-
m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8
a=mid:audio
a=rtpmap:111 opus/48000/2
a=rtpmap:0 PCMU/8000
a=candidate:1 1 udp 2130706431 192.0.2.7 5000 typ host
a=end-of-candidates
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
a=mid:data
""".replace("\n", "\r\n")
ANSWER = """\
v=0
s=-
m=audio 9 UDP/TLS/RTP/SAVPF 111 0
a=mid:audio
a=ssrc:77 cname:someone
a=rtpmap:111 opus/48000/2
a=rtpmap:0 PCMU/8000
a=candidate:x 1 udp 2130706431 127.0.0.1 6000 typ host
a=ice-ufrag:ab/c/de
a=ice-pwd:secretsecretsecretsecret
a=fingerprint:sha-256 AA:BB
a=setup:active
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
a=mid:data
a=ice-ufrag:ab/c/de
a=ice-pwd:secretsecretsecretsecret
""".replace("\n", "\r\n")


def test_the_answer_has_the_shape_of_the_real_one() -> None:
    lines = shaped_answer(ANSWER, OFFER).split("\r\n")
    head = lines[: lines.index("m=audio 9 UDP/TLS/RTP/SAVPF 111 0")]
    assert {"a=ice-lite", "a=fingerprint:sha-256 AA:BB", "a=group:BUNDLE audio data"} <= set(head)
    assert "a=fmtp:111 minptime=10;useinbandfec=1" in lines
    assert "a=ssrc:77 cname:realtimeapi" in lines
    assert lines.count("a=setup:active") == lines.count("a=ice-ufrag:ab/c/de") == 2
    assert "a=candidate:1 1 udp 2130706431 127.0.0.1 6000 typ host ufrag ab/c/de" in lines
    assert "a=candidate:2 1 tcp 1671430143 127.0.0.1 443 typ host tcptype passive ufrag ab/c/de" in lines
    assert {"a=sctp-port:5000", "a=max-message-size:1073741823"} <= set(lines)
    assert "a=end-of-candidates" not in lines
    assert lines[-1] == ""


def test_the_candidates_of_the_client_are_nobodys_business() -> None:
    stripped = without_candidates(OFFER)
    assert "candidate" not in stripped
    assert stripped.count("\r\n") == OFFER.count("\r\n") - 2


def test_a_whole_offer_is_taken() -> None:
    assert checked_offer(OFFER.encode()) == OFFER


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"\xff",
        OFFER.strip().encode(),
        OFFER.replace("m=audio", "m=video").encode(),
        OFFER.partition("m=application")[0].encode(),
        OFFER.replace("opus", "red").encode(),
    ],
)
def test_other_offers_are_refused(body: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        checked_offer(body)
    assert (refused.value.status, refused.value.code) == (400, "invalid_offer")
