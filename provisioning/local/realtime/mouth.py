"""The stand-in's voice: espeak-ng, and Open JTalk for Japanese where it is installed; espeak-ng's `ja` reads kana only."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from dataclasses import dataclass
from types import ModuleType
from typing import Final

import numpy as np

from device.errors import KaiwaError
from provisioning.local.realtime import coding, sound
from provisioning.local.realtime.sound import FRAME, RATE, Samples

try:
    import pyopenjtalk
except ImportError:  # the extra `ja`
    pyopenjtalk = None
_OPEN_JTALK: Final[ModuleType | None] = pyopenjtalk

LEVEL_DBFS: Final = -20.0
"""How loud the voice is, whatever made it."""

MOST_KEPT: Final = 16
"""Utterances that are kept for when they are said again, those said last: some 5 MB, for the time of day is another each minute."""

LONGEST_SECONDS: Final = 20.0
"""espeak-ng makes a minute of speech in well under a second."""


class NoVoiceError(KaiwaError):
    """There is nothing on this computer to speak with."""


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """Words as sound: 48 kHz mono, padded to whole frames of 20 ms."""

    text: str
    samples: Samples

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / RATE


class Mouth:
    """Makes utterances, once each, off the event loop.

    Raises:
        NoVoiceError: espeak-ng is not installed.
    """

    def __init__(self, voice: str, words_per_minute: int) -> None:
        program = shutil.which("espeak-ng")
        if program is None:
            raise NoVoiceError("espeak-ng is not installed; apt-get install espeak-ng")
        self._command = [program, "-v", voice, "-s", str(words_per_minute), "--stdout"]
        self._reads_kana = voice.startswith("ja")
        self._made: dict[str, Utterance] = {}

    async def say(self, text: str) -> Utterance:
        """Return `text` as sound.

        Raises:
            NoVoiceError: the voice gave no sound.
        """
        made = self._made.pop(text, None)
        if made is None:
            made = await asyncio.to_thread(self._make, text)
        self._made[text] = made
        while len(self._made) > MOST_KEPT:
            del self._made[next(iter(self._made))]
        return made

    def _make(self, text: str) -> Utterance:
        by_another = _is_japanese(text) and not self._reads_kana
        samples = sound.at_level(self._japanese(text) if by_another else self._espeak(text), LEVEL_DBFS)
        return Utterance(text, np.concatenate([samples, np.zeros(-len(samples) % FRAME, np.int16)]))

    def _espeak(self, text: str) -> Samples:
        try:
            done = subprocess.run([*self._command, text], capture_output=True, check=True, timeout=LONGEST_SECONDS)
        except (OSError, subprocess.SubprocessError) as error:
            raise NoVoiceError(f"espeak-ng: {error}") from error
        return coding.from_wave(done.stdout)

    def _japanese(self, text: str) -> Samples:
        if _OPEN_JTALK is None:
            return self._espeak("I can speak Japanese when the extra called j a is installed.")
        wave, rate = _OPEN_JTALK.tts(text)
        return coding.resampled(np.clip(wave, -32768, 32767).astype(np.int16), int(rate), RATE)


def _is_japanese(text: str) -> bool:
    return any("\u3041" <= letter <= "\u30ff" for letter in text)
