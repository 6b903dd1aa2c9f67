"""PURE. A conversation as a WebVTT file (W3C, WebVTT: The Web Video Text Tracks Format)."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from device.messages.reports import Speaker
from provisioning.observer.views import CaptionView

SHORTEST: Final = 0.5
"""Seconds: a cue must end after it begins, and be readable."""


def webvtt(captions: Sequence[CaptionView], name: str) -> str:
    """Return `captions` as cues whose time begins with the first of them; `name` is the robot's."""
    began = min((each.start for each in captions), default=0.0)
    parts = ["WEBVTT", "NOTE What visitors say is written down by a machine and may be wrong."]
    for each in captions:
        start, end = each.start - began, max(each.end, each.start + SHORTEST) - began
        voice = "Visitor" if each.speaker is Speaker.USER else name
        parts.append(f"{_clock(start)} --> {_clock(end)}\n<v {_text(voice)}>{_text(each.text)}")
    return "\n\n".join(parts) + "\n"


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"


def _text(text: str) -> str:
    return escape(" ".join(text.split()), quote=False)
