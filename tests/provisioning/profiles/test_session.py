from __future__ import annotations

from openai.types.realtime import RealtimeSessionCreateRequestParam
from pydantic import TypeAdapter

from device.messages.minting import Prompts
from device.messages.secret import Secret
from device.messages.tools import FlagSchema, IntegerSchema, ListSchema, TextSchema, ToolDeclaration
from provisioning.local.realtime.session import Session
from provisioning.profiles.mcp import McpSecret, McpServer
from provisioning.profiles.persona import Profile
from provisioning.profiles.session import prompts, session
from provisioning.settings import OpenAISettings, replaced

GIVEN = OpenAISettings(voice="cedar", language="ja", instructions="短く答える。", vad="server_vad")


def test_the_profile_is_bound_in() -> None:
    assert session(GIVEN) == {
        "type": "realtime",
        "model": "gpt-realtime-2.1",
        "instructions": "短く答える。",
        "output_modalities": ["audio"],
        "audio": {
            "input": {
                "turn_detection": {"type": "server_vad", "create_response": True, "interrupt_response": True},
                "noise_reduction": {"type": "far_field"},
                "transcription": {"model": "gpt-transcribe", "language": "ja"},
            },
            "output": {"voice": "cedar"},
        },
    }


def test_what_is_off_is_left_out() -> None:
    bare = session(replaced(GIVEN, noise_reduction="off", transcription_model="", instructions=""))
    assert set(bare["audio"]["input"]) == {"turn_detection"}
    assert "instructions" not in bare


TOOL = ToolDeclaration(
    name="lamp",
    description="A lamp.",
    parameters={
        "on": FlagSchema(description="on or off"),
        "percent": IntegerSchema(minimum=0, maximum=100),
        "colours": ListSchema(items=TextSchema(enum=["red"])),
    },
    required=["on"],
)


def test_the_tools_that_were_allowed_are_bound_in() -> None:
    bound = session(GIVEN, [TOOL])
    assert [(tool["type"], tool["name"]) for tool in bound["tools"]] == [("function", "lamp")]
    assert bound["tools"][0]["parameters"]["required"] == ["on"]
    assert bound["tool_choice"] == "auto"
    assert "tools" not in session(GIVEN)


def test_what_the_model_is_asked_to_say_is_the_operators_choice() -> None:
    chosen = replaced(GIVEN, greeting="Greet.", idle_warning="", farewell="Bye.")
    assert prompts(chosen) == Prompts(greeting="Greet.", farewell="Bye.")
    assert prompts(replaced(GIVEN, limit_warning="Soon.")).closing == "Soon."
    assert prompts(OpenAISettings()).greeting == ""
    assert prompts(OpenAISettings()).warning


def test_the_vendor_s_own_types_accept_it() -> None:
    adapter = TypeAdapter(RealtimeSessionCreateRequestParam)
    for settings in (GIVEN, OpenAISettings()):
        made = session(settings, [TOOL])
        assert adapter.validate_python(made, strict=True) == made


RICH = Profile(
    model="gpt-realtime-2.1-mini",
    speed=1.1,
    eagerness="low",
    reasoning_effort="low",
    words=("Uhu",),
    answer_tokens=800,
    history_tokens=8000,
    mcp=(McpServer(label="events", url="https://mcp.example.com/", allowed_tools=("a",), authorization="events"),),
)
SECRETS = {"events": McpSecret(name="events", host="mcp.example.com", token=Secret("mcp-token"))}


def test_everything_that_a_profile_says_is_bound_in_in_the_shape_of_the_service() -> None:
    bound = session(RICH, [TOOL], secrets=SECRETS)
    assert bound["reasoning"] == {"effort": "low"}
    assert bound["max_output_tokens"] == 800
    assert bound["truncation"] == {
        "type": "retention_ratio",
        "retention_ratio": 0.3,
        "token_limits": {"post_instructions": 8000},
    }
    assert bound["audio"]["input"]["turn_detection"]["eagerness"] == "low"
    assert bound["audio"]["input"]["transcription"]["keywords"] == ["Uhu"]
    assert bound["audio"]["output"] == {"voice": "marin", "speed": 1.1}
    assert [tool["type"] for tool in bound["tools"]] == ["function", "mcp"]
    asked = TypeAdapter(RealtimeSessionCreateRequestParam).validate_python(bound, strict=True)
    assert asked == bound
    assert Session("sess_1", 1, bound).view["tools"][1]["server_label"] == "events"


def test_each_kind_of_turn_detection_has_its_own_values() -> None:
    loud = replaced(RICH, vad="server_vad", eagerness="auto", threshold=0.7, silence_ms=900)
    detection = session(loud)["audio"]["input"]["turn_detection"]
    assert (detection["threshold"], detection["silence_duration_ms"]) == (0.7, 900)
    assert "eagerness" not in detection


def test_transcribers_are_told_of_words_each_in_its_own_way() -> None:
    for model, told in (("gpt-transcribe", "keywords"), ("whisper-1", "prompt"), ("gpt-4o-transcribe-diarize", "")):
        made = session(replaced(RICH, transcription_model=model))["audio"]["input"]["transcription"]
        assert set(made) - {"model", "language"} == ({told} if told else set())


def test_by_push_to_talk_the_service_detects_no_turns() -> None:
    bound = session(OpenAISettings(vad="push_to_talk"))
    assert bound["audio"]["input"]["turn_detection"] is None
