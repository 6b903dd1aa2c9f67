"""Opus and perhaps a picture in, AAC segments and a playlist out; blocking, made to run in a worker thread."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from provisioning.local.imageflux.requests import VideoRequest
from provisioning.local.imageflux.transcoding import Film, Screen

RATE: Final = 48_000
PLAYLIST: Final = "index.m3u8"
STRIDE: Final = RATE // 25
"""Samples that are encoded before it is the picture's turn: so much sound at most is on the wrong side of a cut."""
LATEST_MARK: Final = RATE
"""Samples: a mark that comes later than this after its place is put no further back, or players would miss it."""
PRIMING: Final = 1024
"""Samples that libavcodec's AAC encoder puts before the first one (its `initial_padding`)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the programme: `silence` zeros, then the `samples` of `opus` without the first `skip`."""

    silence: int
    opus: bytes = b""
    samples: int = 0
    skip: int = 0


class Decoder:
    """Opus to mono PCM at 48 kHz; a packet that does not decode becomes silence."""

    def __init__(self) -> None:
        self._codec = av.CodecContext.create("libopus", "r")
        self._codec.layout = "mono"
        self._codec.sample_rate = RATE

    def __call__(self, piece: Piece) -> NDArray[np.int16]:
        """Return the samples of one piece, shape (silence + samples - skip,)."""
        samples = np.zeros(piece.silence + piece.samples, np.int16)
        decoded = self._decoded(piece.opus)[: piece.samples]
        samples[piece.silence : piece.silence + decoded.size] = decoded
        return np.delete(samples, slice(piece.silence, piece.silence + piece.skip))

    def _decoded(self, opus: bytes) -> NDArray[np.int16]:
        try:
            frames = self._codec.decode(av.Packet(opus)) if opus else []
        except av.FFmpegError:
            frames = []
        return np.concatenate([np.zeros(0, np.int16), *(frame.to_ndarray().reshape(-1) for frame in frames)])


class Rendition:
    """One playlist with its segments, written by libavformat's hls muxer into a folder of its own.

    Args:
        folder: made when missing.
        seconds: the length of a segment.
        bps: the bit rate of AAC-LC mono.
        listed: how many segments a live playlist names; older files are deleted a little later.
        video: the picture beside the sound, None for sound alone.
    """

    def __init__(self, folder: Path, *, seconds: int, bps: int, listed: int, video: VideoRequest | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        options = {
            "hls_time": str(seconds),
            "hls_list_size": str(listed),
            "hls_delete_threshold": str(listed),
            "hls_flags": "delete_segments+program_date_time+temp_file",
            "hls_segment_filename": str(folder / "%06d.ts"),
            "max_interleave_delta": "1",  # microseconds: sound never waits for the next caption
        }
        self._container: Any = av.open(str(folder / PLAYLIST), "w", format="hls", options=options)
        self._stream = self._container.add_stream("aac", rate=RATE, layout="mono")
        self._stream.bit_rate = bps
        self._film = Film(self._container, video, seconds) if video else None
        self._metadata = self._container.add_data_stream("timed_id3")
        self.dated = time.time() + PRIMING / RATE
        """Unix seconds that stand in the playlist for the first sample of ours."""
        self._container.start_encoding()

    def write(self, frame: av.AudioFrame | None) -> None:
        """Encode and mux one frame; None flushes the encoder."""
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def show(self, shown: Any, until: float) -> None:
        """Show a picture up to `until`, in seconds of the programme, if this rendition has pictures."""
        if self._film:
            self._film.write(shown, until)

    def mark(self, tag: bytes, position: int) -> None:
        """Mux one ID3 tag at `position`, in samples; positions must grow."""
        packet = av.Packet(tag)
        packet.stream, packet.time_base = self._metadata, Fraction(1, RATE)
        packet.pts = packet.dts = position
        self._container.mux(packet)

    def close(self) -> None:
        """Write the last segment and `EXT-X-ENDLIST`."""
        if self._film:
            self._film.close()
        self.write(None)
        self._container.close()


@dataclass(frozen=True, slots=True)
class Mark:
    """An ID3 tag, and where in the programme it belongs, in samples."""

    position: int
    tag: bytes


class SegmentWriter:
    """The renditions of one publisher; decodes once, encodes for each. `picture` is the codec of its picture, if any."""

    def __init__(self, renditions: Sequence[Rendition], picture: str | None = None) -> None:
        self._decode = Decoder()
        self._screen = Screen(picture) if picture else None
        self._renditions = list(renditions)
        self._samples = 0
        self._marks: list[Mark] = []
        self._marked = -1

    @property
    def dated(self) -> float:
        """Unix seconds that stand in the playlists for the first sample."""
        return self._renditions[0].dated

    def write(self, pieces: Sequence[Piece], marks: Sequence[Mark] = (), pictures: Sequence[bytes] = ()) -> None:
        """Append pieces to the programme, under the newest of `pictures`; marks wait until it has got to their place."""
        if self._screen:
            self._screen.take(pictures)
        self._append(pieces)
        self._marks += marks
        due = [mark for mark in self._marks if mark.position <= self._samples]
        self._marks = [mark for mark in self._marks if mark.position > self._samples]
        for mark in sorted(due, key=lambda each: each.position) if self._samples else ():
            self._marked = max(mark.position, self._marked + 1, self._samples - LATEST_MARK)
            for rendition in self._renditions:
                rendition.mark(mark.tag, self._marked)

    def _append(self, pieces: Sequence[Piece]) -> None:
        samples = np.concatenate([np.zeros(0, np.int16), *(self._decode(piece) for piece in pieces)])
        for start in range(0, samples.size, STRIDE):
            self._encode(samples[start : start + STRIDE])

    def _encode(self, samples: NDArray[np.int16]) -> None:
        for rendition in self._renditions:
            if self._screen:
                rendition.show(self._screen.shown, (self._samples + samples.size) / RATE)
            rendition.write(self._frame(samples))
        self._samples += samples.size

    def end(self, pieces: Sequence[Piece]) -> None:
        """Append the last pieces and end every playlist."""
        self.write(pieces)
        for rendition in self._renditions:
            rendition.close()

    def _frame(self, samples: NDArray[np.int16]) -> av.AudioFrame:
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._samples, Fraction(1, RATE)
        return frame
