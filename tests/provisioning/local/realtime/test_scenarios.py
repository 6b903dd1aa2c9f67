import json
from pathlib import Path
from typing import Any

import pytest

from device.errors import SettingsError
from provisioning.local.commands import chosen, playable
from provisioning.local.demo.visitor import VOICES, WORDS_PER_MINUTE, utterances
from provisioning.local.realtime.ears import Ears
from provisioning.local.realtime.mouth import Mouth
from provisioning.local.realtime.scenario import Scenario
from provisioning.local.realtime.scenarios import load_scenario, shipped
from tests.provisioning.local.realtime.conftest import Desk

TOOLS = (
    "volume",
    "light",
    "mute",
    "broadcast",
    "current_time",
    "remember",
    "recall",
    "tell_operator",
    "end_conversation",
)
"""Those that every robot has for the model."""


def test_a_guide_in_two_languages_a_tour_and_a_day_ship() -> None:
    assert shipped() == ["museum-en", "museum-ja", "rate-limited-day", "tools-tour"]


@pytest.mark.parametrize("name", shipped())
async def test_every_phrase_of_those_that_ship_is_told_apart_when_it_is_spoken(name: str) -> None:
    scenario = load_scenario(name)
    mouth = Mouth(VOICES[scenario.language], WORDS_PER_MINUTE)
    with Ears(scenario.phrases, scenario.language) as ears:
        heard = {p.written: await ears.recognise((await mouth.say(p.sound)).samples) for p in scenario.phrases}
    assert heard == {phrase: phrase for phrase in heard}


def test_the_tour_calls_every_tool_that_a_robot_has() -> None:
    called = {call.tool for turn in load_scenario("tools-tour").turns for call in turn.calls}
    assert called == set(TOOLS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: x\nturns:\n  - heard:\n    - hello\n    - xyzzy plugh\n    say: b\n", ":5: `turns.heard`: not in the"),
        ("name: x\nlanguage: ja\nturns:\n  - heard: 象\n    say: b\n", ":4: `turns.heard`: '象' is not kana"),
    ],
)
def test_what_cannot_be_pronounced_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "it.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"it\.yaml") as error:
        load_scenario(str(tmp_path / "it.yaml"))
    assert said in str(error.value)


def test_a_name_that_is_none_lists_those_that_ship() -> None:
    with pytest.raises(SettingsError, match="those that ship: museum-en, museum-ja"):
        load_scenario("nowhere.yaml")


def test_a_scenario_is_chosen_with_its_language_and_only_for_the_stand_in() -> None:
    choices = chosen("", "", 0, "en", "museum-ja", 3600.0)
    assert (choices.language, choices.scenario) == ("ja", load_scenario("museum-ja"))
    assert chosen("", "", 0, "en", "", 3600.0).scenario is None
    with pytest.raises(SettingsError, match="the stand-in that plays it"):
        chosen("https://api.openai.com/v1", "", 0, "en", "museum-ja", 3600.0)


def test_a_scenario_is_played_to_its_end_without_what_goes_wrong_on_its_day() -> None:
    day = load_scenario("rate-limited-day")
    assert day.day
    assert playable(day).turns == day.turns
    assert playable(day).day == []
    with pytest.raises(SettingsError, match="'A bad day' has no turns to play"):
        playable(Scenario(name="A bad day", day=day.day))


async def test_the_visitor_asks_in_the_scenarios_language(tmp_path: Path) -> None:
    scenario = load_scenario("museum-ja")
    asked = await utterances(tmp_path, scenario.phrases, scenario.language)
    with Ears(scenario.phrases, scenario.language) as ears:
        assert [await ears.recognise(said.samples) for said in asked.values()] == list(asked)


class TestTheTour:
    """The visitor speaks to the dialogue of the stand-in, which has ears and calls tools."""

    @pytest.fixture
    def config(self) -> dict[str, Any]:
        tools = [{"type": "function", "name": name} for name in TOOLS]
        return {"type": "realtime", "tools": tools}

    @pytest.fixture
    def scenario(self) -> Scenario:
        return load_scenario("tools-tour")

    @pytest.fixture
    def ears(self, scenario: Scenario) -> Any:
        with Ears(scenario.phrases) as made:
            yield made

    async def test_each_turn_is_understood_and_its_tools_are_called(self, desk: Desk, scenario: Scenario) -> None:
        for done, turn in enumerate(scenario.turns, start=1):
            await desk.ask(turn.phrases[0].sound)
            answer = (await desk.until("response.done", done))["response"]
            calls = [item for item in answer["output"] if item["type"] == "function_call"]
            assert [(c["name"], json.loads(c["arguments"])) for c in calls] == [
                (c.tool, c.arguments) for c in turn.calls
            ]

    async def test_a_long_answer_is_interrupted_by_voice(self, desk: Desk) -> None:
        await desk.ask("tell me a very long story")
        await desk.until("output_audio_buffer.started")
        await desk.ask("what time is it")
        await desk.until("output_audio_buffer.cleared")
        assert [call.name for call in desk.house.records.called] in ([], ["current_time"])
        await desk.until("response.function_call_arguments.done")
