from __future__ import annotations

from openai.types.realtime import RealtimeSessionCreateRequestParam
from pydantic import TypeAdapter

from provisioning.profile import session
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


def test_the_vendor_s_own_types_accept_it() -> None:
    adapter = TypeAdapter(RealtimeSessionCreateRequestParam)
    for settings in (GIVEN, OpenAISettings()):
        assert adapter.validate_python(session(settings), strict=True) == session(settings)
