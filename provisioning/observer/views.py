"""PURE. What leaves for the public: every field of these structs is meant to be read by strangers.

They are written out as JSON to browsers; `static/` reads them by these names.
"""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256
from typing import Final

import msgspec

from device.messages.reports import Caption, Lifecycle, Speaker
from device.messages.word_filter import WordFilter

TALKING: Final = frozenset({"listening", "thinking", "speaking", "reconnecting"})
"""The phases of a device in which a conversation is going on."""

LONGEST_TEXT: Final = 2_000
"""Characters of one caption that are passed on: about two minutes of fast speech."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything that is sent to a browser."""


class CaptionView(View, frozen=True):
    """One caption; `start` and `end` are Unix seconds, and captions with the same `id` replace each other."""

    id: str
    speaker: Speaker
    text: str
    start: float
    end: float
    final: bool
    approximate: bool


class WatchView(View, frozen=True):
    """How a browser can join the broadcast itself, with little delay: where to connect to, and to which channel.

    Whoever has the two can connect to the channel. They leave the cloud only when low delay is switched on.
    """

    signalling: str
    channel: str


class StateView(View, frozen=True):
    """What a robot is doing since `at` (Unix seconds by the cloud's clock)."""

    lifecycle: Lifecycle | None
    """None: no robot of this name has reported yet."""
    phase: str
    on_air: bool
    session: str | None
    """A name for the current or just ended conversation that opens nothing."""
    ended: bool
    """The conversation named by `session` is over."""
    playlist: str | None
    at: float
    watch: WatchView | None = None
    """None: with the playlist's delay only."""
    muted: bool = False
    """The robot does not hear the room, and neither does anybody else."""
    delay: float = 0.0
    """Seconds by which the broadcast is late on purpose; while it is on air, `at` is the delayed time."""
    closing: bool = False
    """The conversation ends soon because it has lasted as long as it may, and those in the room were told."""


class RobotCard(View, frozen=True):
    """One line in the list of robots."""

    device: str
    name: str
    state: StateView
    viewers: int


class Snapshot(View, frozen=True):
    """All that a page needs to start, or to start again."""

    device: str
    name: str
    state: StateView
    captions: list[CaptionView]
    viewers: int
    now: float
    """Unix seconds by the cloud's clock, so that a page need not trust its own."""


class ListView(View, frozen=True):
    """Every robot, for a page that begins to look at the list."""

    robots: list[RobotCard]


class LevelsView(View, frozen=True):
    """How loud each voice is at `at` (Unix seconds), RMS dBFS, -100 is silence."""

    user: float
    assistant: float
    at: float


class ViewersView(View, frozen=True):
    """How many pages are open on this robot."""

    viewers: int


class ChangeName(StrEnum):
    """The kinds of server-sent events."""

    SNAPSHOT = "snapshot"
    STATE = "state"
    CAPTION = "caption"
    LEVELS = "levels"
    VIEWERS = "viewers"
    LIST = "list"
    CARD = "card"


Change = Snapshot | StateView | CaptionView | LevelsView | ViewersView | ListView | RobotCard

_NAMES: Final[dict[type[View], ChangeName]] = {
    Snapshot: ChangeName.SNAPSHOT,
    StateView: ChangeName.STATE,
    CaptionView: ChangeName.CAPTION,
    LevelsView: ChangeName.LEVELS,
    ViewersView: ChangeName.VIEWERS,
    ListView: ChangeName.LIST,
    RobotCard: ChangeName.CARD,
}


def name_of_change(change: Change) -> ChangeName:
    """Return the event name under which `change` is sent."""
    return _NAMES[type(change)]


def public_session(session: str) -> str:
    """Return a name for `session` from which the session's own id, a minting nonce, cannot be had back."""
    return sha256(b"kaiwa observer " + session.encode()).hexdigest()[:12]


def caption_view(caption: Caption, words: WordFilter) -> CaptionView:
    """Return what the public may read of `caption`: without hidden words, and at most `LONGEST_TEXT` characters."""
    return CaptionView(
        id=caption.id,
        speaker=caption.speaker,
        text=words(caption.text[:LONGEST_TEXT]),
        start=caption.start,
        end=caption.end,
        final=caption.final,
        approximate=caption.approximate,
    )
