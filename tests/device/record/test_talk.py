"""One session as its figures and its record tell of it."""

from __future__ import annotations

import pytest

from device.messages.minting import Grant, OpenAIGrant
from device.messages.record import FORMAT, State
from device.record.talk import LONGEST, Talk

GRANT = Grant(session="s", openai=OpenAIGrant(expires_at=1.0, model="gpt-realtime"), language="ja")


def talk(**changes: object) -> Talk:
    return Talk(**({"id": "s", "reason": "button", "pressed": 100.0} | changes))  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("at", "milliseconds"),
    [(None, None), (100.0, 0), (99.9, 0), (100.8004, 800), (100.8006, 801), (700.0, LONGEST), (9999.0, LONGEST)],
)
def test_waits_are_counted_from_the_press_within_what_can_be_told(at: float | None, milliseconds: int | None) -> None:
    figures = talk(listening=at, on_air=at).figures(1.8e9, 60.0, recorded=False)
    assert (figures.listening, figures.on_air) == (milliseconds, milliseconds)


def test_figures_hold_numbers_and_no_word() -> None:
    it = talk()
    it.tools.update(["lamp", "lamp", "volume"])
    figures = it.figures(1.8e9, 61.5, recorded=True)
    assert (figures.session, figures.at, figures.seconds, figures.tools, figures.recorded) == (
        "s",
        1.8e9,
        61.5,
        3,
        True,
    )
    assert figures.turns == []


def test_moments_are_told_from_the_beginning_of_the_sounds() -> None:
    assert talk().place(123.0) == 0.0
    recorded = talk(recorded_from=110.0)
    assert [recorded.place(at) for at in (110.0, 112.34567, 109.5)] == [0.0, 2.346, -0.5]


def test_a_record_begins_open_and_says_what_is_known_of_its_session() -> None:
    manifest = talk(grant=GRANT).manifest("robot-1", "posted", 1.8e9)
    assert (manifest.format, manifest.state) == (FORMAT, State.OPEN)
    assert (manifest.session, manifest.device, manifest.reason) == ("s", "robot-1", "button")
    assert (manifest.model, manifest.language, manifest.consent) == ("gpt-realtime", "ja", "posted")
    unknown = talk().manifest("robot-1", "asked", 1.8e9)
    assert (unknown.model, unknown.language) == ("", "")
