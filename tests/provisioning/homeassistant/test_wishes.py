from __future__ import annotations

from typing import Any

import pytest

from device.errors import MalformedMessageError
from device.messages.commands import Use, Verb
from device.messages.wire import convert
from provisioning.homeassistant.discovery import topic
from provisioning.homeassistant.wishes import TOPICS, Wish, wish


@pytest.mark.parametrize(
    ("word", "payload", "verb", "args"),
    [
        ("start", b"PRESS", Verb.START, {}),
        ("stop", b"PRESS", Verb.STOP, {}),
        ("mute", b"ON", Verb.USE, {"tool": "mute", "arguments": {}}),
        ("mute", b"OFF", Verb.USE, {"tool": "unmute", "arguments": {}}),
        ("volume", b"45.0", Verb.USE, {"tool": "volume", "arguments": {"action": "set", "percent": 45}}),
    ],
)
def test_a_wish_is_an_order(word: str, payload: bytes, verb: Verb, args: dict[str, Any]) -> None:
    assert wish(topic("robot-1", word), payload) == Wish("robot-1", word, verb, args)
    if verb is Verb.USE:
        convert(args, Use)


@pytest.mark.parametrize(
    ("word", "payload"),
    [
        ("start", b""),
        ("start", b"press"),
        ("stop", b"ON"),
        ("mute", b"\xff"),
        ("mute", b"PRESS"),
        ("volume", b"loud"),
        ("volume", b"nan"),
        ("volume", b"inf"),
        ("volume", b"9"),
        ("volume", b"101"),
        ("say", b"PRESS"),
        ("start/x", b"PRESS"),
    ],
)
def test_anything_else_is_none(word: str, payload: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        wish(topic("robot-1", word), payload)


def test_wishes_come_where_the_entities_send_them() -> None:
    assert set(TOPICS) == {f"homeassistant/kaiwa/+/{word}" for word in ("start", "stop", "mute", "volume")}
