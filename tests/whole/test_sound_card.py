"""A whole conversation over a real sound path: PyAudio, and PulseAudio's null sinks for microphone and loudspeaker."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from device.messages.reports import Speaker
from provisioning.local.cloud import Choices
from provisioning.local.demo.evidence import RATE, Samples, find
from provisioning.local.demo.perform import Stage, staged
from provisioning.local.demo.visitor import QUESTION
from tests.faults import RECOVERY, Recorded
from tests.pulse import PulseServer, Socket, pulse, pulse_environment, socket
from tests.whole.conftest import card, openai, press, quiet

__all__ = ["pulse", "pulse_environment", "socket"]

PATIENCE = 10.0


class Ear:
    """Records what a loudspeaker plays."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._more = asyncio.Event()

    @property
    def sound(self) -> Samples:
        return np.frombuffer(bytes(self._data[: len(self._data) // 2 * 2]), np.int16)

    async def listen(self, stream: asyncio.StreamReader) -> None:
        while data := await stream.read(4096):
            self._data += data
            self._more.set()

    async def more(self, seconds: float) -> None:
        """Wait until so much more has been heard."""
        wanted = len(self._data) + int(seconds * RATE) * 2
        async with asyncio.timeout(PATIENCE):
            while len(self._data) < wanted:
                self._more.clear()
                await self._more.wait()


@asynccontextmanager
async def listening(server: PulseServer, source: str) -> AsyncIterator[Ear]:
    recorder = await asyncio.create_subprocess_exec(
        *("parec", "--raw", "--latency-msec=20", f"--rate={RATE}", "--channels=1", "--format=s16le", "-d", source),
        env=os.environ | server.environment,
        stdout=asyncio.subprocess.PIPE,
    )
    assert recorder.stdout is not None
    ear = Ear()
    hearing = asyncio.create_task(ear.listen(recorder.stdout))
    try:
        yield ear
    finally:
        recorder.terminate()
        await recorder.wait()
        await hearing


async def say(server: PulseServer, path: Path) -> None:
    """Play a WAV file into the room."""
    speaking = await asyncio.create_subprocess_exec(
        *("paplay", "-d", "room", str(path)), env=os.environ | server.environment
    )
    async with asyncio.timeout(PATIENCE):
        assert await speaking.wait() == 0


async def test_a_question_asked_aloud_is_answered_aloud(pulse_environment: PulseServer, tmp_path: Path) -> None:
    async with (
        staged(tmp_path, Choices(), "pyaudio", quiet) as stage,
        listening(pulse_environment, "speaker.monitor") as ear,
    ):
        await stage.watch.phase("idle", seconds=60)
        assert not [name for name in stage.stood_in() if "room" in name]
        await press(stage)
        await stage.watch.phase("listening", seconds=30)
        await ear.more(2.0)  # the chime, and what echo control learns from it
        await say(pulse_environment, stage.sayings[QUESTION].path)
        await stage.watch.phase("speaking")
        await stage.watch.until("both captions", lambda: _speakers(stage) == set(Speaker) or None)
        await ear.more(2.5)
        answer = openai(stage).spoken[0].samples[: 2 * RATE]
        assert find(answer, ear.sound).found
        await press(stage)
        await stage.watch.phase("idle")
    assert openai(stage).heard[0].text.rstrip(".?") == QUESTION.rstrip(".?")


async def test_a_conversation_outlives_a_sound_card_that_is_unplugged(
    socket: Socket, tmp_path: Path, record_property: Recorded
) -> None:
    async with staged(tmp_path / "stage", Choices(), "pyaudio", quiet) as stage:
        await stage.watch.phase("idle", seconds=60)
        await press(stage)
        await stage.watch.phase("listening", seconds=30)
        session = card(stage).session
        await asyncio.to_thread(socket.pull_out)
        fault = await stage.watch.until("the fault", lambda: stage.watch.faults[0] if stage.watch.faults else None)
        assert (fault.fault, fault.session) == ("sound", session)
        began = time.monotonic()
        server = await asyncio.to_thread(socket.plug_in)
        await stage.watch.until("the sound card", lambda: card(stage).fault is None or None)
        record_property(RECOVERY, time.monotonic() - began)
        async with listening(server, "speaker.monitor") as ear:
            await ear.more(2.0)
            await say(server, stage.sayings[QUESTION].path)
            await stage.watch.phase("speaking")
            await stage.watch.until("both captions", lambda: _speakers(stage) == set(Speaker) or None)
            await ear.more(1.5)
        assert find(openai(stage).spoken[0].samples[:RATE], ear.sound).found, "the speaker is back, too"
        assert card(stage).session == session
        await press(stage)
        await stage.watch.phase("idle")


def _speakers(stage: Stage) -> set[Speaker]:
    return {caption.speaker for caption in stage.watch.captions.values()}
