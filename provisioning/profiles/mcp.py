"""PURE. MCP servers in a profile: the service calls them itself, by URL; nothing of them is on a robot."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final
from urllib.parse import SplitResult, urlsplit

from msgspec import Meta

from device.messages.secret import Secret
from device.messages.settings import Settings

_PRIVATE: Final = ("localhost", "local", "internal", "intranet", "lan", "home.arpa", "test", "invalid", "onion")
"""Ends of names that are nobody's on the Internet (RFC 6761, 6762, 7686, 8375, and ICANN's for `internal`)."""

_NAME: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")

Label = Annotated[str, Meta(pattern=r"^[a-zA-Z][a-zA-Z0-9_-]{0,63}\Z")]


class McpServer(Settings, frozen=True, kw_only=True):
    """One server; its tools are called without asking anybody, so each of them is named.

    Raises:
        ValueError: the address is none that a service on the Internet may be sent to, or approval is asked for.
    """

    label: Label
    url: str
    description: str = ""
    allowed_tools: Annotated[tuple[str, ...], Meta(min_length=1, max_length=64)]
    require_approval: str = "never"
    authorization: str = ""
    """Name of one of the settings' `[[mcp_secrets]]`; the value is never in a profile."""

    def __post_init__(self) -> None:
        check_url(self.url)
        if self.require_approval != "never":
            raise ValueError(
                'require_approval can be "never" only: nobody at a robot could approve; leave out of allowed_tools '
                "what must not be done unasked"
            )


class McpSecret(Settings, frozen=True):
    """What opens one MCP server; in the cloud's settings only."""

    name: Label
    host: str
    """The only host that it is sent to, whatever a profile says."""
    token: Secret = Secret("")
    token_file: str = ""


def check_url(url: str) -> SplitResult:
    """Check that `url` is https, of a public host, and holds no credential.

    Raises:
        ValueError: it is not; the text says why.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        raise ValueError(f"{url!r} is no URL") from None
    if parts.scheme != "https":
        raise ValueError(f"{url!r} is not https; what is said to an MCP server must not be read on the way")
    if parts.username is not None or parts.password is not None or parts.fragment or not url.isprintable():
        raise ValueError("the URL of an MCP server holds neither a password nor a fragment; use `authorization`")
    if not _public(host):
        raise ValueError(f"{host!r} is no public host; the service calls it from the Internet")
    return parts


def _public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        last = host.rstrip(".").rpartition(".")[2]
        private = any(host == end or host.endswith(f".{end}") for end in _PRIVATE)
        return bool(_NAME.fullmatch(host)) and not last.isdigit() and not private


def unusable(server: McpServer, secrets: Mapping[str, McpSecret]) -> str:
    """Return why a server's authorization cannot be used with these secrets; empty when it can, or none is wanted."""
    if not server.authorization:
        return ""
    secret = secrets.get(server.authorization)
    if secret is None:
        return f"there is no [[mcp_secrets]] {server.authorization!r} in the settings"
    if secret.host != check_url(server.url).hostname:
        return f"[[mcp_secrets]] {secret.name!r} is for {secret.host}, and is sent nowhere else"
    return ""


def as_tools(servers: Sequence[McpServer], secrets: Mapping[str, McpSecret]) -> list[dict[str, Any]]:
    """Return servers as the `tools` of a session; one whose authorization cannot be used is left out."""
    return [_as_tool(server, secrets) for server in servers if not unusable(server, secrets)]


def _as_tool(server: McpServer, secrets: Mapping[str, McpSecret]) -> dict[str, Any]:
    tool: dict[str, Any] = {
        "type": "mcp",
        "server_label": server.label,
        "server_url": server.url,
        "allowed_tools": list(server.allowed_tools),
        "require_approval": server.require_approval,
    }
    if server.description:
        tool["server_description"] = server.description
    if server.authorization:
        tool["authorization"] = secrets[server.authorization].token.reveal()
    return tool
