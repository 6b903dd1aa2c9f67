"""H.264 from pictures by libavcodec: one thread, nothing held back, a whole picture at least every two seconds."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final, Literal

import av
import numpy as np
from numpy.typing import NDArray

from device.errors import CodecError

Encoder = Literal["libx264", "h264_v4l2m2m"]
"""In software, or by the hardware that Linux has a driver for; the second was never tried."""

CLOCK: Final = 90_000
"""Ticks per second of video in RTP (RFC 6184 section 8.2.1)."""
KEY_SECONDS: Final = 2.0
"""Between whole pictures: who comes late, and HLS, need one to begin with."""

_OPTIONS: Final[dict[Encoder, dict[str, str]]] = {
    "libx264": {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "crf": "24",
        "forced-idr": "1",
        "level": "3.1",
        "x264-params": "repeat-headers=1:sliced-threads=0",
    },
    "h264_v4l2m2m": {},
}


class H264Encoder:
    """Encodes pictures of one size; blocking, for a thread of its own.

    Args:
        width: pixels, even.
        height: likewise.
        rate: pictures per second that will come.
        bit_rate: bit/s at most, over a second.
        encoder: which of libavcodec's.

    Raises:
        CodecError: this libavcodec has no such encoder, or it cannot be opened.
    """

    def __init__(self, width: int, height: int, *, rate: int, bit_rate: int, encoder: Encoder = "libx264") -> None:
        try:
            self._codec: Any = av.CodecContext.create(encoder, "w")
            self._configure(width, height, rate, bit_rate, encoder)
            self._codec.open()
        except (av.FFmpegError, ValueError) as error:
            raise CodecError(f"no H.264 by {encoder}: {error}; set broadcast.picture_encoder to libx264") from None
        self._frame: Any = None

    def encode(self, picture: NDArray[np.uint8] | None, pts: int, *, whole: bool) -> bytes:
        """Return one picture as H.264 in Annex B, at `pts` in ticks of `CLOCK`; empty when it comes with a later one.

        Args:
            picture: RGB, shape (height, width, 3); None for the one before once more.
            pts: must grow.
            whole: make it one that needs no other.
        """
        if picture is not None:
            self._frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        self._frame.pts, self._frame.time_base = pts, Fraction(1, CLOCK)
        kinds = av.video.frame.PictureType
        self._frame.pict_type = kinds.I if whole else kinds.NONE
        return b"".join(bytes(packet) for packet in self._codec.encode(self._frame))

    def _configure(self, width: int, height: int, rate: int, bit_rate: int, encoder: Encoder) -> None:
        codec = self._codec
        codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
        codec.time_base, codec.framerate = Fraction(1, CLOCK), Fraction(rate, 1)
        codec.gop_size, codec.max_b_frames, codec.thread_count = round(rate * KEY_SECONDS), 0, 1
        codec.options = dict(_OPTIONS[encoder])
        if encoder == "libx264":
            codec.profile = "Baseline"
            codec.options |= {"maxrate": str(bit_rate), "bufsize": str(bit_rate)}
        else:
            codec.bit_rate = bit_rate
