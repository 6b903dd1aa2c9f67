from datetime import datetime

import pytest

from device.errors import SettingsError
from provisioning.local.realtime.calling import Call, Outcome
from provisioning.local.realtime.planning import Planner
from provisioning.local.realtime.repertoire import Plan, Scripted
from provisioning.local.realtime.scenario import Phrase, Scenario, plain, read_scenario

NOON = datetime(2026, 11, 23, 12, 5)  # noqa: DTZ001 - nobody asks for the time here
TEXT = """
name: Test
greeting: Welcome.
goodbye: See you.
otherwise: ["What?", "Pardon?"]
turns:
  - heard: [where is it, {written: "How Now?", read: how now}]
    say: There.
    wait: 2
  - heard: do it
    say: Well.
    call: {tool: lamp, arguments: {on: true}}
    then: "So be it: {result}"
"""
TOOLS = {"lamp"}


@pytest.fixture
def scenario() -> Scenario:
    return read_scenario(TEXT, "test.yaml")


@pytest.fixture
def planner(scenario: Scenario) -> Planner:
    return Planner(Scripted(scenario))


def asked(planner: Planner, heard: str, tools: set[str] = TOOLS) -> Plan:
    planner.asked()
    return planner.next(heard, tools, "en", NOON)


def test_phrases_are_known_however_they_are_written(scenario: Scenario) -> None:
    assert scenario.phrases == [
        Phrase(written="where is it"),
        Phrase(written="How Now?", read="how now"),
        Phrase(written="do it"),
    ]
    assert scenario.turn("  Where is it?!") is scenario.turns[0]
    assert scenario.turn("how now") is scenario.turns[0]
    assert scenario.turn("where") is None
    assert plain("「ぞうは、どこ　ですか？」") == "ぞうはどこ ですか"


def test_what_is_asked_is_answered_after_the_wait(planner: Planner) -> None:
    assert asked(planner, "Where is it?") == Plan("There.", wait=2.0)


def test_what_is_not_understood_is_answered_in_turn(planner: Planner) -> None:
    assert [asked(planner, "(speech)").words for _ in range(3)] == ["What?", "Pardon?", "What?"]


def test_a_tool_is_called_and_its_outcome_told_in_the_turns_words(planner: Planner) -> None:
    assert asked(planner, "do it") == Plan("Well.", [Call("lamp", {"on": True})], "So be it: {result}")
    planner.outcome(Outcome("lamp", '{"ok": true, "result": "it shines"}'))
    assert planner.next("do it", TOOLS, "en", NOON).words == "So be it: it shines"


def test_a_failure_is_told_as_it_is(planner: Planner) -> None:
    asked(planner, "do it")
    planner.outcome(Outcome("lamp", '{"ok": false, "error": "no power"}'))
    assert planner.next("do it", TOOLS, "en", NOON).words == "That did not work: no power."


def test_without_the_tool_it_cannot(planner: Planner) -> None:
    assert asked(planner, "do it", set()).words == "I cannot do that here."


def test_greeting_and_goodbye_are_the_scenarios_own(planner: Planner) -> None:
    assert planner.next(None, TOOLS, "en", NOON).words == "Welcome."
    planner.prompted("Say goodbye in one short sentence.")
    assert planner.next(None, TOOLS, "en", NOON).words == "See you."
    planner.prompted("Ask whether anybody is still there.")
    assert planner.next(None, TOOLS, "en", NOON).words.startswith("Is anybody")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "name: x\nturns:\n  - heard: a\n    say: b\n  - heard: [c, A.]\n    say: d\n",
            "x.yaml:5: `turns`: 'a' is a phrase",
        ),
        ("name: x\nturns:\n  - heard: a\n", "x.yaml:3: `turns`: there is neither something to say nor to call"),
        ("name: x\nday:\n  - {sessions: 0-3, faults: {}}\n", "x.yaml:3: `day.sessions`"),
        (
            "name: x\nday:\n  - {sessions: 1, faults: {secrets: sleepy}}\n",
            "x.yaml:3: `day.faults.secrets`: Invalid enum",
        ),
        ("name: x\nturns:\n  - {heard: a, say: b, wait: 61}\n", "x.yaml:3: `turns.wait`: Expected `float` <= 60"),
        ("name: x\nturns:\n  - {heard: a, call: {tool: a b}}\n", "x.yaml:3: `turns.call.tool`"),
        ("name: x\nlanguage: fr\n", "x.yaml:2: `language`: Invalid enum value 'fr'"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as error:
        read_scenario(text, "x.yaml")
    assert said in str(error.value)
