"""The session of a Live session, held against the vendor's types, and what of a profile it cannot do."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from device.messages.tools import LOOK_UP, ToolDeclaration
from provisioning.profiles.knowledge import Plan, plan
from provisioning.profiles.live import HEARD, HEARD_OF_BACKEND, SENT, live_session
from provisioning.profiles.mcp import McpServer
from provisioning.profiles.persona import Persona
from provisioning.profiles.reading import mistakes
from tests.provisioning.local.realtime.live.reference import client_kinds, judge_creation, server_kinds

PERSONA = Persona(opening="live", model="gpt-live-1", instructions="You are a robot.", voice="cedar")
LAMP = ToolDeclaration(name="lamp", description="Switches the lamp.")
SEARCH = ToolDeclaration(name=LOOK_UP, description="Looks things up.")


def body(**changes: Any) -> dict[str, Any]:
    persona = msgspec.structs.replace(PERSONA, **changes)
    session = live_session(persona, [LAMP], Plan())
    judge_creation({"session": session, "transport": {"type": "webrtc", "sdp": "v=0"}})
    return session


def test_the_profile_is_in_it_and_the_model_behind_has_the_tools() -> None:
    session = body()
    assert (session["model"], session["audio"]) == ("gpt-live-1", {"output": {"voice": "cedar"}})
    backend = session["delegation"]["responses"]
    assert (backend["model"], backend["instructions"]) == ("gpt-5.6-luna", "You are a robot.")
    assert [tool["name"] for tool in backend["tools"]] == ["lamp"]
    assert backend["max_output_tokens"] == 1000
    assert session["instructions"].startswith("You are a robot.\n\n")
    assert session["instructions"].endswith("once it is: lamp.")
    assert "reasoning" not in backend
    assert body(reasoning_effort="low", backend_model="m")["delegation"]["responses"]["reasoning"] == {"effort": "low"}


def test_a_robot_without_tools_and_words_has_the_services_own_instructions() -> None:
    session = live_session(msgspec.structs.replace(PERSONA, instructions=""), [], Plan())
    judge_creation({"session": session, "transport": {"type": "webrtc", "sdp": "v=0"}})
    assert "instructions" not in session
    assert session["delegation"]["responses"].keys() == {"model", "max_output_tokens"}


def test_the_texts_of_a_place_are_told_to_both() -> None:
    session = live_session(PERSONA, [SEARCH], plan({"hours.txt": "Open from 9 to 5."}, 2000))
    for told in (session["instructions"], session["delegation"]["responses"]["instructions"]):
        assert "Open from 9 to 5." in told


def test_a_robot_may_send_and_hear_what_it_needs_and_nothing_that_changes_the_session() -> None:
    channel = body()["client"]["data_channel"]
    assert channel["allowed_client_events"] == list(SENT)
    assert set(SENT) <= client_kinds()
    assert "session.update" not in SENT
    assert set(HEARD) <= server_kinds()
    nested = [each["response_event"] for each in channel["allowed_server_events"] if "response_event" in each]
    assert nested == list(HEARD_OF_BACKEND)


MCP = McpServer(label="events", url="https://mcp.example.com/mcp", allowed_tools=("search",))


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("vad", {"vad": "push_to_talk"}),
        ("vad", {"vad": "server_vad"}),
        ("eagerness", {"eagerness": "low"}),
        ("single_turn", {"single_turn": True}),
        ("speed", {"speed": 1.2}),
        ("noise_reduction", {"noise_reduction": "off"}),
        ("transcription_model", {"transcription_model": ""}),
        ("answer_tokens", {"answer_tokens": 100}),
        ("history_tokens", {"history_tokens": 8000}),
        ("mcp", {"mcp": (MCP,)}),
        ("model", {"model": "gpt-realtime-2.1"}),
        ("model", {"opening": "exchanged"}),
        ("model", {"opening": "secret"}),
    ],
)
def test_what_a_live_session_cannot_do_is_refused_when_the_profile_is_made(key: str, changes: dict[str, Any]) -> None:
    found = dict(mistakes(msgspec.structs.replace(PERSONA, **changes)))
    assert key in found
    assert "Live session" in found[key]


def test_what_it_can_do_is_no_mistake() -> None:
    persona = msgspec.structs.replace(PERSONA, reasoning_effort="high", greeting="Greet.", words=("Kaiwa",))
    assert list(mistakes(persona)) == []
    assert persona.billed == "gpt-live-1+gpt-5.6-luna"
    assert Persona().billed == "gpt-realtime-2.1"
