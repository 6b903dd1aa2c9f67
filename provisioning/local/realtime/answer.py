"""PURE. The SDP answer in the shape of the real service's (captures of January and April 2026)."""

from __future__ import annotations

import re
from typing import Final

from provisioning.local.realtime.refusals import invalid_offer

MAX_MESSAGE_SIZE: Final = 1_073_741_823

_CODECS: Final = re.compile(r"^a=rtpmap:(\d+) opus/48000/2\r$", re.MULTILINE | re.IGNORECASE)


def checked_offer(body: bytes) -> str:
    """Return the offer in a request body.

    Raises:
        RefusedError: empty, not SDP, cut at its end, or without the two sections that a call has.
    """
    try:
        offer = body.decode()
    except UnicodeDecodeError:
        raise invalid_offer("not UTF-8") from None
    if not offer.startswith("v=0"):
        raise invalid_offer("expected v=0")
    if not offer.endswith("\r\n"):
        raise invalid_offer("EOF")
    for section, wanted in (("m=audio ", "an audio section"), ("m=application ", "a data channel section")):
        if f"\r\n{section}" not in offer:
            raise invalid_offer(f"expected {wanted}")
    if not _CODECS.search(offer):
        raise invalid_offer("expected opus/48000/2")
    return offer


def without_candidates(offer: str) -> str:
    """Return the offer less its ICE candidates: a lite agent learns addresses from the checks that reach it."""
    return re.sub(r"^a=(?:candidate:.*|end-of-candidates)\r\n", "", offer, flags=re.MULTILINE)


def shaped_answer(answer: str, offer: str) -> str:
    """Return the same answer as aiortc's `answer` to `offer`, written as the real service writes it."""
    sections = re.split(r"(?=^m=)", answer, flags=re.MULTILINE)[1:]
    mids = [_value(section, "mid") for section in sections]
    head = [
        "v=0",
        "o=- 7075162086859809594 1777287993 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "a=msid-semantic:WMS *",
        f"a=fingerprint:sha-256 {_fingerprint(answer)}",
        "a=ice-lite",
        f"a=group:BUNDLE {' '.join(mids)}",
    ]
    bodies = [line for section in sections for line in _section(section, offer)]
    return "".join(f"{line}\r\n" for line in [*head, *bodies])


def _section(section: str, offer: str) -> list[str]:
    transport = [
        "c=IN IP4 0.0.0.0",
        "a=setup:active",
        f"a=mid:{_value(section, 'mid')}",
        f"a=ice-ufrag:{_value(section, 'ice-ufrag')}",
        f"a=ice-pwd:{_value(section, 'ice-pwd')}",
    ]
    if section.startswith("m=audio"):
        return [*_audio(section, offer, transport), *_candidates(section)]
    channel = ["a=sendrecv", "a=sctp-port:5000", f"a=max-message-size:{MAX_MESSAGE_SIZE}"]
    return ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", *transport, *channel, *_candidates(section)]


def _audio(section: str, offer: str, transport: list[str]) -> list[str]:
    opus = _CODECS.findall(offer)[0]
    fixed = [(number, name) for number, name in (("0", "PCMU"), ("8", "PCMA")) if f"a=rtpmap:{number} " in section]
    ssrc = _value(section, "ssrc").split()[0]
    return [
        f"m=audio 9 UDP/TLS/RTP/SAVPF {' '.join([opus, *(number for number, _ in fixed)])}",
        *transport,
        "a=rtcp-mux",
        "a=rtcp-rsize",
        f"a=rtpmap:{opus} opus/48000/2",
        f"a=fmtp:{opus} minptime=10;useinbandfec=1",
        *(f"a=rtpmap:{number} {name}/8000" for number, name in fixed),
        f"a=ssrc:{ssrc} cname:realtimeapi",
        f"a=ssrc:{ssrc} msid:realtimeapi audio",
        f"a=ssrc:{ssrc} mslabel:realtimeapi",
        f"a=ssrc:{ssrc} label:audio",
        "a=msid:realtimeapi audio",
        "a=sendrecv",
    ]


def _candidates(section: str) -> list[str]:
    fragment = _value(section, "ice-ufrag")
    found = re.findall(r"^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", section, re.MULTILINE)
    udp = [
        f"a=candidate:{index} 1 udp 2130706431 {host} {port} typ host" for index, (host, port) in enumerate(found, 1)
    ]
    tcp = [f"a=candidate:{len(udp) + 1} 1 tcp 1671430143 {found[0][0]} 443 typ host tcptype passive"] if found else []
    return [f"{line} ufrag {fragment}" for line in [*udp, *tcp]]


def _value(section: str, name: str) -> str:
    match = re.search(rf"^a={name}:(.*)\r$", section, re.MULTILINE)
    return match[1] if match else ""


def _fingerprint(answer: str) -> str:
    match = re.search(r"^a=fingerprint:sha-256 (\S+)\r$", answer, re.MULTILINE)
    return match[1] if match else ""
