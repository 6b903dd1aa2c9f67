"""What must come of each turn of a scenario."""

from __future__ import annotations

import pytest

from provisioning.local.demo.summary import TurnLine
from provisioning.local.demo.walkthrough import expected, facts
from provisioning.local.realtime.records import Called
from provisioning.local.realtime.scenario import Call, Phrase, Scenario, Turn

CALL = Call(tool="volume", arguments={"action": "up"})
LOUDER = Turn(heard=["louder please", "you are too quiet"], say="One moment.", call=CALL, then="Better?")
SILENT = Turn(heard="turn it up", call=CALL)
GOODBYE = Turn(heard="goodbye", say="Bye!", call=Call(tool="end_conversation"))
STORY = Turn(heard=[Phrase(written="話", read="はなし")], say="Once.")
SCENARIO = Scenario(name="walk", turns=[STORY, LOUDER, GOODBYE])


@pytest.mark.parametrize(
    ("turn", "called", "sayings"),
    [
        (STORY, [], 1),
        (LOUDER, ["volume"], 2),
        (LOUDER, [], 1),  # the session has no such tool, and it says so
        (SILENT, ["volume"], 1),
        (GOODBYE, ["end_conversation"], 1),  # after its goodbye it says nothing of what came of it
    ],
)
def test_how_much_is_said_in_a_turn(turn: Turn, called: list[str], sayings: int) -> None:
    assert expected(turn, [Called(name, "{}") for name in called]) == sayings


def test_a_scenario_that_was_played_as_it_stands_is_right() -> None:
    played = [
        TurnLine(asked="話", heard="はなし", said=["Once."]),
        TurnLine(asked="louder please", heard="Louder, please.", called=["volume"], said=["One moment.", "Better?"]),
        TurnLine(asked="goodbye", heard="goodbye", called=["end_conversation"], said=["Bye!"]),
    ]
    found = facts(SCENARIO, played)
    assert set(found.values()) == {True}
    assert len(found) == 6


def test_what_was_not_understood_not_called_or_not_reached_is_named() -> None:
    played = [TurnLine(asked="話", heard="goodbye"), TurnLine(asked="louder please", heard="turn it down")]
    assert [text for text, true in facts(SCENARIO, played).items() if not true] == [
        "the scenario was played to its end",
        "'話' was understood",
        "'louder please' was understood",
        "'louder please' called volume",
    ]
