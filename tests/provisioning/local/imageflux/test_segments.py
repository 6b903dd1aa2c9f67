from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from provisioning.local.imageflux.captions import id3
from provisioning.local.imageflux.segments import PLAYLIST, PRIMING, RATE, Mark, Piece, Rendition, SegmentWriter
from tests.provisioning.local.imageflux.listening import dbfs, decoded, loudest_hertz, tone
from tests.provisioning.local.imageflux.m3u8 import parse_media
from tests.provisioning.local.imageflux.test_captions import caption


def packets(sound: Any) -> list[bytes]:
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = 48_000, "mono", "s16"
    made = []
    for number, block in enumerate(sound.reshape(-1, 960)):
        frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, number * 960
        made += [bytes(packet) for packet in codec.encode(frame)]
    return made


def written(folder: Path, pieces: list[Piece], **options: int) -> SegmentWriter:
    writer = SegmentWriter([Rendition(folder, **({"seconds": 1, "bps": 96_000, "listed": 9} | options), video=None)])
    writer.write(pieces)
    return writer


def test_a_tone_comes_out_in_segments_of_a_second(tmp_path: Path) -> None:
    opus = packets(tone(440, -12, 4))
    written(tmp_path, [Piece(0, packet, 960) for packet in opus]).end([])
    playlist = parse_media((tmp_path / PLAYLIST).read_text())
    assert playlist.ended
    assert [round(segment.seconds) for segment in playlist.segments[:3]] == [1, 1, 1]
    sound = decoded(b"".join((tmp_path / segment.uri).read_bytes() for segment in playlist.segments))
    assert loudest_hertz(sound[48_000:96_000]) == pytest.approx(440, abs=1)
    assert dbfs(sound[48_000:96_000]) == pytest.approx(-12, abs=0.5)


def test_gaps_and_overlaps_have_their_exact_length(tmp_path: Path) -> None:
    opus = packets(tone(440, -12, 1))
    pieces = [Piece(4_800), *(Piece(0, packet, 960) for packet in opus), Piece(9_600, opus[0], 960, skip=480)]
    written(tmp_path, pieces).end([])
    playlist = parse_media((tmp_path / PLAYLIST).read_text())
    total = sum(segment.seconds for segment in playlist.segments) * 48_000
    assert total == pytest.approx(4_800 + len(opus) * 960 + 9_600 + 480, abs=2 * 1024)


@pytest.mark.parametrize("nonsense", [b"\xff", b"\xff" * 30, b"\x00\x01"])
def test_a_packet_that_does_not_decode_is_silence_of_its_length(tmp_path: Path, nonsense: bytes) -> None:
    written(tmp_path, [Piece(0, nonsense, 960)] * 100).end([])
    playlist = parse_media((tmp_path / PLAYLIST).read_text())
    assert sum(segment.seconds for segment in playlist.segments) == pytest.approx(2.0, abs=0.05)


def test_old_segments_are_deleted(tmp_path: Path) -> None:
    writer = written(tmp_path, [Piece(48_000)] * 30, listed=3)
    files = {path.name for path in tmp_path.glob("*.ts")}
    assert len(files) < 10
    assert {segment.uri for segment in parse_media((tmp_path / PLAYLIST).read_text()).segments} <= files
    writer.end([])


def test_a_writer_may_end_before_it_began(tmp_path: Path) -> None:
    written(tmp_path, []).end([])
    assert np.all([path.suffix in {".ts", ".m3u8"} for path in tmp_path.iterdir()])


def tags_in(folder: Path) -> list[tuple[float, bytes]]:
    found = []
    for path in sorted(folder.glob("*.ts")):
        with av.open(str(path)) as container:
            found += [
                (float((packet.pts or 0) * packet.time_base), bytes(packet))
                for packet in container.demux()
                if packet.stream.type == "data" and packet.size
            ]
    return found


def test_tags_lie_where_they_belong_and_never_hold_up_the_sound(tmp_path: Path) -> None:
    first, second, early, late = (id3(caption(0, 1, text)) for text in ("first", "second", "early", "late"))
    writer = written(tmp_path, [Piece(48_000)] * 2)
    writer.write([], [Mark(100_000, early), Mark(60_000, first), Mark(60_000, second), Mark(-9_000, late)])
    for _ in range(6):
        writer.write([Piece(24_000)])
    assert len(list(tmp_path.glob("*.ts"))) >= 4
    writer.end([])
    tags = tags_in(tmp_path)
    assert [tag for _, tag in tags] == [late, first, second, early]
    assert [round(at - PRIMING / RATE, 3) for at, _ in tags] == [1.0, 1.25, 1.25, round(100_000 / RATE, 3)]
