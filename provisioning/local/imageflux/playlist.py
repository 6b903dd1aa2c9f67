"""PURE. Playlists as they are served: what libavformat wrote, with the tags it does not write (RFC 8216)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from provisioning.local.imageflux.requests import HlsRequest, VideoRequest

AUDIO_CODEC: Final = "mp4a.40.2"
"""AAC-LC, RFC 6381."""

VIDEO_CODECS: Final = {"h264_baseline": "avc1.42c01f", "h264_main": "avc1.4d401f", "h264_high": "avc1.64001f"}
"""H.264 at level 3.1 (RFC 6381 section 3.3); the level is written so, whatever the size needs."""

CAPTIONS: Final = "captions.m3u8"
"""The media playlist of WebVTT segments beside a media playlist of sound."""

_DATE = re.compile(r"^#EXT-X-PROGRAM-DATE-TIME:(.*)\+0000$", re.MULTILINE)
_SEGMENT = re.compile(r"^#EXTINF:([\d.]+),\n#EXT-X-PROGRAM-DATE-TIME:(.*)\+0000\n(\d+)\.ts$", re.MULTILINE)


def spans(written: str, date_shift: float) -> dict[str, tuple[float, float]]:
    """Return, for each segment by its number, the Unix seconds at which it begins and ends."""
    found: dict[str, tuple[float, float]] = {}
    for seconds, date, number in _SEGMENT.findall(written):
        began = datetime.fromisoformat(f"{date}+00:00").timestamp() + date_shift
        found[number] = (began, began + float(seconds))
    return found


def as_captions(written: str, date_shift: float) -> str:
    """Return the media playlist of WebVTT segments that goes with a media playlist of sound."""
    text = re.sub(r"^(\d+)\.ts$", r"\1.vtt", written, flags=re.MULTILINE)
    return _DATE.sub(lambda found: _dated(found[1], date_shift), text)


def codecs_of(video: VideoRequest | None) -> str:
    """Return the codecs of a rendition with such a picture, or with sound alone."""
    return f"{VIDEO_CODECS[video.codec]},{AUDIO_CODEC}" if video else AUDIO_CODEC


def picture_bps(wish: HlsRequest, picture: str | None) -> int:
    """Return the bit/s that the picture of a rendition takes, 0 when its publisher sends none."""
    return wish.video.bps if wish.video and picture else 0


def captioned(playlist: str, bps: int, codecs: str = AUDIO_CODEC) -> str:
    """Return a master playlist of one `playlist` with captions, for players that look for them in HLS."""
    return (
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="Captions",DEFAULT=YES,AUTOSELECT=YES,FORCED=NO,'
        f'URI="{CAPTIONS}"\n'
        f'#EXT-X-STREAM-INF:BANDWIDTH={2 * bps},AVERAGE-BANDWIDTH={bps},CODECS="{codecs}",SUBTITLES="captions"\n'
        f"{playlist}\n"
    )


def as_served(written: str, start_offset: float, date_shift: float = 0.0, key: str = "") -> str:
    """Return a media playlist with `EXT-X-START`, independent segments, and dates that every browser parses.

    Args:
        written: by libavformat.
        start_offset: seconds; negative counts from the live edge.
        date_shift: seconds to add to every date.
        key: the line that tells how the segments are encrypted, if they are.
    """
    if key:
        written = written.replace("#EXTINF", f"{key}\n#EXTINF", 1)
    head, _, rest = written.partition("#EXT-X-MEDIA-SEQUENCE")
    start = f"#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-START:TIME-OFFSET={start_offset:g}\n"
    return _DATE.sub(lambda found: _dated(found[1], date_shift), f"{head}{start}#EXT-X-MEDIA-SEQUENCE{rest}")


def _dated(written: str, shift: float) -> str:
    date = datetime.fromisoformat(written) + timedelta(seconds=shift)
    return f"#EXT-X-PROGRAM-DATE-TIME:{date.isoformat(timespec='milliseconds')}Z"


def master(renditions: Sequence[tuple[str, int, str]]) -> str:
    """Return the master playlist of `(address, bits per second, codecs)` renditions, best first."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for address, bps, codecs in sorted(renditions, key=lambda each: -each[1]):
        lines += [f'#EXT-X-STREAM-INF:BANDWIDTH={2 * bps},AVERAGE-BANDWIDTH={bps},CODECS="{codecs}"', address]
    return "\n".join(lines) + "\n"
