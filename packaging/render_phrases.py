"""Speaks what robots say of their faults into `device/panel/spoken`; needs espeak-ng and the extra `ja`."""

from __future__ import annotations

import asyncio
import json
import sys
from fractions import Fraction

import av
import numpy as np

from device.audio.block import RATE, Samples
from device.panel.phrases import FOLDER, PHRASES, path
from provisioning.local.realtime import mouth

BIT_RATE = 24_000
"""Bits per second: speech that is understood, some 10 kB a sentence."""


def write(file: str, samples: Samples) -> None:
    """Write one sentence as Opus in Ogg."""
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=RATE, layout="mono")
        stream.bit_rate = BIT_RATE
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.reshape(1, -1)), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)


async def render() -> None:
    """Speak every phrase, and note the words of each."""
    voice = mouth.Mouth("en-us+f2", 140)
    FOLDER.mkdir(exist_ok=True)
    words = {}
    for said, phrases in PHRASES.items():
        for language, text in phrases.items():
            file = path(said, language)
            write(str(file), (await voice.say(text)).samples)
            words[file.name] = text
            print(f"{file.stat().st_size:6} {file.name} {text}")
    (FOLDER / "words.json").write_text(json.dumps(words, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if mouth._OPEN_JTALK is None:  # noqa: SLF001 - without it the Japanese would be spoken in English
        sys.exit("the Japanese voice is missing: install the extra `ja`")
    asyncio.run(render())
