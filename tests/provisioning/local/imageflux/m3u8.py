"""A strict reader of HLS playlists: every tag must be known, in its place and well-formed (RFC 8216).

What it reads is read by the library m3u8, in its strict mode, too, and both must find the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

import m3u8

_ATTRIBUTE = r"[A-Z0-9-]+=(?:\"[^\"\n\r]*\"|[^\",\s][^,\s]*)"
_HEAD = {
    "#EXT-X-VERSION": r"[1-9]",
    "#EXT-X-TARGETDURATION": r"\d+",
    "#EXT-X-MEDIA-SEQUENCE": r"\d+",
    "#EXT-X-START": r"TIME-OFFSET=-?\d+(?:\.\d+)?",
    "#EXT-X-INDEPENDENT-SEGMENTS": r"",
}


@dataclass
class Segment:
    uri: str
    seconds: float
    at: datetime | None = None


@dataclass
class MediaPlaylist:
    target: int
    sequence: int
    start: float | None
    ended: bool
    key: str = ""
    segments: list[Segment] = field(default_factory=list)


def _tags(text: str) -> list[tuple[str, str]]:
    assert text.endswith("\n")
    assert "\r" not in text
    lines = [line for line in text.split("\n") if line]
    assert lines[0] == "#EXTM3U"
    assert "#EXTM3U" not in lines[1:]
    return [(line, "") if not line.startswith("#") else _tag(line) for line in lines[1:]]


def _tag(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value


def parse_media(text: str) -> MediaPlaylist:
    head: dict[str, str] = {}
    segments: list[Segment] = []
    pending: dict[str, str] = {}
    ended, key = False, ""
    for name, value in _tags(text):
        assert not ended, "nothing may follow ENDLIST here"
        if name in _HEAD:
            assert not segments, f"{name} after the first segment"
            assert name not in head, f"{name} twice"
            assert re.fullmatch(_HEAD[name], value), f"{name}:{value}"
            head[name] = value
        elif name in {"#EXTINF", "#EXT-X-PROGRAM-DATE-TIME"}:
            assert name not in pending
            pending[name] = value
        elif name == "#EXT-X-KEY":
            assert not segments, "one key for all, before the first"
            found = re.fullmatch(r'METHOD=AES-128,URI="([^"]+)"', value)
            assert found, f"{name}:{value}"
            key = found[1]
        elif name == "#EXT-X-ENDLIST":
            ended = True
        else:
            assert re.fullmatch(r"[\w./-]+", name), f"unknown: {name}"
            seconds = re.fullmatch(r"(\d+(?:\.\d+)?),.*", pending.pop("#EXTINF"))
            assert seconds
            at = pending.pop("#EXT-X-PROGRAM-DATE-TIME", None)
            segments.append(Segment(name, float(seconds[1]), datetime.fromisoformat(at) if at else None))
    assert not pending
    assert segments
    target = int(head["#EXT-X-TARGETDURATION"])
    assert all(round(segment.seconds) <= target for segment in segments)
    start = head.get("#EXT-X-START", "=").partition("=")[2]
    sequence = int(head.get("#EXT-X-MEDIA-SEQUENCE", "0"))
    others = m3u8.M3U8(text, strict=True)
    assert [segment.uri for segment in others.segments] == [segment.uri for segment in segments]
    assert [segment.duration for segment in others.segments] == [segment.seconds for segment in segments]
    assert (others.target_duration, others.media_sequence, others.is_endlist) == (target, sequence, ended)
    return MediaPlaylist(target, sequence, float(start) if start else None, ended, key, segments)


def parse_master(text: str) -> list[tuple[dict[str, str], str]]:
    variants: list[tuple[dict[str, str], str]] = []
    attributes: dict[str, str] | None = None
    for name, value in _tags(text):
        if name == "#EXT-X-STREAM-INF":
            assert re.fullmatch(rf"{_ATTRIBUTE}(?:,{_ATTRIBUTE})*", value)
            attributes = dict(re.findall(r"([A-Z0-9-]+)=(\"[^\"]*\"|[^,]+)", value))
            assert int(attributes["BANDWIDTH"]) > 0
        elif name.startswith("#"):
            assert name in {"#EXT-X-VERSION", "#EXT-X-INDEPENDENT-SEGMENTS"}
        else:
            assert attributes is not None
            variants.append((attributes, name))
            attributes = None
    assert variants
    assert [variant.uri for variant in m3u8.M3U8(text, strict=True).playlists] == [uri for _, uri in variants]
    return variants
