from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.local.imageflux.captions import MOST, CaptionPush, CaptionTrack, id3, webvtt
from provisioning.local.imageflux.playlist import as_captions, captioned, spans
from tests.provisioning.local.imageflux.m3u8 import parse_media
from tests.provisioning.local.imageflux.test_playlist import WRITTEN


def caption(start: float, end: float, text: str = "words", name: str = "a") -> CaptionPush:
    return CaptionPush(id=name, speaker="user", text=text, start=start, end=end)


def test_a_caption_takes_the_place_of_the_one_with_its_id_and_an_empty_one_withdraws_it() -> None:
    track = CaptionTrack()
    track.put(caption(1, 2, "wo"))
    track.put(caption(1, 2, "words"))
    assert [each.text for each in track.within(0, 9)] == ["words"]
    track.put(caption(1, 2, ""))
    assert track.within(0, 9) == []


def test_only_the_newest_are_kept() -> None:
    track = CaptionTrack()
    for number in range(MOST + 5):
        track.put(caption(number, number + 1, name=str(number)))
    assert [each.start for each in track.within(0, 10)] == [5, 6, 7, 8, 9]


def test_a_segment_shows_what_is_said_within_it_in_the_order_of_speech() -> None:
    track = CaptionTrack()
    for name, start, end in [("b", 10.5, 11.5), ("a", 9.5, 10.25), ("c", 11.0, 12.0)]:
        track.put(caption(start, end, f"<{name}>\n &", name))
    assert webvtt(track.within(10, 11), 10, 11, 2.5) == (
        "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:225000,LOCAL:00:00:00.000\n\n"
        "00:00:00.000 --> 00:00:00.250\n<v user>&lt;a&gt; &amp;\n\n"
        "00:00:00.500 --> 00:00:01.000\n<v user>&lt;b&gt; &amp;\n\n"
    )


@given(st.text(max_size=3000))
def test_a_tag_holds_the_caption_and_its_own_length(text: str) -> None:
    made = caption(1, 2, text)
    tag = id3(made)
    frame = tag[10:]
    assert (tag[:6], frame[:4]) == (b"ID3\x04\x00\x00", b"TXXX")
    lengths = [sum(byte << 7 * (3 - at) for at, byte in enumerate(size)) for size in (tag[6:10], frame[4:8])]
    assert lengths == [len(frame), len(frame) - 10]
    assert frame[10:17] == b"\x03kaiwa\x00"
    assert msgspec.json.decode(frame[17:], type=CaptionPush) == made


def test_the_playlist_of_captions_goes_with_that_of_the_sound() -> None:
    words = parse_media(as_captions(WRITTEN, -0.1))
    assert [segment.uri for segment in words.segments] == ["000003.vtt", "000004.vtt"]
    assert words.sequence == 3
    found = spans(WRITTEN, -0.1)
    dates = [segment.at.timestamp() for segment in words.segments if segment.at]
    assert dates == pytest.approx([start for start, _ in found.values()], abs=0.001)
    assert list(found) == ["000003", "000004"]
    assert round(found["000003"][1] - found["000003"][0], 6) == 1.002667


def test_the_master_names_the_captions() -> None:
    lines = captioned("index.m3u8", 64_000).splitlines()
    assert lines[-1] == "index.m3u8"
    assert any('TYPE=SUBTITLES,GROUP-ID="captions"' in line and 'URI="captions.m3u8"' in line for line in lines)
    assert 'SUBTITLES="captions"' in lines[-2]
