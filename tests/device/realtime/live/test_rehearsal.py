"""A second session beside the first: told what was said, and used only if it takes that."""

from __future__ import annotations

from device.messages.reports import Speaker
from device.realtime.conversation import SessionOver
from device.realtime.history import Line
from provisioning.local.realtime.live import messages
from provisioning.local.realtime.refusals import RefusedError
from tests.device.realtime.live.saying import VIEW, Said, sent

LINES = (
    Line(1.0, "a", Speaker.USER, "My name is Robin."),
    Line(2.0, "b", Speaker.ASSISTANT, "Hello Robin."),
)


def rehearsed() -> tuple[Said, list[str]]:
    said = Said()
    said.talk.rehearse(lambda: LINES)
    told = sent(said.talk.ask())
    assert [event["type"] for event in told] == ["session.thinking.append"]
    assert told[0]["content"].endswith("Visitor: My name is Robin.\nYou: Hello Robin.")
    return said, [event["event_id"] for event in told]


def test_it_is_proven_once_it_has_taken_all_that_it_was_told() -> None:
    said, [name] = rehearsed()
    assert (said.talk.proven, said.talk.step) == (False, "told")
    assert said.talk.ask() == [], "it is told once"
    said.take(messages.appended("thinking", 100, name))
    assert said.talk.proven
    said.talk.use()
    later = Line(3.0, "c", Speaker.USER, "And yours?")
    [event] = sent(said.talk.tell([*LINES, later]))
    assert "Robin" not in event["content"]
    assert event["content"].endswith("Visitor: And yours?")
    assert said.talk.tell([*LINES, later]) == []


def test_with_nothing_to_tell_it_is_proven_as_soon_as_it_is_asked() -> None:
    said = Said()
    said.talk.rehearse(tuple)
    assert not said.talk.proven
    assert said.talk.ask() == []
    assert said.talk.proven


def test_meanwhile_nothing_that_it_says_means_anything_but_its_end() -> None:
    said, _ = rehearsed()
    assert said.words("output", "Hello!", 0.0, 1.0) == []
    assert said.words("input", "Hello", 0.0, 1.0) == []
    assert said.talk.usage["live_seconds"] == 15
    assert said.take(messages.closed(VIEW, "expired", 3.0)) == [SessionOver("session_expired")]


def test_what_it_refuses_makes_it_useless() -> None:
    said, [name] = rehearsed()
    said.take(messages.error(RefusedError(400, "string_above_max_length", "Too long."), name))
    assert said.talk.refused == "string_above_max_length: Too long."
    assert not said.talk.proven


def test_a_long_history_goes_in_pieces_that_the_service_takes() -> None:
    said = Said()
    lines = tuple(Line(float(number), str(number), Speaker.USER, "word " * 100) for number in range(10))
    said.talk.rehearse(lambda: lines)
    told = sent(said.talk.ask())
    assert len(told) == 4
    assert all(len(event["content"]) < 2000 for event in told)
    assert sum(event["content"].count("word") for event in told) == 1000
