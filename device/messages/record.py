"""PURE. The record of one conversation as it lies on the disk: written by a robot, read by whoever plays it back.

A folder holds three sounds (Ogg/Opus, 48 kHz, mono), `captions.vtt`, `events.jsonl` and `manifest.json`. Every time in it is in
seconds from the beginning of the sounds, which all begin together; the manifest tells when that was. What a later version
adds is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from device.errors import RecordError
from device.messages.reports import SessionFigures, Speaker, UnixTime

FORMAT: Final = 1
"""Version of the format: raised when what is known already changes its meaning."""

MANIFEST: Final = "manifest.json"
EVENTS: Final = "events.jsonl"
CAPTIONS: Final = "captions.vtt"

Moment = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]
"""Seconds from the beginning of the sounds; what began before them is negative."""


class Track(StrEnum):
    """The sounds of a record."""

    MIXED = "mixed"
    """What observers hear: both voices, brought to one loudness."""
    NEAR = "near"
    """The room, without the robot's echo."""
    PLAYED = "played"
    """What the loudspeaker was given: the assistant as it was really played, earcons included."""

    @property
    def file(self) -> str:
        """Its file in the folder."""
        return f"{self}.ogg"


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all that is in a record; unknown fields are passed over."""


class Stood(Part, frozen=True, tag="phase"):
    """The robot's phase, and whether it was on air or its microphone closed, from this moment on."""

    at: Moment
    phase: str
    on_air: bool = False
    muted: bool = False


class Said(Part, frozen=True, tag="caption"):
    """Words, as they were really played or as they were understood; a later one of the same `id` replaces it."""

    at: Moment
    id: str
    speaker: Speaker
    text: str
    start: Moment
    end: Moment
    approximate: bool = False


class Used(Part, frozen=True, tag="tool"):
    """The model called a tool; arguments and outcome are JSON."""

    at: Moment
    tool: str
    arguments: str
    ok: bool
    outcome: str
    seconds: float


class Answered(Part, frozen=True, tag="answer"):
    """An answer began to be heard, so many milliseconds after the end of speech."""

    at: Moment
    total: int
    network: int | None = None
    model: int | None = None
    device: int | None = None


class Failed(Part, frozen=True, tag="fault"):
    """Something went wrong."""

    at: Moment
    code: str
    text: str


Happened = Stood | Said | Used | Answered | Failed


class State(StrEnum):
    """How a record came to its end."""

    OPEN = "open"
    """It goes on, or its robot lost power."""
    CLOSED = "closed"
    RECOVERED = "recovered"
    """Its robot had lost power or crashed; it was closed at the next start."""


class Manifest(Part, frozen=True):
    """What a record is of."""

    format: int
    state: State
    session: str
    device: str
    began_at: UnixTime
    """Unix seconds of the beginning of the sounds, by the cloud's clock."""
    consent: str
    """How those who talked had agreed: `posted` or `asked`."""
    reason: str = ""
    """What started the session."""
    model: str = ""
    language: str = ""
    seconds: float = 0.0
    """Length of the sounds."""
    end_reason: str = ""
    usage: dict[str, int] = {}
    """Tokens of the session, by kind; what they cost is told by whoever knows the prices."""
    figures: SessionFigures | None = None
    tools: dict[str, int] = {}
    """How often each tool was called."""
    lost_blocks: int = 0
    """Blocks of 20 ms that the disk was too slow for; silence stands in their place."""


def decode_manifest(data: bytes) -> Manifest:
    """Return the manifest that `data` holds.

    Raises:
        RecordError: it holds none that can be read here.
    """
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(f"no manifest of a record: {error}") from None
    if manifest.format > FORMAT:
        raise RecordError(f"a record of format {manifest.format}; this version reads up to {FORMAT}")
    return manifest


def decode_events(data: bytes) -> list[Happened]:
    """Return all that happened, one to a line; lines that are cut, or of a kind that is not known here, are passed over."""
    return [event for line in data.splitlines() for event in _known(line)]


def _known(line: bytes) -> list[Happened]:
    try:
        return [msgspec.json.decode(line, type=Happened)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []


def captions_of(events: Sequence[Happened]) -> list[Said]:
    """Return what was said at last, in the order of speech."""
    said = {event.id: event for event in events if isinstance(event, Said)}
    return sorted(said.values(), key=lambda each: each.start)
