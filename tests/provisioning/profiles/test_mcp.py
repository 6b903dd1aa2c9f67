from __future__ import annotations

import msgspec
import pytest

from device.messages.secret import Secret
from provisioning.profiles.mcp import McpSecret, McpServer, as_tools, unusable

SECRET = McpSecret(name="events", host="mcp.example.com", token=Secret("mcp-token"))


def server(**changes: object) -> McpServer:
    told = {"label": "events", "url": "https://mcp.example.com/mcp", "allowed_tools": ["search"]} | changes
    return msgspec.convert(told, McpServer)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://mcp.example.com/", "not https"),
        ("ftp://mcp.example.com/", "not https"),
        ("mcp.example.com", "not https"),
        ("https://user:password@mcp.example.com/", "neither a password"),
        ("https://mcp.example.com/#part", "neither a password"),
        ("https://mcp.example.com/\n", "neither a password"),
        ("https://mcp.example.com:99999/", "no URL"),
        ("https://[::1/", "no URL"),
        *(
            (f"https://{host}/", "no public host")
            for host in (
                "",
                "localhost",
                "robot",
                "cloud.local",
                "cloud.LOCAL",
                "db.internal",
                "nas.home.arpa",
                "a.localhost",
                "127.0.0.1",
                "10.1.2.3",
                "192.168.0.9",
                "172.16.0.1",
                "169.254.169.254",
                "100.64.0.1",
                "0.0.0.0",  # noqa: S104 - an address to be refused
                "[::1]",
                "[fd00::1]",
                "[fe80::1]",
                "[::ffff:10.0.0.1]",
                "2130706433",
                "0x7f.1",
                "127.1",
                "münchen.example",
            )
        ),
    ],
)
def test_a_server_that_the_service_must_not_be_sent_to_is_refused(url: str, why: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=why):
        server(url=url)


@pytest.mark.parametrize(
    "url", ["https://mcp.example.com:8443/a?b=c", "https://8.8.8.8/mcp", "https://xn--mnchen-3ya.de/"]
)
def test_a_public_one_is_taken(url: str) -> None:
    assert server(url=url).url == url


def test_each_tool_is_named_and_none_waits_for_somebody_to_approve() -> None:
    with pytest.raises(msgspec.ValidationError, match="length"):
        server(allowed_tools=[])
    with pytest.raises(msgspec.ValidationError, match="nobody at a robot could approve"):
        server(require_approval="always")


def test_it_becomes_a_tool_of_the_session_with_its_secret_from_the_settings() -> None:
    (tool,) = as_tools([server(authorization="events", description="Events.")], {"events": SECRET})
    assert tool == {
        "type": "mcp",
        "server_label": "events",
        "server_url": "https://mcp.example.com/mcp",
        "server_description": "Events.",
        "allowed_tools": ["search"],
        "require_approval": "never",
        "authorization": "mcp-token",
    }
    (open_to_all,) = as_tools([server()], {})
    assert "authorization" not in open_to_all


def test_a_secret_is_sent_to_its_own_host_only() -> None:
    elsewhere = server(url="https://mcp.example.net/mcp", authorization="events")
    assert "is for mcp.example.com" in unusable(elsewhere, {"events": SECRET})
    assert as_tools([elsewhere], {"events": SECRET}) == []
    assert "there is no [[mcp_secrets]]" in unusable(server(authorization="other"), {"events": SECRET})
    assert "mcp-token" not in repr(SECRET)
