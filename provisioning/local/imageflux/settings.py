"""How the stand-in is set up, and the faults that can be switched on while it runs."""

from __future__ import annotations

import msgspec

from device.messages.secret import Secret
from device.messages.settings import Settings


class IceServerSettings(Settings, frozen=True):
    """One entry of the ICE servers that offers name; all three keys are always sent, native clients demand them."""

    urls: list[str]
    username: str = ""
    credential: str = ""


class StandInSettings(Settings, frozen=True):
    """The stand-in's settings; the defaults suit a demonstration on one computer."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 lets the system choose a free one."""
    public_address: str = ""
    """`HOST:PORT` to put into the addresses given out, for observers on other machines; empty: where it listens."""
    token: Secret = Secret("stand-in-token")
    """The bearer token that API calls must carry."""
    plain_sora: bool = False
    """Be a Sora without ImageFlux, for other test suites: a connect makes its channel, Sora's API needs no token."""
    directory: str = ""
    """Where playlists are written; empty: a temporary directory that goes with the stand-in."""
    playlist_segments: int = 8
    """Segments listed in a live playlist."""
    keep_seconds: float = 60.0
    """How long an ended playlist stays downloadable."""
    ping_seconds: float = 5.0
    """Interval of signalling pings; the real service's is not documented."""
    pong_seconds: float = 20.0
    """A client that has not answered a ping for so long is disconnected."""
    connect_seconds: float = 30.0
    """A client that is not connected so long after its socket opened is disconnected."""
    connection_seconds: float = 0.0
    """A connection is ended with LIFETIME-EXPIRED when it is so old; 0: never."""
    ice_servers: list[IceServerSettings] = []
    relay_only: bool = False
    """Offers say `iceTransportPolicy: relay`."""


class Faults(msgspec.Struct, forbid_unknown_fields=True):
    """What goes wrong on purpose; set the attributes at any time, or PUT them as JSON to `/stand-in/faults`."""

    api_status: int = 0
    """Every API call is answered with this status, when not 0."""
    refuse_connect: bool = False
    """Every signalling connect is closed with 4403."""
    slow_seconds: float = 0.0
    """API answers and signalling offers come so much later."""
