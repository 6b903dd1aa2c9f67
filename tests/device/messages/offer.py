"""An offer as aiortc makes one, of one address, with the two larger fingerprints left out."""

PASSWORD = "GER5KT6M7OXzQicAMknPC0"

FINGERPRINT = ":".join(["EF"] * 32)

SECTION = f"""\
c=IN IP4 192.0.2.2
a=candidate:f957a2332b1715da3b0ef8ba684454eb 1 udp 2130706431 192.0.2.2 38488 typ host
a=end-of-candidates
a=ice-ufrag:Y7pN
a=ice-pwd:{PASSWORD}
a=fingerprint:sha-256 {FINGERPRINT}
a=setup:actpass
"""

OFFER = f"""\
v=0
o=- 4004675417 4004675417 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0 1
a=msid-semantic:WMS *
m=audio 38488 UDP/TLS/RTP/SAVPF 96 9 0 8
a=sendrecv
a=mid:0
a=rtcp-mux
a=rtpmap:96 opus/48000/2
{SECTION}\
m=application 33449 UDP/DTLS/SCTP webrtc-datachannel
a=mid:1
a=sctp-port:5000
a=max-message-size:262144
{SECTION}\
""".replace("\n", "\r\n")
