"""PURE. How the device holds a Realtime call; what is said in it is decided by the cloud."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from device.audio.opus import OpusSettings
from device.messages.settings import Settings


class RealtimeSettings(Settings, frozen=True):
    """The `[realtime]` table."""

    opus: OpusSettings = OpusSettings()
    """How the microphone is encoded."""
    exchange: Literal["robot", "cloud"] = "robot"
    """Who carries offer and answer of a call: with `cloud` (experimental), each request for a grant has an offer, and the
    profile says whether the cloud opens the call with it. A cloud of an earlier version answers no such request."""
    offer_seconds: Annotated[float, msgspec.Meta(gt=0)] = 8.0
    """How long the service may take to answer the offer."""
    media_seconds: Annotated[float, msgspec.Meta(gt=0)] = 8.0
    """How long the data channel may take to open once the offer is answered."""
    greeting_seconds: Annotated[float, msgspec.Meta(gt=0)] = 5.0
    """How long `session.created` may take once the data channel is open."""
    silent_seconds: Annotated[float, msgspec.Meta(gt=0)] = 4.0
    """How long neither sound nor event may come while the assistant is speaking."""
    answer_seconds: Annotated[float, msgspec.Meta(gt=0)] = 30.0
    """How long no event may come while the assistant is thinking."""
    rehearsal_seconds: Annotated[float, msgspec.Meta(gt=0)] = 6.0
    """How long a second call may take to prove that it hears, and to be told what was said before."""
    history_tokens: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 4000
    """How much of what was said a call that takes over is told, at most, newest first; every answer is billed for it again."""
    close_seconds: Annotated[float, msgspec.Meta(gt=0, le=6)] = 3.0
    """How long hanging up may take before it is left to the operating system; as long again for the answer to an offer
    that nobody wants any more."""
