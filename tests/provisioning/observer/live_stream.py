"""A real HLS stream for the tests: AAC in MPEG-TS written by libavformat, listed as if it were happening now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
from aiohttp import web
from numpy.typing import NDArray

RATE = 48_000
FRAME = 1_024
SECONDS = 40
WINDOW = 6
ALREADY = 5.0
CORS = {"Access-Control-Allow-Origin": "*"}


def voice(seconds: float = SECONDS) -> NDArray[np.int16]:
    """Return a tone with the rhythm of syllables, shape (n,), peak 0.35 of full scale."""
    t = np.arange(int(seconds * RATE)) / RATE
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 3.1 * t)
    tone = np.sin(2 * np.pi * 220 * t) + 0.5 * np.sin(2 * np.pi * 440 * t)
    return (tone * syllables * 0.23 * 32767).astype(np.int16)


def write_segments(folder: Path, samples: NDArray[np.int16]) -> list[tuple[str, float]]:
    """Write `samples` as segments of about half a second; return their names and durations in seconds."""
    playlist = folder / "all.m3u8"
    options = {"hls_time": "0.5", "hls_list_size": "0", "hls_segment_filename": str(folder / "%03d.ts")}
    with av.open(str(playlist), "w", format="hls", options=options) as container:
        stream = container.add_stream("aac", rate=RATE, layout="mono")
        for start in range(0, len(samples) - FRAME + 1, FRAME):
            frame = av.AudioFrame.from_ndarray(samples[None, start : start + FRAME], format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    lines = playlist.read_text().splitlines()
    marks = [index for index, line in enumerate(lines) if line.startswith("#EXTINF:")]
    return [(lines[index + 1], float(lines[index][8:].rstrip(","))) for index in marks]


@dataclass
class LiveStream:
    """The stream on the air: `started` is the Unix time of its first sample."""

    segments: list[tuple[str, float]]
    started: float
    origin: str = ""
    gone: bool = False

    def begin(self, now: float) -> None:
        """Go on the air again as of `now`, with `ALREADY` seconds behind it."""
        self.started, self.gone = now - ALREADY, False

    @property
    def url(self) -> str:
        """The address of the playlist."""
        return f"{self.origin}/live.m3u8"

    def playlist(self, now: float) -> str:
        """Return the playlist as of `now`: the last `WINDOW` segments that are complete."""
        starts = np.concatenate([[0.0], np.cumsum([seconds for _, seconds in self.segments])])
        done = int(np.searchsorted(starts, now - self.started, side="right")) - 1
        first = max(0, done - WINDOW)
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:1", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
        for index in range(first, min(done, len(self.segments))):
            name, seconds = self.segments[index]
            at = datetime.fromtimestamp(self.started + float(starts[index]), UTC).isoformat(timespec="milliseconds")
            lines += [f"#EXT-X-PROGRAM-DATE-TIME:{at}", f"#EXTINF:{seconds:.6f},", name]
        return "\n".join([*lines, ""])


@asynccontextmanager
async def live_stream(folder: Path) -> AsyncIterator[LiveStream]:
    """Serve a live stream from another origin than the page's, until the context ends."""
    segments = await asyncio.to_thread(lambda: write_segments(folder, voice()))
    stream = LiveStream(segments, time.time() - ALREADY)

    async def playlist(_request: web.Request) -> web.Response:
        if stream.gone:
            raise web.HTTPNotFound(headers=CORS)
        headers = {**CORS, "Cache-Control": "no-store"}
        return web.Response(text=stream.playlist(time.time()), headers=headers, content_type=MPEGURL)

    async def segment(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(folder / Path(request.match_info["name"]).name, headers=CORS)

    app = web.Application()
    app.add_routes([web.get("/live.m3u8", playlist), web.get("/{name}", segment)])
    async with serving(app) as stream.origin:
        yield stream


MPEGURL = "application/vnd.apple.mpegurl"


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """Serve `app` on a free port of 127.0.0.1 and yield its origin."""
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()
