import json

from hypothesis import given
from hypothesis import strategies as st

from device.masking import shown

KEY = "ek_0123456789abcdef0123456789abcdef"


def test_an_event_is_shown_whole_under_its_type() -> None:
    event = {"type": "response.done", "response": {"usage": {"total_tokens": 3}, "output": [1, None, 'a "b"']}}
    name, body, cut = shown(json.dumps(event), 1000)
    assert (name, json.loads(body), cut) == ("response.done", event, False)


def test_secrets_are_masked_wherever_they_stand() -> None:
    event = {
        "type": "session.created",
        "session": {
            "client_secret": {"value": KEY, "expires_at": 1},
            "instructions": f"Never say {KEY} or sk-proj-abcdef123456.",
            "tools": [{"type": "mcp", "authorization": "abc", "headers": {"X-Key": "opensesame"}}],
        },
        "note": "Bearer opensesame",
    }
    _, body, _ = shown(json.dumps(event), 1000)
    for secret in (KEY, "sk-proj", "abc", "opensesame"):
        assert secret not in body
    assert json.loads(body)["session"]["instructions"] == "Never say *** or ***."


def test_what_is_no_event_is_masked_too() -> None:
    assert shown(f"half of {KEY}", 1000) == ("malformed", '"half of ***"', False)
    assert shown(b"\xff", 1000)[0] == "malformed"
    assert shown("[1]", 1000) == ("unknown", "[1]", False)


@given(st.text(max_size=60), st.integers(0, 50))
def test_no_event_is_longer_than_allowed(text: str, longest: int) -> None:
    _, body, cut = shown(json.dumps({"type": "x", "text": text}), longest)
    assert len(body.encode()) <= longest
    if not cut:
        assert json.loads(body)["type"] == "x"
