"""The record of a conversation as it is read back: by an older version, after a power cut, and out of order."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import RecordError
from device.messages.record import (
    FORMAT,
    Answered,
    Failed,
    Happened,
    Manifest,
    Said,
    State,
    Stood,
    Track,
    Used,
    captions_of,
    decode_events,
    decode_manifest,
)
from device.messages.reports import Speaker
from device.messages.wire import encode

MANIFEST = Manifest(
    format=FORMAT, state=State.CLOSED, session="s", device="robot-1", began_at=1.8e9, consent="posted", lost_blocks=3
)
EVENTS: list[Happened] = [
    Stood(at=0.0, phase="listening", on_air=True),
    Said(at=1.0, id="a", speaker=Speaker.USER, text="Hello", start=0.1, end=0.9, approximate=True),
    Used(at=2.0, tool="lamp", arguments="{}", ok=True, outcome='"on"', seconds=0.1),
    Answered(at=3.0, total=800, network=40, model=700, device=60),
    Failed(at=-4.0, code="media", text="it went silent"),
]
LINES = b"".join(encode(event) + b"\n" for event in EVENTS)


def test_what_was_written_is_read() -> None:
    assert decode_manifest(encode(MANIFEST)) == MANIFEST
    assert decode_events(LINES) == EVENTS


def test_what_a_later_version_adds_is_passed_over() -> None:
    newer = json.loads(encode(MANIFEST)) | {"weather": "fine"}
    assert decode_manifest(json.dumps(newer).encode()) == MANIFEST
    lines = b'{"type":"weather","at":1.0}\n' + LINES.replace(b'"at"', b'"new":[1],"at"')
    assert decode_events(lines) == EVENTS


def test_a_later_format_is_refused_and_says_so() -> None:
    later = json.loads(encode(MANIFEST)) | {"format": FORMAT + 1}
    with pytest.raises(RecordError, match=f"format {FORMAT + 1}; this version reads up to {FORMAT}"):
        decode_manifest(json.dumps(later).encode())


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b"[" * 100_000, encode(MANIFEST)[:-1], b'{"format": "1"}'])
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(RecordError, match="no manifest"):
        decode_manifest(data)


@given(st.integers(0, len(LINES)))
def test_of_a_record_that_was_cut_every_whole_line_is_read(cut: int) -> None:
    whole = LINES[: cut + 1].count(b"\n")  # the last one needs no end of its line
    assert decode_events(LINES[:cut]) == EVENTS[:whole]


@given(st.binary(max_size=100))
def test_no_line_is_too_odd(data: bytes) -> None:
    assert decode_events(data + b"\n" + LINES)[-len(EVENTS) :] == EVENTS


@pytest.mark.parametrize("at", ["1e6", "-1e6", "0"])
def test_moments_have_bounds(at: str) -> None:
    inside = f'{{"type":"fault","at":{at},"code":"x","text":""}}'.encode()
    assert len(decode_events(inside)) == 1
    assert decode_events(inside.replace(at.encode(), b"1000000.1")) == []
    assert decode_events(inside.replace(at.encode(), b"-1000000.1")) == []


def said(number: str, start: float, text: str) -> Said:
    return Said(at=start, id=number, speaker=Speaker.USER, text=text, start=start, end=start + 1)


def test_captions_are_what_was_said_at_last_in_the_order_of_speech() -> None:
    events: list[Happened] = [
        said("b", 5.0, "then"),
        said("a", 1.0, "fir"),
        Stood(at=2.0, phase="x"),
        said("a", 1.0, "first"),
    ]
    assert [each.text for each in captions_of(events)] == ["first", "then"]
    assert captions_of([]) == []


def test_the_sounds_of_a_record_have_files_of_their_own() -> None:
    assert [track.file for track in Track] == ["mixed.ogg", "near.ogg", "played.ogg"]


def test_records_of_today_are_read_by_every_later_version() -> None:
    line = b'{"type":"caption","at":1.5,"id":"a","speaker":"user","text":"x","start":0,"end":1}'
    assert decode_events(line) == [Said(at=1.5, id="a", speaker=Speaker.USER, text="x", start=0.0, end=1.0)]
    [caption] = captions_of(decode_events(line))
    assert not caption.approximate
    manifest = b'{"format":1,"state":"open","session":"s","device":"d","began_at":5,"consent":"asked"}'
    read = decode_manifest(manifest)
    assert (read.state, read.seconds, read.lost_blocks, read.usage, read.figures) == (State.OPEN, 0.0, 0, {}, None)
    with pytest.raises(RecordError, match="format 2"):
        decode_manifest(manifest.replace(b'"format":1', b'"format":2'))


def test_what_is_as_it_is_anyway_takes_no_room_on_the_disk() -> None:
    assert encode(Stood(at=0.5, phase="idle")) == b'{"type":"phase","at":0.5,"phase":"idle"}'
    assert encode(Stood(at=0.5, phase="idle", muted=True)) == b'{"type":"phase","at":0.5,"phase":"idle","muted":true}'
