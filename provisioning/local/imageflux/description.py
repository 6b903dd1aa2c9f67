"""PURE. The stand-in's edits to an SDP offer that aiortc has written."""

from __future__ import annotations

import re

from provisioning.local.imageflux.messages import OpusParams

_OPUS = re.compile(r"^a=rtpmap:(\d+) opus/48000/2\r$", re.MULTILINE)


def with_opus_parameters(sdp: str, wished: OpusParams) -> str:
    """Return `sdp` with an fmtp line for Opus (RFC 7587 section 6.1): ours, overridden by what the client wished."""
    parameters = {"minptime": 10, "useinbandfec": 1} | {
        name.replace("_", "-"): int(value)
        for name in OpusParams.__struct_fields__
        if (value := getattr(wished, name)) is not None
    }
    line = ";".join(f"{name}={value}" for name, value in parameters.items())
    return _OPUS.sub(lambda found: f"{found[0]}\na=fmtp:{found[1]} {line}\r", sdp)


def mids(sdp: str) -> dict[str, str]:
    """Return the mid of the first media section of each kind, the `mid` object of an offer."""
    found: dict[str, str] = {}
    for section in re.split(r"^m=", sdp, flags=re.MULTILINE)[1:]:
        kind = section.split(" ", 1)[0]
        mid = re.search(r"^a=mid:(\S+)", section, re.MULTILINE)
        if mid and kind in {"audio", "video"}:
            found.setdefault(kind, mid[1])
    return found
