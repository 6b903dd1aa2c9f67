"""The visitor of the simulated room: what they ask, as sound files made by a voice that is not the robot's."""

from __future__ import annotations

import asyncio
import wave
from pathlib import Path
from typing import Final

import numpy as np

from provisioning.local.demo.evidence import RATE, Samples
from provisioning.local.demo.script import Utterance
from provisioning.local.realtime.mouth import Mouth

VOICE: Final = "en-us+f2"
WORDS_PER_MINUTE: Final = 150

QUESTIONS: Final = ("What can you do?", "Tell me a story.", "What time is it?", "Stop, please.")
"""What the keys 1 to 4 ask; the stand-in understands each."""

QUESTION: Final = "Tell me a story."
INTERRUPTION: Final = "What time is it?"


async def utterances(folder: Path) -> dict[str, Utterance]:
    """Return every question of the visitor, written to WAV files in `folder`.

    Raises:
        NoVoiceError: espeak-ng is not installed.
    """
    mouth = Mouth(VOICE, WORDS_PER_MINUTE)
    said = await asyncio.gather(*(mouth.say(text) for text in QUESTIONS))
    return {
        utterance.text: _written(folder / f"question-{number}.wav", utterance.text, _trimmed(utterance.samples))
        for number, utterance in enumerate(said, start=1)
    }


async def spoken(folder: Path, text: str) -> Utterance:
    """Return `text` in the visitor's voice, written to a WAV file in `folder`.

    Raises:
        NoVoiceError: espeak-ng is not installed.
    """
    utterance = await Mouth(VOICE, WORDS_PER_MINUTE).say(text)
    return _written(folder / f"{'-'.join(text.split())}.wav", text, _trimmed(utterance.samples))


def _trimmed(samples: Samples) -> Samples:
    """Cut the silence before and after, so that the first and the last sample are speech."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 200)
    return samples[loud[0] : loud[-1] + 1] if loud.size else samples


def _written(path: Path, text: str, samples: Samples) -> Utterance:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return Utterance(text, path, samples)
