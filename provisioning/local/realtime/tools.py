"""PURE. The tools of a session as the service takes them: functions of the client, and MCP servers that it calls itself."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from provisioning.local.realtime.refusals import RefusedError

HIDDEN: Final = ("authorization", "headers")
"""What a session never shows again of an MCP server: whoever reads it is not who sent it."""

_WAYS: Final = ("server_url", "connector_id", "tunnel_id")


class Parameters(msgspec.Struct, frozen=True):
    """The arguments of a function."""

    type: Literal["object"] = "object"
    properties: dict[str, dict[str, Any]] = {}
    required: list[str] = []


class Function(msgspec.Struct, frozen=True, tag_field="type", tag="function"):
    """A tool of the client."""

    name: Annotated[str, msgspec.Meta(pattern="^[a-zA-Z0-9_-]{1,64}$")]
    description: str = ""
    parameters: Parameters = Parameters()


class _Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    read_only: bool | None = None
    tool_names: list[str] | None = None


class _Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    always: _Filter | None = None
    never: _Filter | None = None


class Mcp(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="mcp"):
    """An MCP server (fields of openai 3.54, `RealtimeToolsConfigUnion`)."""

    server_label: Annotated[str, msgspec.Meta(pattern="^[a-zA-Z][a-zA-Z0-9_-]{0,63}$")]
    server_url: str | None = None
    connector_id: str | None = None
    tunnel_id: str | None = None
    server_description: str | None = None
    allowed_tools: list[str] | _Filter | None = None
    allowed_callers: list[Literal["direct", "programmatic"]] | None = None
    require_approval: Literal["always", "never"] | _Approval | None = None
    authorization: str | None = None
    headers: dict[str, str] | None = None
    defer_loading: bool | None = None


Tool = Function | Mcp


def check_servers(tools: list[Tool]) -> None:
    """Check what the fields of MCP servers alone do not say.

    Raises:
        RefusedError: two of one label, or one that cannot be reached in exactly one way.
    """
    servers = [(number, tool) for number, tool in enumerate(tools) if isinstance(tool, Mcp)]
    labels = [server.server_label for _, server in servers]
    for number, server in servers:
        param = f"session.tools[{number}]"
        ways = [way for way in _WAYS if getattr(server, way) is not None]
        if len(ways) != 1:
            text = f"Exactly one of {', '.join(_WAYS)} must be provided."
            raise RefusedError(400, "invalid_value", text, param=param)
        if server.server_url is not None and urlsplit(server.server_url).scheme not in {"http", "https"}:
            text = f"Invalid server_url: '{server.server_url}'."
            raise RefusedError(400, "invalid_value", text, param=f"{param}.server_url")
        if labels.count(server.server_label) > 1:
            text = f"Duplicate server_label: '{server.server_label}'."
            raise RefusedError(400, "invalid_value", text, param=f"{param}.server_label")


def shown(tools: Any) -> Any:
    """Return tools as a session shows them, without what opens a server."""
    if not isinstance(tools, list):
        return tools
    return [
        {name: value for name, value in tool.items() if name not in HIDDEN} if isinstance(tool, dict) else tool
        for tool in tools
    ]
