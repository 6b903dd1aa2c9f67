"""Whether a broker is near: on this computer, or with a private address."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address

from device.errors import SettingsError


def near(address: str) -> bool:
    """Tell whether an IP address is this computer's own or a private one (RFC 1918, RFC 4193, link-local)."""
    found = ip_address(address.partition("%")[0])
    return found.is_loopback or found.is_private or found.is_link_local


async def check_near(host: str) -> None:
    """Look up where `host` is; what has no address at the moment is no danger.

    Raises:
        SettingsError: it is out in the Internet, where unsigned wishes must not travel.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return
    far = [str(address[0]) for *_, address in found if not near(str(address[0]))]
    if far:
        raise SettingsError(
            "[home_assistant]",
            f"{host} is at {far[0]}: the bridge talks only to a broker on this computer or with a private address",
            key="host",
        )
