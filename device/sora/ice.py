"""PURE. Which ICE servers of an offer to use, and in which order to try the ways through a firewall.

Sora offers TURN over UDP, TCP and TLS; browsers try all at once, aiortc uses the first TURN address of the list only.
So one way is chosen for each connection, the next one for the next connection.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

_TURN: Final = re.compile(r"^(turns?):[^?:]+(?::\d+)?(?:\?transport=(\w+))?$")
_STUN: Final = re.compile(r"^stun:[^?:]+(?::\d+)?$")
"""Host names and IPv4 addresses; aiortc 1.16 raises on IPv6 literals, so they are left out."""


class Relay(StrEnum):
    """The transports to a TURN server, from the fastest to the one that passes most firewalls."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class IceServer:
    """One entry of an offer's `iceServers`."""

    urls: tuple[str, ...]
    username: str = ""
    credential: str = field(default="", repr=False)


def relay_of(url: str) -> Relay | None:
    """Return the transport of a TURN address (RFC 7065), None for anything else."""
    found = _TURN.match(url)
    if found is None:
        return None
    if found[1] == "turns":
        return Relay.TLS if found[2] in {None, "tcp"} else None
    return {None: Relay.UDP, "udp": Relay.UDP, "tcp": Relay.TCP}.get(found[2])


def relays_in(servers: Sequence[IceServer]) -> list[Relay]:
    """Return the transports that `servers` have, in the order in which to try them."""
    present = {relay_of(url) for server in servers for url in server.urls}
    return [relay for relay in Relay if relay in present]


def chosen(servers: Sequence[IceServer], attempt: int) -> list[IceServer]:
    """Return `servers` with the TURN addresses of one transport only: the first for attempt 0, the next for 1, and so on, around."""
    relays = relays_in(servers)
    relay = relays[attempt % len(relays)] if relays else None
    narrowed = [
        IceServer(urls, server.username, server.credential)
        for server in servers
        if (urls := tuple(url for url in server.urls if _STUN.match(url) or (relay and relay_of(url) is relay)))
    ]
    return sorted(narrowed, key=lambda server: not any(relay_of(url) for url in server.urls))
