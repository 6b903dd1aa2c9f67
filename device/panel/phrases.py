"""What the robot says of a fault, in the language of the house: spoken once, when the package was made (`make phrases`).

A robot with a fault cannot ask a service for a voice. The voices are espeak-ng's for English, and for Japanese the HTS
voice "Mei" of the MMDAgent project, Nagoya Institute of Technology (CC BY 3.0), by Open JTalk.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, Literal

import av
import numpy as np

from device.audio.block import RATE, Samples
from device.errors import SoundError
from device.panel.faults import Fault, Remark

Language = Literal["en", "ja"]

PHRASES: Final[Mapping[Fault | Remark, Mapping[Language, str]]] = {
    Fault.NETWORK: {
        "en": "I cannot reach the network. Please check the connection, and then press the button again.",
        "ja": "ネットワークにつながりません。接続を確かめて、もう一度ボタンを押してください。",
    },
    Fault.SERVICE: {
        "en": "The conversation service does not answer. Please try again in a moment.",
        "ja": "会話サービスが応答しません。少し待ってから、もう一度お試しください。",
    },
    Fault.REFUSED: {
        "en": "I am not allowed to talk. Please tell the staff.",
        "ja": "今はお話しすることができません。係の人に知らせてください。",
    },
    Fault.BUDGET: {
        "en": "I have talked as much as I may for now. Please come back later.",
        "ja": "今は話せる分を使い切りました。また後で来てください。",
    },
    Fault.CLOCK: {
        "en": "My clock is wrong. Please tell the staff.",
        "ja": "時計が合っていません。係の人に知らせてください。",
    },
    Fault.BUSY: {
        "en": "Many people want to talk just now. Please try again in a moment.",
        "ja": "今はとても混み合っています。少し待ってから、もう一度お試しください。",
    },
    Fault.OTHER: {
        "en": "Something went wrong. Please press the button again.",
        "ja": "うまくいきませんでした。もう一度ボタンを押してください。",
    },
    Remark.BUSY: {
        "en": "Many people want to talk just now. Please ask me again in a moment.",
        "ja": "今はとても混み合っています。少し待ってから、もう一度話しかけてください。",
    },
    Remark.FILTERED: {
        "en": "I cannot talk about that. Please ask me something else.",
        "ja": "それについてはお話しできません。ほかのことを聞いてください。",
    },
    Remark.FAILED: {
        "en": "I could not find an answer. Please ask me again.",
        "ja": "うまく答えられませんでした。もう一度話しかけてください。",
    },
}
"""The words for each kind of fault, and for answers that fail; a robot without a sound card has none."""

FOLDER: Final = Path(__file__).parent / "spoken"
"""Ogg files with Opus, and `words.json`: what is said in each."""


def path(said: Fault | Remark, language: Language) -> Path:
    """Return the file in which this is said."""
    return FOLDER / f"{said}.{language}.opus"


@cache
def spoken(said: Fault | Remark, language: Language) -> Samples:
    """Return the words for a fault or a failed answer, shape (n,), 48 kHz; none for one that has none.

    Decoding takes some ten milliseconds, once: call it while nobody speaks.

    Raises:
        SoundError: the file is not there, or damaged.
    """
    if said not in PHRASES:
        return np.zeros(0, np.int16)
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    try:
        with av.open(str(path(said, language))) as file:
            frames = [part for frame in file.decode(audio=0) for part in resampler.resample(frame)]
    except (OSError, av.error.FFmpegError) as error:
        raise SoundError(f"{path(said, language)} cannot be played: {error}") from None
    samples: Samples = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
    samples.flags.writeable = False
    return samples
