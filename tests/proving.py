"""docs/doctor.md: what `kaiwa-device doctor` and `kaiwa-device calibrate` say, run here and not retold: `make proving`.

Speaker and microphone are the two null sinks of a private PulseAudio; between them stands the simulated room, as two
programs that record and play and the room's arithmetic in the middle. The cloud is the local one. There is no board, no
internet and nobody in the room, and what is said is what a maker would read for it.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from device.audio.block import BLOCK, SILENCE
from device.audio.echo import TAIL_SECONDS
from device.calibrate import plausible
from device.calibrate.verdict import ROOM_TAIL
from device.doctor.checks.sound import LOUD_ROOM
from device.soundcard.room import Room
from device.soundcard.settings import RoomSettings
from tests.bench import live
from tests.pulse import PulseServer, pulse_server

PAGE: Final = Path(__file__).parents[1] / "docs" / "doctor.md"

STREAM: Final = ("--raw", "--rate=48000", "--channels=1", "--format=s16le", "--latency-msec=20")

HEAD: Final = f"""# What the doctor says, and what calibration says

`make proving` writes this page: the two commands were run as they stand here, on an x86-64 server whose only sound card is a
PulseAudio with two sinks in memory. Between them stands a simulated room (device/soundcard/room.py), so the delay is the
room's and that of two programs that carry its sound. The cloud is the local one. There is no board and no internet, and the doctor says so.
A computer that is busy elsewhere shows as drift, wander and holes; with too much of them, calibration measures again, three times in
all, and then calls nothing safe.

On a terminal, lines break at its width and marks are coloured. Here the words are real, and the facts are made up:

![The doctor on a terminal](pictures/doctor-en.png)

In Japanese: [pictures/doctor-ja.png](pictures/doctor-ja.png).

## When calibration calls nothing safe

A measurement that no room and no card gives is a broken one. Calibration then says why and what to do, writes nothing, and ends with
exit code 1:

| measured | because |
|---|---|
| digital silence | the microphone is muted or off |
| more than {plausible.FLOODED:.0f} dBFS while nothing is played | it is overdriven or broken, or somebody spoke |
| {plausible.MISSED:.0f} dB less noise at the speaker than was to be played | a third of it was never played |
| fewer than half of the chirps heard | the speaker is off, or the card takes echo out by itself: `--heard` says which, and is believed only where the noise was not heard either |
| fewer than {plausible.ENOUGH:.0%} heard, with an echo {plausible.CLEAR:.0f} dB above the room | the microphone drops out |
| more than {plausible.TEARS} hole in what was played; a delay that wanders by {1000 * plausible.JUMPS:.0f} ms; clocks {plausible.FARTHEST:.0f} ppm apart, or known to {plausible.VAGUE:.0f} only | the computer was busy |
| a delay of less than {1000 * plausible.EARLIEST:.0f} ms, or more than {1000 * plausible.LATEST:.0f} | the two sides are out of step, or the speaker is wireless |
| too much left of an echo that comes after {1000 * (TAIL_SECONDS - ROOM_TAIL):.0f} ms | half duplex would open the microphone before it |

In a room that is loud while nothing is played (over {LOUD_ROOM:.0f} dBFS), an echo that drowns in it today is not taken to be gone.
"""


@dataclass(frozen=True, slots=True)
class Trial:
    """One command in one room."""

    title: str
    room: RoomSettings
    command: tuple[str, ...]


QUIET: Final = RoomSettings(delay=0.02, echo_loss=8.0)
TRIALS: Final = (
    Trial("The doctor, in a room that is fine", QUIET, ("doctor", "--lang", "en")),
    Trial("The same in Japanese", QUIET, ("doctor", "--lang", "ja")),
    Trial("Calibration in that room", QUIET, ("calibrate", "--lang", "en")),
    Trial(
        "Calibration where the loudspeaker shouts into the microphone",
        RoomSettings(delay=0.02, echo_loss=-6.0),
        ("calibrate", "--lang", "en"),
    ),
    Trial(
        "Calibration in a room that hums",
        RoomSettings(delay=0.02, echo_loss=12.0, noise=-42.0),
        ("calibrate", "--lang", "en"),
    ),
    Trial(
        "Calibration with the loudspeaker off",
        RoomSettings(delay=0.02, echo_loss=85.0),
        ("calibrate", "--lang", "en"),
    ),
)


@contextmanager
def between(pulse: PulseServer, settings: RoomSettings) -> Iterator[None]:
    """Let the microphone hear the loudspeaker through a room."""
    surroundings = os.environ | pulse.environment
    with ExitStack() as children:
        played, heard = (
            children.enter_context(
                subprocess.Popen(
                    [program, *STREAM, "-d", place],
                    env=surroundings,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )
            for program, place in (("parec", "speaker.monitor"), ("pacat", "room"))
        )
        walls = threading.Thread(target=_carry, args=(played, heard, Room(settings, BLOCK)))
        walls.start()
        try:
            yield
        finally:
            played.terminate()
            walls.join()
            heard.terminate()


def _carry(played: subprocess.Popen[bytes], heard: subprocess.Popen[bytes], room: Room) -> None:
    assert played.stdout is not None
    assert heard.stdin is not None
    while len(data := played.stdout.read(2 * BLOCK)) == 2 * BLOCK:
        heard.stdin.write(room.hear(np.frombuffer(data, np.int16), SILENCE).tobytes())
        heard.stdin.flush()
    heard.stdin.close()


def said(trial: Trial, pulse: PulseServer, config: Path) -> str:
    """Run one command, and return what it printed."""
    command = (sys.executable, "-m", "device", *trial.command, "--config", str(config))
    with between(pulse, trial.room):
        done = subprocess.run(
            command, env=os.environ | pulse.environment, capture_output=True, text=True, timeout=120, check=False
        )
    return f"{done.stdout.rstrip()}\n(exit code {done.returncode})"


async def page(folder: Path) -> str:
    """Run all of them, and return the page."""
    (folder / "pulse").mkdir()
    parts = [HEAD]
    with pulse_server(folder / "pulse") as pulse:
        async with live.cloud(folder / "stage", pulse) as (stage, config):
            for trial in TRIALS:
                text = await asyncio.to_thread(said, trial, pulse, config)
                shown = text.replace(str(stage.folder), "/var/lib/kaiwa")
                parts.append(f"## {trial.title}\n\n```\n$ kaiwa-device {' '.join(trial.command)}\n{shown}\n```\n")
    parts.append(f"{datetime.now(UTC).date().isoformat()}.\n")
    return "\n".join(parts)


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory(prefix="kaiwa-proving-") as folder:
        PAGE.write_text(asyncio.run(page(Path(folder))), encoding="utf-8")


if __name__ == "__main__":
    main()
