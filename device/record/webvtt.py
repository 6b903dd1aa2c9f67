"""PURE. The captions of a record as a WebVTT file (W3C, WebVTT: The Web Video Text Tracks Format)."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

from device.messages.record import Said
from device.messages.reports import Speaker

SHORTEST: Final = 0.5
"""Seconds: a cue must end after it begins, and be readable."""


def webvtt(captions: Iterable[Said], name: str) -> str:
    """Return `captions` as cues on the clock of the sounds; `name` is the robot's."""
    cues = ["WEBVTT", "NOTE What visitors say is written down by a machine and may be wrong."]
    for said in captions:
        start = max(0.0, said.start)
        voice = "Visitor" if said.speaker is Speaker.USER else name
        times = f"{_clock(start)} --> {_clock(max(said.end, start + SHORTEST))}"
        cues.append(f"{times}\n<v {_text(voice)}>{_text(said.text)}")
    return "\n\n".join(cues) + "\n"


def _clock(seconds: float) -> str:
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"


def _text(text: str) -> str:
    return escape(" ".join(text.split()), quote=False)
