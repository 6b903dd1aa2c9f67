"""Both edges of the path over PulseAudio: from the microphone's callback to the packet, from the flush to silence.

Sending: speech is played to the microphone, goes through echo control with noise suppression, Opus, RTP, DTLS and a
socket on the loopback, and is decoded where it arrives. By correlation each captured sample is found in a packet; the
delay is from the return of the callback that brought the sample to the arrival of that packet. Median and 95th
percentile over the samples of the utterances.

Flushing: a tone is played as the assistant's voice; ten times it is flushed as at `output_audio_buffer.cleared`, and
the speaker's monitor says when the last of it was heard.
"""

from __future__ import annotations

import asyncio
import os
import time
import wave
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from aiortc.rtp import RtpPacket
from numpy.typing import NDArray

from device.audio.block import BLOCK, RATE, SILENCE, Block, Samples
from device.audio.echo import EchoMode, NoEchoControl, choose_echo
from device.audio.opus import OpusDecoder
from device.rtc.peer import new_peer
from device.rtc.receiving import VoiceReceiver
from device.rtc.sending import OpusSender
from device.soundcard.pyaudio_card import PyAudioCard
from device.soundcard.settings import SoundSettings
from device.voice import VoicePath
from tests.bench.quality import lag
from tests.bench.receive import Recorder, recording
from tests.bench.rows import Row, at_most
from tests.bench.utterances import Speech
from tests.pulse import PulseServer, pulse_server

FLUSHES: Final = 10
TONE: Final = (8_000 * np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE)).astype(np.int16).reshape(-1, BLOCK)


class Ear(VoiceReceiver):
    """Keeps every packet and the monotonic second at which it arrived."""

    def __init__(self) -> None:
        super().__init__()
        self.packets: list[tuple[float, bytes]] = []

    def _take(self, packet: RtpPacket, is_opus: bool) -> None:  # noqa: ARG002 - the shape of what it overrides
        self.packets.append((time.monotonic(), packet.payload))


class TimedCard(PyAudioCard):
    """A card that knows when each captured sample was brought."""

    def __init__(self, deliver: Any, feed: Any) -> None:
        super().__init__(SoundSettings(), deliver, feed)
        self.marks: list[tuple[int, float]] = []  # samples so far, monotonic seconds at which the last one came
        self._captured = 0

    def _hear(self, data: bytes, count: int, times: Mapping[str, float], flags: int) -> tuple[bytes | None, int]:
        self._captured += count
        self.marks.append((self._captured, time.monotonic()))
        return super()._hear(data, count, times, flags)


@asynccontextmanager
async def sent(sender: OpusSender) -> AsyncIterator[Ear]:
    """Send a voice to an ear in the same process, over the loopback."""
    one, other, ear = new_peer(), new_peer(), Ear()
    try:
        sender.attach(one.addTransceiver(sender.track, "sendonly").sender)
        await one.setLocalDescription(await one.createOffer())
        await other.setRemoteDescription(one.localDescription)
        ear.attach(other.getTransceivers()[0].receiver)
        await other.setLocalDescription(await other.createAnswer())
        await one.setRemoteDescription(other.localDescription)
        yield ear
    finally:
        await asyncio.gather(one.close(), other.close())


async def capture_to_packet(pulse: PulseServer, said: Speech, folder: Path) -> NDArray[np.float64]:
    """Return the milliseconds from callback to packet of every thousandth sample that was spoken."""
    path = folder / "said.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(said.samples.tobytes())
    captured: list[Samples] = []
    paths: list[VoicePath] = []

    def deliver(block: Block) -> None:
        captured.append(block.captured)
        if paths:
            paths[0].on_block(block)

    def feed() -> None:
        if paths:
            paths[0].feed()

    sender = OpusSender()
    async with sent(sender) as ear, TimedCard(deliver, feed) as card:
        paths.append(VoicePath(choose_echo(EchoMode.AEC3), card))
        paths[0].uplink = sender
        speaking = await asyncio.create_subprocess_exec(
            *("paplay", "-d", "room", str(path)), env=os.environ | pulse.environment
        )
        await speaking.wait()
        await asyncio.sleep(0.5)
    return _delays(np.concatenate(captured), card.marks, ear.packets)


def _delays(
    captured: Samples, marks: list[tuple[int, float]], packets: list[tuple[float, bytes]]
) -> NDArray[np.float64]:
    decoder = OpusDecoder()
    decoded = np.concatenate([decoder.decode(payload) for _, payload in packets])
    whole = captured[: decoded.size - RATE // 2]
    late = lag(whole, np.pad(decoded, (RATE, RATE))) - RATE  # below 0: the first blocks came before the path was there
    spoken = np.flatnonzero(np.abs(whole.astype(np.int32)) > 1_000)[::1_000]
    brought = np.array([at for _, at in marks])[np.searchsorted([count for count, _ in marks], spoken, side="right")]
    arrived = np.array([at for at, _ in packets])[(spoken + late) // BLOCK]
    delays: NDArray[np.float64] = (arrived - brought) * 1000.0
    return delays


class Tone:
    """An assistant that says one note until it is flushed."""

    def __init__(self) -> None:
        self.on = True
        self._blocks = 0

    def pull(self) -> Samples:
        """Return the next block."""
        self._blocks += 1
        return TONE[self._blocks % len(TONE)] if self.on else SILENCE

    def flush(self) -> None:
        """Fall silent."""
        self.on = False

    def counters(self) -> dict[str, float]:
        """Return nothing: there is nothing to count."""
        return {}


async def flush_to_silence(pulse: PulseServer) -> list[float]:
    """Return the milliseconds from each flush to the last of the tone at the speaker."""
    paths: list[VoicePath] = []

    def deliver(block: Block) -> None:
        if paths:
            paths[0].on_block(block)

    def feed() -> None:
        if paths:
            paths[0].feed()

    found = []
    async with PyAudioCard(SoundSettings(), deliver, feed) as card:
        path = VoicePath(NoEchoControl(), card)
        paths.append(path)
        with recording(pulse) as recorder:
            await asyncio.sleep(0.5)
            for _ in range(FLUSHES):
                path.source = Tone()
                await asyncio.sleep(0.5)
                start = time.monotonic()
                path.flush()
                await asyncio.sleep(0.4)
                found.append(_silent_after(recorder, start))
    return found


def _silent_after(recorder: Recorder, start: float) -> float:
    heard = np.abs(recorder.since(start).astype(np.int32))
    loud = np.flatnonzero(heard > 500)
    return float(loud[-1] + 1) / RATE * 1000.0 if loud.size else 0.0


def rows(said: Speech, folder: Path) -> Iterator[Row]:
    """Yield every row of this file."""
    with pulse_server(folder) as pulse:
        os.environ.update(pulse.environment)
        delays = asyncio.run(capture_to_packet(pulse, said, folder))
        silent = asyncio.run(flush_to_silence(pulse))
    name = "microphone's callback to RTP packet, echo control on"
    yield at_most(f"{name}: median", float(np.median(delays)), "ms", 45, 35)
    yield Row(f"{name}: p95", float(np.percentile(delays, 95)), "ms")
    yield at_most("cleared to speaker silent: median", float(np.median(silent)), "ms", 40, 25)
    yield Row("cleared to speaker silent: worst", max(silent), "ms")
