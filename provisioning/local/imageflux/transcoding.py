"""The picture of HLS: decoded as it comes, encoded anew as each rendition asks for it, as the service does."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

import av
import numpy as np

from provisioning.local.imageflux.requests import VideoRequest

DECODERS: Final = {"video/H264": "h264", "video/VP8": "vp8"}
PROFILES: Final = {"h264_baseline": "Baseline", "h264_main": "Main", "h264_high": "High"}
QUICK: Final = {"preset": "ultrafast", "tune": "zerolatency", "forced-idr": "1", "level": "3.1"}


class Screen:
    """The last picture that a publisher has sent, black before the first.

    Args:
        codec: of what it sends, `video/H264` or `video/VP8`.
    """

    def __init__(self, codec: str) -> None:
        self._codec: Any = av.CodecContext.create(DECODERS[codec], "r")
        self._codec.thread_count = 1
        self.shown: Any = av.VideoFrame.from_ndarray(np.zeros((36, 64, 3), np.uint8), format="rgb24")

    def take(self, pictures: Sequence[bytes]) -> None:
        """Decode what has come; what cannot be decoded is left out."""
        for picture in pictures:
            try:
                self.shown = next(reversed(self._codec.decode(av.Packet(picture))), self.shown)
            except av.FFmpegError:
                continue


class Film:
    """The pictures of one rendition, at a steady rate, with a whole one where each segment begins.

    Args:
        container: what they are muxed into; owned by the caller.
        video: size, rate, bit rate and profile.
        seconds: the length of a segment.
    """

    def __init__(self, container: Any, video: VideoRequest, seconds: int) -> None:
        self._container, self._video, self._whole = container, video, video.fps * seconds
        self._stream = container.add_stream("libx264", rate=video.fps)
        self._stream.width, self._stream.height, self._stream.pix_fmt = video.width, video.height, "yuv420p"
        self._stream.bit_rate = video.bps
        self._stream.codec_context.gop_size = self._whole
        self._stream.codec_context.thread_count = 1
        self._stream.codec_context.profile = PROFILES[video.codec]
        self._stream.options = QUICK
        self._number = 0

    def write(self, shown: Any, until: float) -> None:
        """Show a picture up to `until`, in seconds of the programme."""
        scaled: Any = None
        while self._number < until * self._video.fps:
            scaled = scaled or shown.reformat(self._video.width, self._video.height, "yuv420p")
            scaled.pts, scaled.time_base = self._number, Fraction(1, self._video.fps)
            kinds = av.video.frame.PictureType
            scaled.pict_type = kinds.NONE if self._number % self._whole else kinds.I
            self._mux(scaled)
            self._number += 1

    def close(self) -> None:
        """Flush the encoder."""
        if self._number:
            self._mux(None)

    def _mux(self, frame: Any) -> None:
        for packet in self._stream.encode(frame):
            self._container.mux(packet)
