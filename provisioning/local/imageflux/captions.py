"""PURE. Captions of a channel in two forms that HLS players know: WebVTT segments, and ID3 timed metadata.

They come to a channel as pushes of Sora (`{"type": "caption", ...}`), on the same clock as the playlists' dates: Unix
seconds. A segment's WebVTT holds what is said within it and nothing else, so no two segments show the same words twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

import msgspec

OWNER: Final = "kaiwa"
"""The description of our ID3 frames (TXXX), by which players tell them from others'."""

TICKS: Final = 90_000
"""MPEG-2 timestamps per second."""

MOST: Final = 100


class CaptionPush(msgspec.Struct, tag_field="type", tag="caption", forbid_unknown_fields=True):
    """One caption; one with an `id` that is known takes its place, an empty text withdraws it."""

    id: str
    speaker: str
    text: str
    start: float
    end: float
    final: bool = False


class CaptionTrack:
    """The newest `MOST` captions of a channel."""

    def __init__(self) -> None:
        self._by_id: dict[str, CaptionPush] = {}

    def put(self, caption: CaptionPush) -> None:
        """Take one caption."""
        self._by_id[caption.id] = caption
        while len(self._by_id) > MOST:
            del self._by_id[min(self._by_id.values(), key=lambda each: each.start).id]

    def within(self, start: float, end: float) -> list[CaptionPush]:
        """Return what is said between two Unix times, in the order of speech."""
        found = [each for each in self._by_id.values() if each.text and each.start < end and each.end > start]
        return sorted(found, key=lambda each: each.start)


def webvtt(captions: Sequence[CaptionPush], start: float, end: float, position: float) -> str:
    """Return the WebVTT of the segment from `start` to `end` (Unix seconds) at `position` (seconds) of its stream.

    The map between the two clocks is that of RFC 8216 section 3.5.
    """
    lines = ["WEBVTT", f"X-TIMESTAMP-MAP=MPEGTS:{round(position * TICKS)},LOCAL:00:00:00.000", ""]
    for each in captions:
        begins, ends = max(each.start, start) - start, min(each.end, end) - start
        lines += [f"{_clock(begins)} --> {_clock(ends)}", f"<v {each.speaker}>{_text(each.text)}", ""]
    return "\n".join(lines) + "\n"


def id3(caption: CaptionPush) -> bytes:
    """Return `caption` as JSON in one TXXX frame of an ID3v2.4 tag, UTF-8 (id3.org, id3v2.4.0-structure)."""
    body = b"\x03" + OWNER.encode() + b"\x00" + msgspec.json.encode(caption)
    frame = b"TXXX" + _synchsafe(len(body)) + b"\x00\x00" + body
    return b"ID3\x04\x00\x00" + _synchsafe(len(frame)) + frame


def _synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    return f"{milliseconds // 3_600_000:02}:{milliseconds // 60_000 % 60:02}:{milliseconds % 60_000 / 1000:06.3f}"


def _text(text: str) -> str:
    return escape(" ".join(text.split()), quote=False)
