"""PURE. Offers and answers (SDP) on their way through the cloud: how long they may be, and what an offer of a call is."""

from __future__ import annotations

import re
from typing import Final

from device.errors import MalformedMessageError

MOST_SDP: Final = 8192
"""Bytes of one SDP. A robot's offer has 2 kB and 180 bytes for each address, the service's answer 2 kB; such an answer still
fits into a message beside the longest texts of a place."""

MOST_SEALED: Final = MOST_SDP + 48
"""Bytes of one that is sealed."""

_LINE: Final = re.compile(r"[a-z]=[\x20-\x7e]*")
_NEEDED: Final = ("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:sha-256 ")
_SECTIONS: Final = ("m=application ", "m=audio ")
_PASSWORD: Final = re.compile(r"(ice-pwd:)\S+")


def check_offer(data: bytes) -> str:
    """Return the offer in `data`: one audio section and one for data, with what a connection needs, and nothing unseen.

    Raises:
        MalformedMessageError: it is no such offer.
    """
    if len(data) > MOST_SDP:
        raise MalformedMessageError(f"an offer of {len(data)} bytes, over {MOST_SDP}")
    lines = data.decode("ascii", errors="replace").split("\r\n")
    if lines[0] != "v=0" or lines.pop() or not all(_LINE.fullmatch(line) for line in lines):
        raise MalformedMessageError("the offer is not SDP")
    sections = sorted(line.partition(" ")[0] + " " for line in lines if line.startswith("m="))
    if tuple(sections) != _SECTIONS:
        raise MalformedMessageError("the offer is not for one sound and one data channel")
    for wanted in _NEEDED:
        if not any(line.startswith(wanted) for line in lines):
            raise MalformedMessageError(f"the offer has no {wanted.removeprefix('a=').partition(':')[0]}")
    return data.decode("ascii")


def without_passwords(text: str) -> str:
    """Return what somebody says of an SDP, less the ICE passwords that it repeats."""
    return _PASSWORD.sub(r"\1***", text)
