"""How phrases are pronounced, in the phonemes of pocketsphinx's American model."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import pocketsphinx

from provisioning.local.realtime import kana
from provisioning.local.realtime.scenario import Phrase, plain

MODEL: Final = Path(pocketsphinx.get_model_path("en-us"))
DICTIONARY: Final = MODEL / "cmudict-en-us.dict"


@cache
def _words() -> dict[str, str]:
    lines = (line.partition(" ") for line in DICTIONARY.read_text(encoding="utf-8").splitlines())
    return {word: sounds for word, _, sounds in lines}


def pronounced(phrase: Phrase, language: str) -> str:
    """Return the phonemes of `phrase`, with a space between them.

    Raises:
        ValueError: a word that is not in the dictionary, or a letter that is not kana; the text names it.
    """
    text = plain(phrase.sound)
    if language == "ja":
        return kana.phonemes(text)
    unknown = [word for word in text.split() if word not in _words()]
    if unknown or not text:
        raise ValueError(f"not in the recogniser's dictionary: {', '.join(unknown) or 'nothing'}; use other words")
    return " ".join(_words()[word] for word in text.split())
