"""The stand-in's ears: pocketsphinx with a grammar of the phrases it knows, in one thread of its own.

Each phrase is one word of the grammar, so that a result is a whole phrase or nothing. Measured with espeak-ng voices
at 130 to 170 words a minute (2026-11): every phrase with en-us+f2 and en-us+f3, 0.03 s each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import pocketsphinx

from provisioning.local.realtime import coding
from provisioning.local.realtime.pronunciation import DICTIONARY, MODEL, pronounced
from provisioning.local.realtime.scenario import Phrase
from provisioning.local.realtime.sound import RATE, Samples

MODEL_RATE: Final = 16_000
SURE: Final = 0.5
"""Score below which a result is a guess: known phrases score 0.52 to 0.85, other sentences mostly 0.28 to 0.49."""

_PAUSE: Final = np.zeros(RATE // 5, np.int16)
"""The recogniser wants a moment of silence on both sides."""


class Ears:
    """Owns the recogniser and its thread; it knows `phrases`, pronounced in `language`."""

    def __init__(self, phrases: Sequence[Phrase], language: str = "en") -> None:
        self._phrases = {f"_{number}": phrase for number, phrase in enumerate(phrases)}
        self._language = language
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ears")
        self._decoder: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def warm_up(self) -> None:
        """Load the model now, in the background; otherwise the first recognition does."""
        self._thread.submit(self._loaded)

    async def recognise(self, samples: Samples) -> str | None:
        """Return the known phrase in `samples` (48 kHz), as it is written, or None when it is none of them."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._recognise, samples)

    def _loaded(self) -> Any:
        if self._decoder is None:
            self._decoder = self._load()
        return self._decoder

    def _load(self) -> Any:
        settings = {"hmm": str(MODEL / "en-us"), "dict": str(DICTIONARY), "lm": None, "samprate": float(MODEL_RATE)}
        decoder = pocketsphinx.Decoder(**settings, dither=True, seed=1, loglevel="FATAL")
        for word, phrase in self._phrases.items():
            decoder.add_word(word, pronounced(phrase, self._language), False)
        decoder.add_jsgf_string("phrases", f"#JSGF V1.0; grammar g; public <p> = {' | '.join(self._phrases)} ;")
        decoder.activate_search("phrases")
        return decoder

    def _recognise(self, samples: Samples) -> str | None:
        framed = np.concatenate([_PAUSE, samples, _PAUSE])
        decoder = self._loaded()
        decoder.start_utt()
        decoder.process_raw(coding.resampled(framed, RATE, MODEL_RATE).tobytes(), no_search=False, full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        phrase = self._phrases.get(found.hypstr) if found and found.score >= SURE else None
        return None if phrase is None else phrase.written
