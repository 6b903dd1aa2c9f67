"""One publisher in a process of its own: `python -m tests.bench.publishing (kaiwa|picture|sora_sdk) URL CHANNEL SECONDS`.

Prints one JSON object: seconds from the start of connecting to `connection.created`, and the process's CPU time from
then on while it sent a tone. All encode mono Opus at 64 kbit/s and speak to the same service;
`picture` is ours with the character beside it, which speaks and listens without a pause.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import os
import sys
import threading
import time
from typing import Final

import aiohttp
import numpy as np

from device.audio.block import BLOCK, BLOCK_SECONDS
from device.messages.minting import BroadcastGrant
from device.messages.reports import Levels, Speaker
from device.phase import Phase
from device.picture.studio import Studio
from device.realtime.captions import Captioned
from device.rtc.warm_up import warm_up
from device.sora.picture import studio
from device.sora.publisher import Publisher
from device.sora.settings import BroadcastSettings

RATE: Final = 48_000
KBPS: Final = 64
TONE: Final = (8_000 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.int16)


SENTENCE: Final = (
    "波佐見の小さな窯で焼かれました。ゆっくり火を入れたときだけ、この深い藍色になります。 It is called asagi."
)


def report(created: float, cpu: float) -> None:
    """Print what was measured."""
    sys.stdout.write(json.dumps({"created": created, "cpu": cpu}) + "\n")
    sys.stdout.flush()


def lively() -> Levels:
    """Return levels as they are when two talk at once, for a picture that never rests."""
    syllable = math.sin(2 * math.pi * 3.1 * time.monotonic())
    return Levels(user=-30 + 15 * syllable, assistant=-30 - 15 * syllable)


async def talk(motif: Studio, sentence: str) -> None:
    """Have captions grow, five times a second, until cancelled."""
    for number in itertools.count():
        now, shown = time.monotonic(), number % len(sentence) + 1
        motif.scene.stand(Phase.SPEAKING, on_air=True, muted=False)
        motif.scene.caption(Captioned("a", Speaker.ASSISTANT, sentence[:shown], now - shown / 5, now, final=False), now)
        await asyncio.sleep(0.2)


async def kaiwa(url: str, channel: str, seconds: float, settings: BroadcastSettings) -> None:
    """Publish with ours."""
    motif = studio(settings, "robot", lively)
    talking = None if motif is None else asyncio.create_task(talk(motif, SENTENCE))
    grant = BroadcastGrant(signalling_urls=[url], channel_id=channel)
    blocks = TONE.reshape(-1, BLOCK)
    await warm_up()  # as a robot does when it starts
    async with aiohttp.ClientSession() as http:
        began = time.monotonic()
        async with Publisher(grant, http=http, settings=settings, motif=motif) as publisher:
            created, before, start = time.monotonic() - began, time.process_time(), time.monotonic()
            for number in range(round(seconds / BLOCK_SECONDS)):
                publisher.programme.push(blocks[number % len(blocks)])
                await asyncio.sleep(start + (number + 1) * BLOCK_SECONDS - time.monotonic())
            report(created, time.process_time() - before)
    if talking is not None:
        talking.cancel()


def sora_sdk(url: str, channel: str, seconds: float) -> None:
    """Publish with Shiguredo's."""
    from sora_sdk import Sora  # noqa: PLC0415 - only one of the two publishers is loaded

    sora = Sora()
    source = sora.create_audio_source(1, RATE)
    connection = sora.create_connection(
        signaling_urls=[url],
        role="sendonly",
        channel_id=channel,
        audio=True,
        video=False,
        audio_source=source,
        audio_bit_rate=KBPS,
    )
    created = threading.Event()
    connection.on_notify = lambda text: created.set() if "connection.created" in text else None
    began = time.monotonic()
    connection.connect()
    created.wait(15)
    took, before, start = time.monotonic() - began, time.process_time(), time.monotonic()
    chunks = TONE.reshape(-1, RATE // 100, 1)
    for number in range(round(seconds * 100)):
        source.on_data(chunks[number % 100])
        time.sleep(max(0.0, start + (number + 1) / 100 - time.monotonic()))
    report(took, time.process_time() - before)
    connection.disconnect()
    os._exit(0)  # its threads crash when the interpreter is taken down


if __name__ == "__main__":
    who, address, channel_id, how_long = sys.argv[1:]
    if who != "sora_sdk":
        wanted = BroadcastSettings(picture="character" if who == "picture" else "off")
        asyncio.run(kaiwa(address, channel_id, float(how_long), wanted))
    else:
        sora_sdk(address, channel_id, float(how_long))
