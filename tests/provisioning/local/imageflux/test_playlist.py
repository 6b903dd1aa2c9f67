from __future__ import annotations

from datetime import UTC, datetime

from provisioning.local.imageflux.playlist import AUDIO_CODEC, as_served, master
from tests.provisioning.local.imageflux.m3u8 import parse_master, parse_media

WRITTEN = """#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:1
#EXT-X-MEDIA-SEQUENCE:3
#EXTINF:1.002667,
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T02:34:48.086+0000
000003.ts
#EXTINF:0.980000,
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T02:34:49.088+0000
000004.ts
#EXT-X-ENDLIST
"""


def test_a_served_playlist_is_strictly_valid_and_starts_where_it_was_asked_to() -> None:
    playlist = parse_media(as_served(WRITTEN, -2.5))
    assert playlist.start == -2.5
    assert playlist.sequence == 3
    assert playlist.ended
    assert [segment.uri for segment in playlist.segments] == ["000003.ts", "000004.ts"]
    assert playlist.segments[0].at == datetime(2026, 11, 23, 2, 34, 48, 86_000, UTC)


def test_dates_are_shifted_to_when_the_sound_was_sent() -> None:
    playlist = parse_media(as_served(WRITTEN, -2, date_shift=-0.1))
    assert playlist.segments[0].at == datetime(2026, 11, 23, 2, 34, 47, 986_000, UTC)


def test_the_master_names_the_best_first() -> None:
    variants = parse_master(master([("0/index.m3u8", 64_000, AUDIO_CODEC), ("1/index.m3u8", 128_000, AUDIO_CODEC)]))
    assert [uri for _, uri in variants] == ["1/index.m3u8", "0/index.m3u8"]
    assert variants[0][0]["CODECS"] == '"mp4a.40.2"'
