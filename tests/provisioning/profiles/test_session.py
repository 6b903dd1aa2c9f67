from __future__ import annotations

from openai.types.realtime import RealtimeSessionCreateRequestParam
from pydantic import TypeAdapter

from device.messages.minting import Prompts
from device.messages.tools import FlagSchema, IntegerSchema, ListSchema, TextSchema, ToolDeclaration
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
    assert prompts(OpenAISettings()).greeting == ""
    assert prompts(OpenAISettings()).warning


def test_the_vendor_s_own_types_accept_it() -> None:
    adapter = TypeAdapter(RealtimeSessionCreateRequestParam)
    for settings in (GIVEN, OpenAISettings()):
        made = session(settings, [TOOL])
        assert adapter.validate_python(made, strict=True) == made
