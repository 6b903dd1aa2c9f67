"""The visitor of the simulated room: what they ask, as sound files made by a voice that is not the robot's."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from provisioning.local.demo.evidence import RATE, Samples
from provisioning.local.demo.script import Utterance
from provisioning.local.realtime.mouth import Mouth
from provisioning.local.realtime.scenario import Phrase

VOICES: Final = {"en": "en-us+f2", "ja": "ja+f2"}
"""Of espeak-ng, by language; what they say is recognised best."""
WORDS_PER_MINUTE: Final = 150

QUESTIONS: Final = tuple(
    Phrase(written=question)
    for question in ("What can you do?", "Tell me a story.", "What time is it?", "Stop, please.")
)
"""What the keys 1 to 4 ask; the stand-in understands each."""

QUESTION: Final = "Tell me a story."
INTERRUPTION: Final = "What time is it?"


async def utterances(
    folder: Path, questions: Sequence[Phrase] = QUESTIONS, language: str = "en"
) -> dict[str, Utterance]:
    """Return every question of the visitor, as it is written, with its sound in WAV files in `folder`.

    Raises:
        NoVoiceError: espeak-ng is not installed.
    """
    mouth = Mouth(VOICES[language], WORDS_PER_MINUTE)
    said = await asyncio.gather(*(mouth.say(phrase.sound) for phrase in questions))
    return {
        phrase.written: _written(folder / f"question-{number}.wav", phrase.written, _trimmed(utterance.samples))
        for number, (phrase, utterance) in enumerate(zip(questions, said, strict=True), start=1)
    }


async def spoken(folder: Path, text: str) -> Utterance:
    """Return `text` in the visitor's voice, written to a WAV file in `folder`.

    Raises:
        NoVoiceError: espeak-ng is not installed.
    """
    utterance = await Mouth(VOICES["en"], WORDS_PER_MINUTE).say(text)
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
