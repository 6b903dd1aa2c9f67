"""The virtual bench: orders for button and room on standard input, observations on standard output, a JSON line each.

It stands in for the hand at the button and the visitor in the room where there is no board; it is switched on with
`kaiwa-device run --bench` and used by the demo and the tests, which so drive the very program that runs on a board.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import sys
import threading
import time
import wave
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from device.audio.block import RATE, Samples
from device.errors import SoundError
from device.panel.board import Panel
from device.soundcard.card import OpenCard
from device.soundcard.room_card import RoomCard

_log = logging.getLogger(__name__)


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """One line of standard input."""

    do: str
    path: str = ""


def observed(what: str, at: float, detail: dict[str, Any] | None = None) -> None:
    """Write one observation: what it was, and the monotonic second at which it was."""
    sys.stdout.write(json.dumps({"what": what, "at": at, **(detail or {})}) + "\n")
    sys.stdout.flush()


def body(panel: Panel, card: OpenCard) -> None:
    """Tell what of this robot's body only stands in for something real."""
    stood_in = []
    if panel.stood_in:
        stood_in.append("button and lights: gpiozero's mock pins")
    if card.stood_in:
        stood_in.append("microphone and speaker: a simulated room")
    observed("body", time.monotonic(), {"stood_in": stood_in, "card": card.name})


def light(at: float, brightness: float) -> None:
    """Observe the talk light."""
    observed("light", at, {"brightness": brightness})


def output(name: str, at: float, value: float) -> None:
    """Observe an output."""
    observed("output", at, {"name": name, "value": value})


def alive() -> dict[str, list[str]]:
    """Return what is alive in this process: the tasks of the running loop and the threads, by name, without numbers."""
    tasks = [f"{task.get_name()} {getattr(task.get_coro(), '__qualname__', '')}" for task in asyncio.all_tasks()]
    threads = [thread.name for thread in threading.enumerate()]
    return {"tasks": sorted(map(_unnumbered, tasks)), "threads": sorted(map(_unnumbered, threads))}


def _unnumbered(name: str) -> str:
    """Return a name without what tells one session from the next."""
    return re.sub(r"[0-9a-f]{32}|\d+", "…", name)


async def attend(panel: Panel, card: OpenCard) -> None:
    """Carry out orders until standard input ends."""
    reader = asyncio.StreamReader()
    own = os.fdopen(os.dup(sys.stdin.fileno()))  # the transport closes it, and there may be another run after this one
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), own)
    try:
        async for line in reader:
            try:
                _obey(msgspec.json.decode(line, type=Order), panel, card)
            except (msgspec.DecodeError, SoundError, OSError) as error:
                _log.error("bench: %s: %s", line.decode(errors="replace").strip(), error)
    finally:
        transport.close()


def _obey(order: Order, panel: Panel, card: OpenCard) -> None:
    match order.do:
        case "press":
            observed("pressed", time.monotonic())
            panel.press()
        case "release":
            panel.release()
        case "census":
            observed("census", time.monotonic(), alive())
        case "mute":
            panel.mute(closed=True)
        case "unmute":
            panel.mute(closed=False)
        case "say" if isinstance(card, RoomCard):
            card.say(read_wav(Path(order.path)))
        case "say":
            raise SoundError("nobody can be made to speak in front of a real microphone")
        case unknown:
            raise msgspec.ValidationError(f"unknown order {unknown!r}")


def read_wav(path: Path) -> Samples:
    """Return the sound of a WAV file.

    Raises:
        SoundError: it is not 48 kHz mono of 16 bits.
    """
    with wave.open(str(path)) as file:
        shape = (file.getframerate(), file.getnchannels(), file.getsampwidth())
        if shape != (RATE, 1, 2):
            raise SoundError(f"{path}: {shape[0]} Hz, {shape[1]} channels, {8 * shape[2]} bits; 48000, 1, 16 needed")
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)
