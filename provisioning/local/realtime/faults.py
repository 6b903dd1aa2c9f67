"""PURE. What goes wrong on purpose; every switch may be turned at any time."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec


class HttpFault(StrEnum):
    """How an HTTP request fails."""

    UNAUTHORIZED = "unauthorized"
    """401 invalid_api_key"""
    QUOTA = "quota"
    """429 insufficient_quota"""
    RATE_LIMIT = "rate_limit"
    """429 rate_limit_exceeded"""
    UNKNOWN_MODEL = "unknown_model"
    """404 model_not_found"""
    SERVER_ERROR = "server_error"
    """500 server_error"""
    SLOW = "slow"
    """The right answer, after `slow_seconds`."""
    RESET = "reset"
    """The connection is reset instead of an answer."""
    MALFORMED_JSON = "malformed_json"
    """502 with a web page where an error object should be."""
    MALFORMED_SDP = "malformed_sdp"
    """201 with an SDP that cannot be used."""
    JSON_FOR_SDP = "json_for_sdp"
    """201 with an error object where the SDP should be."""
    CHUNKED = "chunked"
    """The right answer, in a chunked body without a length."""


class EventFault(StrEnum):
    """What becomes of the events on the data channel."""

    SILENT = "silent"
    """None is sent."""
    GARBLED = "garbled"
    """Only the first half of each is sent."""


class Faults(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The switches, all off; set them at any time, or PUT them as JSON to `/stand-in/faults`."""

    secrets: HttpFault | None = None
    """How `client_secrets` fails."""
    calls: HttpFault | None = None
    """How `calls` fails."""
    events: EventFault | None = None
    """What becomes of the events on the data channel."""
    responses: str | None = None
    """Error code with which every response fails, such as `insufficient_quota`; without usage, without sound."""
    transcriptions: bool = False
    """Whether transcribing what the user said fails."""
    loss: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    """Share of UDP datagrams that vanish, both ways; 1.0 is a blocked or vanished network."""
    session_seconds: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """The longest session for calls that begin from now on, in the place of `StandInSettings.session_seconds`."""

    def become(self, others: Faults) -> None:
        """Set every switch as it is in `others`."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(others, name))
