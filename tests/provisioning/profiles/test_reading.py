from __future__ import annotations

from datetime import date, timedelta

import pytest

from device.errors import SettingsError
from provisioning.profiles.drafts import Draft, checked
from provisioning.profiles.persona import Persona, Profile
from provisioning.profiles.reading import read_profile
from provisioning.profiles.shutdowns import SHUTDOWNS, warnings
from provisioning.profiles.template import LANGUAGES, template
from provisioning.settings import OpenAISettings, replaced


@pytest.mark.parametrize("language", [*LANGUAGES, "fr"])
def test_what_a_new_profile_begins_with_can_be_used(language: str) -> None:
    found = checked(Draft(template("museum", language)), "museum", {})
    assert found.profile.language == language
    assert found.profile.history_tokens == 8000
    assert ("ロボット" in found.profile.instructions) == (language == "ja")


def test_what_is_commented_out_in_it_is_the_default() -> None:
    lines = [line[1:] for line in template("m", "en").splitlines() if line.startswith("#") and " = " in line]
    whole = "\n".join(line for line in lines if not line.startswith(("idle_warning", "limit_warning =")))
    profile = read_profile(whole.partition("label =")[0].replace("[[mcp]]", ""), "m")
    assert profile == Profile(session_seconds=1800.0, idle_seconds=60.0)


@pytest.mark.parametrize(
    ("text", "line", "key", "why"),
    [
        ('voice = "marin"\nvoise = "x"', 2, "voise", "did you mean `voice`"),
        ("\nspeed = 3", 2, "speed", "<= 1.5"),
        ('model = "x"\nlanguage = "Japanese"', 2, "language", "matching"),
        ("words = [\n  'a',\n  1,\n]", 1, "words", "Expected `str`"),
        ('vad = "server_vad"\neagerness = "low"', 2, "eagerness", "is for semantic_vad"),
        ("silence_ms = 900", 1, "silence_ms", "is for server_vad"),
        ('model = "gpt-realtime-1.5"\nreasoning_effort = "low"', 2, "reasoning_effort", "does not reason"),
        ('transcription_model = "gpt-realtime-whisper"', 1, "transcription_model", "take gpt-transcribe"),
        (f"hidden_words = {['x' * 50] * 30}", 1, "hidden_words", "over the 1,500"),
        ('hidden_words = ["fine", ""]', 1, "hidden_words", "length >= 1"),
        ("history_tokens = 10", 1, "history_tokens", "forgets the question"),
        ("session_seconds = 60\nidle_seconds = 90", 2, "idle_seconds", "longer than session_seconds"),
        ('[[mcp]]\nlabel = "a"\nurl = "https://a.example.com"', 1, "mcp.allowed_tools", "this key is needed"),
        ("limit_warning_seconds = 601", 1, "limit_warning_seconds", "<= 600"),
        ('api_key = "sk-1"', 1, "api_key", "unknown key"),
        ("greeting = \nvoice = 1", 1, None, "not TOML"),
    ],
)
def test_a_mistake_is_named_with_line_and_key(text: str, line: int, key: str | None, why: str) -> None:
    with pytest.raises(SettingsError, match=why) as raised:
        checked(Draft(text), "museum.toml", {})
    assert (raised.value.path, raised.value.line, raised.value.key) == ("museum.toml", line, key)


def test_transcribers_that_need_turns_to_be_taken_are_good_for_push_to_talk() -> None:
    text = 'transcription_model = "gpt-realtime-whisper"\nvad = "push_to_talk"'
    assert read_profile(text, "m").vad == "push_to_talk"


SERVER = '[[mcp]]\nlabel = "{label}"\nurl = "https://a.example.com"\nallowed_tools = ["x"]\n{more}\n'


def test_the_second_of_two_servers_is_the_one_that_is_named() -> None:
    text = SERVER.format(label="a", more="") + SERVER.format(label="b", more='authorization = "nobody"')
    with pytest.raises(SettingsError, match="there is no") as raised:
        checked(Draft(text), "m", {})
    assert (raised.value.line, raised.value.key) == (10, "mcp.authorization")
    assert checked(Draft(text), "m", {}, strict=False).profile.mcp[1].label == "b"
    with pytest.raises(SettingsError, match="same label"):
        checked(Draft(SERVER.format(label="a", more="") * 2), "m", {})


def test_a_profile_has_all_that_the_settings_have_and_the_other_way_round() -> None:
    assert set(Persona.__struct_fields__) <= set(Profile.__struct_fields__) & set(OpenAISettings.__struct_fields__)


def test_models_whose_end_is_known_warn() -> None:
    end = SHUTDOWNS["whisper-1"].on
    old = replaced(Profile(), model="gpt-realtime-mini", transcription_model="whisper-1")
    found = list(warnings(old, end - timedelta(days=60)))
    assert found == [
        "gpt-realtime-mini is shut down on 2027-01-20 (soon!); take gpt-realtime-2.1-mini",
        "whisper-1 is shut down on 2027-02-26; take gpt-transcribe",
    ]
    assert "has been shut down" in next(warnings(old, date(2027, 3, 1)))
    assert list(warnings(Profile(), date(2026, 11, 26))) == []
