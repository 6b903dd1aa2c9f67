"""PURE. The `[record]` table of a device's settings: nothing is kept unless both `keep` and `consent` say so."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from device.messages.settings import Settings


class RecordSettings(Settings, frozen=True):
    """Whether conversations are recorded here, who has agreed to that, and how long records stay."""

    keep: bool = False
    """Keep a record of conversations."""
    consent: Literal["none", "posted", "asked"] = "none"
    """How those who talk agree. `posted`: a sign at the robot says so. `asked`: the model asks, and nothing is written before
    they said yes. With `none` nothing is written, whatever `keep` says."""
    folder: str = ""
    """Where records lie; `records` in the state folder when empty."""
    announcement: str = "Say in one short sentence, in your visitor's language, that this conversation is recorded."
    """What the model is asked to say when it begins to hear, with `posted`; nothing when empty."""
    question: str = (
        "Ask in one short sentence, in your visitor's language, whether this conversation may be recorded. "
        "When they have answered, call keep_record."
    )
    """Likewise with `asked`."""
    days: Annotated[float, Meta(gt=0, le=3650)] = 30.0
    """A record is deleted so many days after it began."""
    most_megabytes: Annotated[int, Meta(ge=1)] = 2000
    """All records together; the oldest are deleted when there is more. An hour takes about 45 MB."""
    spare_megabytes: Annotated[int, Meta(ge=0)] = 300
    """What must stay free on the disk: with less, nothing is recorded."""
    bit_rate: Annotated[int, Meta(ge=6_000, le=128_000)] = 32_000
    """Bits per second of each of the three sounds."""

    @property
    def active(self) -> bool:
        """Whether anything may be written."""
        return self.keep and self.consent != "none"
