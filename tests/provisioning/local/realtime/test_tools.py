"""The tools of a session: functions, and MCP servers, as strict as the types of the vendor."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.local.realtime.refusals import RefusedError
from provisioning.local.realtime.session import Session

MCP = {
    "type": "mcp",
    "server_label": "events",
    "server_url": "https://mcp.example.com/mcp",
    "allowed_tools": ["search"],
    "require_approval": "never",
}
FUNCTION = {"type": "function", "name": "lamp"}


def session(**asked: Any) -> Session:
    return Session("sess_1", 1_800_000_000, {"type": "realtime", **asked})


def test_a_session_shows_an_mcp_server_and_not_what_opens_it() -> None:
    opened = {**MCP, "authorization": "mcp-token", "headers": {"X-Key": "secret"}}
    one = session(tools=[FUNCTION, opened])
    assert one.view["tools"] == [FUNCTION, MCP]
    assert one.tools == {"lamp"}
    one.update({"type": "realtime", "instructions": "Be brief."})
    assert one.view["tools"] == [FUNCTION, MCP]


@pytest.mark.parametrize(
    "more",
    [
        {"require_approval": {"never": {"tool_names": ["search"]}, "always": {"read_only": False}}},
        {"allowed_tools": {"read_only": True}},
        {"server_description": "Events.", "defer_loading": False, "allowed_callers": ["direct"]},
        {"require_approval": None, "allowed_tools": None},
    ],
)
def test_what_the_types_of_the_vendor_know_is_taken(more: dict[str, Any]) -> None:
    assert session(tools=[MCP | more]).view["tools"] == [MCP | more]


@pytest.mark.parametrize(
    ("tools", "param"),
    [
        ([MCP | {"server_url": None}], "session.tools[0]"),
        ([FUNCTION, MCP | {"connector_id": "connector_gmail"}], "session.tools[1]"),
        ([MCP | {"server_url": "file:///etc/passwd"}], "session.tools[0].server_url"),
        ([MCP, MCP], "session.tools[0].server_label"),
        ([MCP | {"server_label": "no spaces"}], "session"),
        ([{key: value for key, value in MCP.items() if key != "server_label"}], "session"),
        ([MCP | {"require_approval": "sometimes"}], "session"),
        ([MCP | {"require_approval": {"perhaps": {}}}], "session"),
        ([MCP | {"allowed_tools": "search"}], "session"),
        ([MCP | {"token": "x"}], "session"),
        ([{"type": "telepathy"}], "session"),
    ],
)
def test_what_they_do_not_know_is_refused(tools: list[dict[str, Any]], param: str) -> None:
    with pytest.raises(RefusedError) as refused:
        session(tools=tools)
    assert (refused.value.code, refused.value.param) == ("invalid_value", param)


@pytest.mark.parametrize(
    "asked",
    [
        {"truncation": {"type": "retention_ratio", "retention_ratio": 1.5}},
        {"truncation": {"type": "retention_ratio"}},
        {"truncation": {"type": "retention_ratio", "retention_ratio": 0.3, "token_limits": {"tokens": 5}}},
        {
            "truncation": {
                "type": "retention_ratio",
                "retention_ratio": 0.3,
                "token_limits": {"post_instructions": 97_000},
            }
        },
        {"truncation": "never"},
        {"max_output_tokens": 4097},
        {"reasoning": {"effort": "extreme"}},
        {"reasoning": {"effort": "low"}, "model": "gpt-realtime-1.5"},
        {"audio": {"output": {"speed": 9.9}}},
        {"audio": {"input": {"transcription": {"model": "gpt-transcribe", "words": []}}}},
    ],
)
def test_values_out_of_their_range_are_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        session(**asked)


def test_a_retention_ratio_and_reasoning_are_shown_as_they_were_asked_for() -> None:
    kept = {"type": "retention_ratio", "retention_ratio": 0.3, "token_limits": {"post_instructions": 8000}}
    view = session(truncation=kept, reasoning={"effort": "low"}, max_output_tokens=800).view
    assert (view["truncation"], view["reasoning"], view["max_output_tokens"]) == (kept, {"effort": "low"}, 800)
