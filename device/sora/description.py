"""PURE. Between the offers of a server that recycles media sections and aiortc, which cannot.

Re-offers may put port 0 on a section that was released and give its place to a new one (RFC 8829 section 5.2.2).
aiortc knows neither, so it gets a view of its own: sections in order of first appearance, a released one as it last
was but inactive. Its answers are put back into the order of the offer.
"""

from __future__ import annotations

import re
from typing import Final

_SECTION: Final = re.compile(r"^(?=m=)", re.MULTILINE)
_MID: Final = re.compile(r"^a=mid:(\S+)", re.MULTILINE)
_MEDIA: Final = re.compile(r"^m=(\S+) (\d+) (.*?)\r?$", re.MULTILINE)
_DIRECTION: Final = re.compile(r"^a=(?:sendrecv|sendonly|recvonly|inactive)\r?$", re.MULTILINE)
_BUNDLE: Final = re.compile(r"^a=group:BUNDLE (.*?)\r?$", re.MULTILINE)


def candidates(sdp: str) -> list[str]:
    """Return the `candidate:…` lines of the first media section, which all others share."""
    first = next(iter(_split(sdp)[1:]), "")
    return re.findall(r"^a=(candidate:.*?)\r?$", first, re.MULTILINE)


def takes_h264(sdp: str) -> bool:
    """Tell whether an offer has a video section that takes H.264 in the baseline profile (RFC 6184 section 8.1)."""
    for section in _split(sdp)[1:]:
        if section.startswith("m=video") and not _rejected(section):
            for payload in re.findall(r"^a=rtpmap:(\d+) H264/90000\r?$", section, re.MULTILINE):
                parameters = re.search(rf"^a=fmtp:{payload} (.*?)\r?$", section, re.MULTILINE)
                if parameters and re.search(r"packetization-mode=1", parameters[1]) and _baseline(parameters[1]):
                    return True
    return False


def _baseline(parameters: str) -> bool:
    return re.search(r"profile-level-id=42", parameters, re.IGNORECASE) is not None


class Negotiation:
    """The offers and answers of one connection.

    Args:
        audio_mid: names the section that carries our voice, if told.
        video_mid: names the section that carries our picture, likewise.
    """

    def __init__(self, audio_mid: str = "", video_mid: str = "") -> None:
        self._first = [video_mid, audio_mid]
        self._seen: dict[str, str] = {}
        self._offered: list[str] = []

    def incoming(self, offer: str) -> str:
        """Return `offer` as aiortc can take it."""
        head, *self._offered = _split(offer)
        live = {_mid(section): section for section in self._offered if not _rejected(section)}
        released = {mid: _inactive(section) for mid, section in self._seen.items() if mid not in live}
        for mid in sorted(live, key=lambda mid: -self._first.index(mid) if mid in self._first else 1):
            self._seen[mid] = live[mid]
        return head + "".join(released.get(mid, section) for mid, section in self._seen.items())

    def outgoing(self, answer: str) -> str:
        """Return aiortc's `answer` as the server expects it: section by section as in its last offer."""
        head, *answered = _split(answer)
        by_mid = {_mid(section): section for section in answered}
        sections = [_refusal(section) if _rejected(section) else by_mid[_mid(section)] for section in self._offered]
        bundled = [_mid(section) for section in self._offered if not _rejected(section)]
        return _BUNDLE.sub(f"a=group:BUNDLE {' '.join(bundled)}\r", head) + "".join(sections)


def _split(sdp: str) -> list[str]:
    return _SECTION.split(sdp)


def _mid(section: str) -> str:
    found = _MID.search(section)
    return found[1] if found else ""


def _rejected(section: str) -> bool:
    found = _MEDIA.search(section)
    return found is None or found[2] == "0"


def _inactive(section: str) -> str:
    return _DIRECTION.sub("a=inactive\r", section)


def _refusal(section: str) -> str:
    found = _MEDIA.search(section)
    media = f"m={found[1]} 0 {found[3]}\r\n" if found else ""
    return f"{media}c=IN IP4 0.0.0.0\r\na=mid:{_mid(section)}\r\na=inactive\r\n"
