"""PURE. Why a connection to Sora ended, in the few kinds that make a difference."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from device.errors import MediaError, SignallingError

NORMAL_CLOSURE = 1000
"""RFC 6455 section 7.4.1."""


class Cause(StrEnum):
    """The kinds of ends."""

    LEFT = "left"
    """We said goodbye."""
    ENDED = "ended by server"
    """Closed with code 1000 by the service: an API call, or the end of the connection's lifetime."""
    REFUSED = "refused"
    """Sent away before we were on air: no right, no such channel, a message it did not like."""
    UNREACHABLE = "unreachable"
    """No signalling address could be opened, or nothing was said there in time."""
    LOST = "lost"
    """The signalling connection broke, or was closed with another code than 1000."""
    MEDIA = "no media"
    """The peer connection did not come up in time, or failed."""


@dataclass(frozen=True, slots=True)
class End:
    """One end; its text is fit for a person to read."""

    cause: Cause
    code: int = 0
    """The websocket's close code; 0 when there was none."""
    reason: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (f"{self.cause}:", str(self.code or ""), self.reason))).rstrip(":")

    def error(self) -> SignallingError | MediaError:
        """Return the error to raise when this end came before the programme was on air."""
        if self.cause is Cause.MEDIA:
            return MediaError(str(self))
        return SignallingError(self.code, f"({self.cause}) {self.reason}")


def closed(code: int, reason: str, *, on_air: bool) -> End:
    """Return what a close of the signalling connection that we did not ask for means."""
    if code == NORMAL_CLOSURE:
        return End(Cause.ENDED, code, reason)
    if 4000 <= code < 5000 and not on_air:
        return End(Cause.REFUSED, code, reason)
    return End(Cause.LOST, code, reason)
