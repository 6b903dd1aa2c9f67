from datetime import datetime

import pytest

from provisioning.local.realtime.calling import Call, Outcome
from provisioning.local.realtime.planning import Planner
from provisioning.local.realtime.repertoire import BuiltIn, Plan
from provisioning.local.realtime.replies import GREETING

NOON = datetime(2026, 11, 23, 12, 5)  # noqa: DTZ001 - the hour is what is read out
TOOLS = {"volume", "end_conversation"}


@pytest.fixture
def planner() -> Planner:
    return Planner(BuiltIn())


def following(planner: Planner, question: str | None) -> Plan:
    return planner.next(question, TOOLS, "en", NOON)


def test_without_anything_it_greets(planner: Planner) -> None:
    assert following(planner, None) == Plan(GREETING)


def test_a_new_question_comes_before_what_else_has_come(planner: Planner) -> None:
    planner.outcome(Outcome("volume", '{"ok": true}'))
    planner.prompted("Say goodbye.")
    planner.asked()
    assert following(planner, "Thank you.") == Plan("You are welcome.")
    assert following(planner, "Thank you.") == Plan("You are welcome."), "what had come is known, and not told again"


def test_outcomes_come_before_prompts(planner: Planner) -> None:
    planner.outcome(Outcome("volume", '{"ok": true}'))
    planner.prompted("Say goodbye.")
    assert following(planner, "Turn the volume up.") == Plan("Done.")


def test_a_wish_is_called_once_and_words_may_come_with_it(planner: Planner) -> None:
    planner.asked()
    assert following(planner, "Turn the volume up.").calls == [Call("volume", {"action": "up"})]
    assert following(planner, "Turn the volume up.").calls == ()
    planner.asked()
    assert following(planner, "Farewell my friend.").words.startswith("Goodbye!")
