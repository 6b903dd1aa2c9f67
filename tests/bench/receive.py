"""The receive bench: the same packets to ours, to Chromium and to a naive aiortc client, recorded at the speaker.

Method: eight utterances as Opus at 64 kbit/s with in-band FEC leave a sender process with real-time scheduling; its ICE
transport loses and delays the encrypted packets by a trace that is the same for every receiver. Each receiver in turn
plays into a null sink of a private PulseAudio, whose monitor is recorded. PESQ-WB and STOI against the clean speech;
delay from the time a packet was sent (before the impairment) to its sound at the monitor, by correlation with what the
codec alone makes of it, median of the utterances. The floor is the same packets decoded offline with all that FEC and
concealment can do.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final, Protocol

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from device.audio.block import BLOCK_SECONDS, RATE, Samples
from tests.bench.impairments import Impairment, Trace
from tests.bench.quality import Quality, judge
from tests.bench.rows import Row
from tests.bench.urgency import urgent, urgently
from tests.bench.utterances import Speech, encoded, floor, speech
from tests.pulse import PulseServer, pulse_server

_log = logging.getLogger(__name__)

PAGE: Final = """
async (offer) => {
  const peer = new RTCPeerConnection();
  window.peer = peer;
  const audio = document.createElement("audio");
  audio.autoplay = true;
  peer.ontrack = (event) => { audio.srcObject = event.streams[0] ?? new MediaStream([event.track]); };
  await peer.setRemoteDescription({type: "offer", sdp: offer});
  await peer.setLocalDescription(await peer.createAnswer());
  await new Promise((done) => {
    if (peer.iceGatheringState === "complete") done();
    peer.onicegatheringstatechange = () => { if (peer.iceGatheringState === "complete") done(); };
    setTimeout(done, 3000);
  });
  return peer.localDescription.sdp;
}
"""
"""What the seed article's page does with a track: an audio element that plays it."""

CHROMIUM: Final = (
    "--autoplay-policy=no-user-gesture-required",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--no-sandbox",
)
_SETTLE: Final = 2.5  # seconds between connecting and the first packet
_TAIL: Final = 1.5  # seconds recorded after the last


class Lines:
    """A child process that answers each JSON line with one."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, **order: Any) -> dict[str, Any]:
        """Send one line and return the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("a process of the bench has ended")
        found: dict[str, Any] = json.loads(answer)
        return found


@contextmanager
def lines(arguments: Sequence[str], environment: dict[str, str]) -> Iterator[Lines]:
    """Run `python -m` with these arguments as long as the block runs."""
    command = [sys.executable, "-m", *arguments]
    with subprocess.Popen(
        command, env=os.environ | environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Lines(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(20)


class Peer(Protocol):
    """Something that receives and plays."""

    def answer(self, offer: str) -> str:
        """Begin a connection."""

    def end(self) -> None:
        """End it."""


class ProcessPeer:
    """Ours or the naive one."""

    def __init__(self, process: Lines) -> None:
        self._process = process
        self.counters: dict[str, float] = {}

    def answer(self, offer: str) -> str:
        """Begin a connection."""
        return str(self._process.ask(offer=offer)["answer"])

    def end(self) -> None:
        """End it."""
        self.counters = self._process.ask(end=True)["counters"]


class ChromiumPeer:
    """A page in headless Chromium that plays through PulseAudio."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    def answer(self, offer: str) -> str:
        """Begin a connection in a new page."""
        self._page = self._browser.new_page()
        return str(self._page.evaluate(PAGE, offer))

    def end(self) -> None:
        """Close the page."""
        self._page.close()


class Recorder:
    """Records the speaker's monitor all the time; knows when each sample was there."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._pieces: list[bytes] = []
        self._marks: list[tuple[int, float]] = []  # samples so far, monotonic seconds at which the last one came
        self._count = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        urgently()
        while piece := self._stream.read(960):
            self._pieces.append(piece)
            self._count += len(piece) // 2
            self._marks.append((self._count, time.monotonic()))

    def since(self, start: float) -> Samples:
        """Return what was heard from the monotonic second `start` on."""
        marks = [mark for mark in self._marks if mark[1] >= start - 1.0]
        offset = min(at - count / RATE for count, at in marks)  # the pieces that came in time tell the clock
        first = max(0, round((start - offset) * RATE))
        return np.frombuffer(b"".join(self._pieces), np.int16)[first:]

    def forget(self) -> None:
        """Drop what was recorded."""
        self._pieces, self._marks, self._count = [], [], 0


class Studio:
    """Everything that is set up once: PulseAudio, recorder, sender, receivers."""

    def __init__(
        self, stack: ExitStack, said: Speech, packets: list[bytes], peers: Sequence[str], folder: Path
    ) -> None:
        self.said, self.packets = said, packets
        self._stack = stack
        (folder / "pulse").mkdir()
        with urgent():
            self._pulse = stack.enter_context(pulse_server(folder / "pulse"))
        self.peers = {name: self._peer(name) for name in peers}
        path = folder / "packets.json"
        path.write_text(json.dumps([base64.b64encode(packet).decode() for packet in packets]))
        self._sender = stack.enter_context(lines(["tests.bench.sender", str(path)], {}))

    def _peer(self, name: str) -> Peer:
        if name != "chromium":
            return ProcessPeer(
                self._stack.enter_context(lines(["tests.bench.receivers", name], self._pulse.environment))
            )
        playwright = self._stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=list(CHROMIUM),
            ignore_default_args=["--mute-audio"],
            env=dict(os.environ | self._pulse.environment),
        )
        self._stack.callback(browser.close)
        return ChromiumPeer(browser)

    def hear(self, name: str, impairment: Impairment, trace: Trace) -> Quality:
        """Let one receiver receive once."""
        peer = self.peers[name]
        answer = peer.answer(self._sender.ask(offer=True)["offer"])
        self._sender.ask(answer=answer)
        with recording(self._pulse) as recorder:
            start = time.monotonic() + _SETTLE
            self._sender.ask(send=trace, ppm=impairment.ppm, start=start)
            time.sleep(_TAIL)
            heard = recorder.since(start)
        peer.end()
        _log.info("%s, %s: %s", name, impairment.name, getattr(peer, "counters", {}))
        self._sender.ask(end=True)
        whole = floor(self.packets, [True] * len(self.packets))
        quality = judge(self.said, heard, whole, impairment.ppm)
        _log.info("%s, %s: %s", name, impairment.name, quality)
        return quality


@contextmanager
def recording(pulse: PulseServer) -> Iterator[Recorder]:
    """Record what the speaker plays as long as the block runs."""
    command = ["parec", "--raw", "--latency-msec=10", "--rate=48000", "--channels=1", "-d", "speaker.monitor"]
    with urgent():
        process = subprocess.Popen(command, env=os.environ | pulse.environment, stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        try:
            yield Recorder(process.stdout)
        finally:
            process.terminate()


def rows(
    impairments: Sequence[Impairment], peers: Sequence[str], folder: Path, utterances: int, seed: int
) -> Iterator[list[Row]]:
    """Measure each impairment in turn and give its rows: PESQ, STOI, delay."""
    said = speech(utterances)
    packets = encoded(said.samples)
    with ExitStack() as stack:
        studio = Studio(stack, said, packets, peers, folder)
        for impairment in impairments:
            trace = impairment.trace(len(packets), seed)
            best = judge(said, floor(packets, [late is not None for late in trace]))
            found = {name: studio.hear(name, impairment, trace) for name in peers}
            yield _rows(impairment, best, found)


def _rows(impairment: Impairment, best: Quality, found: dict[str, Quality]) -> list[Row]:
    ours, browser = found["ours"], found.get("chromium")
    others = {name: quality for name, quality in found.items() if name != "ours"}
    pesq_must = best.pesq - 0.15 if browser is None else max(browser.pesq, best.pesq - 0.15)
    stoi_must = browser.stoi if browser else best.stoi - 0.02
    rows = [
        _better(impairment, "PESQ-WB", ours.pesq, pesq_must, best.pesq, 0.05, {n: q.pesq for n, q in others.items()}),
        _better(impairment, "STOI", ours.stoi, stoi_must, best.stoi, 0.01, {n: q.stoi for n, q in others.items()}),
    ]
    late = {name: quality.delay_ms for name, quality in others.items()}
    must = browser.delay_ms if browser else float("inf")
    good = ours.delay_ms <= must if browser else None
    bounds = (f"<= {must:.0f}", f"<= {0.8 * must:.0f}") if browser else ("", "")
    name = f"receive, {impairment.name}: delay"
    return [*rows, Row(name, ours.delay_ms, "ms", *bounds, peers=late, ok=good)]


def _better(
    impairment: Impairment, what: str, value: float, must: float, best: float, near: float, others: dict[str, float]
) -> Row:
    # One run per cell cannot tell differences below a hundredth.
    name = f"receive, {impairment.name}: {what}"
    aim = f">= {best - near:.2f}"
    return Row(name, value, "", f">= {must:.2f}", aim, {"floor": best, **others}, ok=value >= must - 0.01)


SECONDS_PER_CELL: Final = _SETTLE + _TAIL + BLOCK_SECONDS
