from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.local.realtime.refusals import RefusedError
from provisioning.local.realtime.session import Session

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def session(**asked: Any) -> Session:
    return Session("sess_1", 1_800_000_000, {"type": "realtime", **asked})


def test_defaults_are_filled_in() -> None:
    view = session(model="gpt-realtime-2.1-mini").view
    assert (view["id"], view["object"], view["expires_at"]) == ("sess_1", "realtime.session", 1_800_000_000)
    assert view["model"] == "gpt-realtime-2.1-mini"
    assert view["audio"]["output"] == {"format": {"type": "audio/pcm", "rate": 24_000}, "voice": "marin", "speed": 1.0}
    assert view["audio"]["input"]["turn_detection"]["threshold"] == 0.5


def test_only_what_is_present_changes_and_empty_values_clear() -> None:
    one = session(instructions="Be brief.", tools=[{"type": "function", "name": "light"}])
    one.update({"type": "realtime", "audio": {"input": {"turn_detection": {"silence_duration_ms": 200}}}})
    assert one.view["instructions"] == "Be brief."
    assert one.turn_detection is not None
    assert (one.turn_detection.silence_ms, one.turn_detection.prefix_padding_ms) == (200, 300)
    one.update({"type": "realtime", "instructions": "", "tools": [], "audio": {"input": {"turn_detection": None}}})
    assert (one.view["instructions"], one.view["tools"]) == ("", [])
    assert one.view["audio"]["input"]["turn_detection"] is None


def test_semantic_detection_has_its_own_fields() -> None:
    one = session(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "high"}}})
    assert one.turn_detection is not None
    assert one.turn_detection.silence_ms == 300
    assert set(one.view["audio"]["input"]["turn_detection"]) == {
        "type",
        "eagerness",
        "create_response",
        "interrupt_response",
    }


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "missing_required_parameter"),
        (None, "missing_required_parameter"),
        ({"type": "realtime", "temperature": 0.8}, "unknown_parameter"),
        ({"type": "realtime", "voice": "marin"}, "unknown_parameter"),
        ({"type": "transcription"}, "invalid_value"),
        ({"type": "realtime", "audio": None}, "invalid_value"),
        ({"type": "realtime", "audio": {"input": {"turn_detection": {"type": "telepathy"}}}}, "invalid_value"),
        ({"type": "realtime", "output_modalities": ["audio", "text"]}, "invalid_value"),
        ({"type": "realtime", "model": "gpt-realtime-2"}, "invalid_value"),
        ({"type": "realtime", "tools": [{"type": "function", "name": "no spaces"}]}, "invalid_value"),
        ({"type": "realtime", "tools": [{"name": "light"}]}, "invalid_value"),
        ({"type": "realtime", "tools": [{"type": "function", "name": "a", "parameters": []}]}, "invalid_value"),
        ({"type": "realtime", "tool_choice": "perhaps"}, "invalid_value"),
    ],
)
def test_what_is_no_session_is_refused_and_changes_nothing(asked: Any, code: str) -> None:
    one = session()
    before = one.view
    with pytest.raises(RefusedError) as refused:
        one.update(asked)
    assert refused.value.code == code
    assert one.view == before


def test_the_voice_is_free_until_the_assistant_has_spoken() -> None:
    one = session()
    one.update({"type": "realtime", "audio": {"output": {"voice": "cedar"}}})
    one.spoke = True
    one.update({"type": "realtime", "audio": {"output": {"voice": "cedar", "speed": 1.1}}})
    with pytest.raises(RefusedError, match="voice"):
        one.update({"type": "realtime", "audio": {"output": {"voice": "marin"}}})


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ({}, "en"),
        ({"instructions": "あなたは親切なロボットです。"}, "ja"),
        ({"audio": {"input": {"transcription": {"model": "gpt-transcribe", "language": "ja"}}}}, "ja"),
        ({"audio": {"input": {"transcription": {"model": "gpt-transcribe", "languages": ["en-GB"]}}}}, "en"),
    ],
)
def test_the_language_is_what_transcription_was_told_or_instructions_are_in(
    asked: dict[str, Any], language: str
) -> None:
    assert session(**asked).language == language


@given(st.dictionaries(st.sampled_from(["audio", "instructions", "tools", "model", "output_modalities"]), JSON))
def test_any_update_is_taken_or_refused(asked: dict[str, Any]) -> None:
    one = session()
    try:
        one.update({"type": "realtime", **asked})
    except RefusedError:
        return
    assert one.language
    assert one.view["type"] == "realtime"
