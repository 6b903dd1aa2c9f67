"""The tools that every robot has."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from device import phase as p
from device.messages.knowledge import KnownText, packed
from device.messages.tools import BUILT_IN, LOOK_UP
from device.tools.built_in import FOR_OPERATORS, LONGEST_TEXT, MOST_REMEMBERED, MOST_WISHES, BuiltIn
from device.tools.outcome import Outcome
from device.tools.toolbox import Toolbox
from tests.device.tools.reach import Body, reach


class Robot:
    """The built-in tools with a body, in a session."""

    def __init__(self) -> None:
        self.body = Body()
        self.built_in = BuiltIn(reach(self.body))
        self.tools = Toolbox(self.built_in.tools())
        self.built_in.begin("s1")

    async def __call__(self, name: str, **arguments: Any) -> Outcome:
        return await self.tools.call(name, msgspec.json.encode(arguments).decode())

    async def result(self, name: str, **arguments: Any) -> Any:
        outcome = await self(name, **arguments)
        assert outcome.ok, outcome.text
        return msgspec.json.decode(outcome.text).get("result")

    async def wished(self, name: str, text: str) -> tuple[list[Any], asyncio.Task[Outcome]]:
        """Begin to use a tool that waits, and return what it has posted, and what will come of it."""
        before = len(self.body.posted)
        told = asyncio.create_task(self(name, text=text))
        while len(self.body.posted) == before:
            await asyncio.sleep(0)
        return self.body.posted[before:], told


@pytest.fixture
def robot() -> Robot:
    return Robot()


def test_the_cloud_allows_by_default_what_every_robot_has_for_the_model(robot: Robot) -> None:
    assert {tool.name for tool in robot.tools.declarations} == {*BUILT_IN, LOOK_UP} - {"keep_record"}
    assert {tool.name for tool in robot.tools.tools if tool.user_only} == set(FOR_OPERATORS)


async def test_the_volume_goes_up_and_down_and_never_out(robot: Robot) -> None:
    assert await robot.result("volume", action="down") == {"percent": 80}
    assert await robot.result("volume", action="up") == {"percent": 100}
    assert await robot.result("volume", action="up") == {"percent": 100}
    assert await robot.result("volume", action="set", percent=0) == {"percent": 10}
    assert robot.body.volume == pytest.approx(0.1)
    assert "which percentage?" in (await robot("volume", action="set")).text
    assert not (await robot("volume", action="set", percent=5000)).ok


async def test_the_next_visitor_finds_volume_and_light_as_they_were(robot: Robot) -> None:
    robot.built_in.end()
    robot.body.volume, robot.body.brightness = 0.7, 0.9
    robot.built_in.begin("s2")
    await robot("volume", action="down")
    await robot("light", percent=20)
    assert robot.body.volume == pytest.approx(0.5)
    assert robot.body.brightness == 0.2
    robot.built_in.end()
    assert (robot.body.volume, robot.body.brightness) == (0.7, 0.9)


async def test_what_the_machine_must_decide_is_posted(robot: Robot) -> None:
    for name, arguments in (("mute", {}), ("unmute", {}), ("hush", {}), ("broadcast", {"on": False})):
        assert (await robot(name, **arguments)).ok
    assert robot.body.posted == [p.MuteWished(True), p.MuteWished(False), p.Hushed(), p.BroadcastWished(False)]


async def test_operators_have_the_robot_say_something_once_the_conversation_has_begun(robot: Robot) -> None:
    assert "has not begun" in (await robot("say", text="We close at five.")).text
    robot.built_in.talk()
    (asked,), told = await robot.wished("say", text="We close at five.")
    assert isinstance(asked, p.SayWished)
    assert "We close at five." in asked.text
    assert not told.done(), "it is not said yet"
    robot.built_in.settle(asked.wish)
    assert (await told).ok
    assert not (await robot("say", text="x" * (LONGEST_TEXT + 1))).ok
    robot.built_in.end()
    robot.built_in.begin("s2")
    assert not (await robot("say", text="We close at five.")).ok
    assert len(robot.body.posted) == 1


async def test_operators_ask_in_writing_as_a_visitor_would(robot: Robot) -> None:
    assert "has not begun" in (await robot("ask", text="Where is the whale?")).text
    robot.built_in.talk()
    (asked,), told = await robot.wished("ask", text="Where is the whale?")
    assert asked == p.Written("Where is the whale?", 1), "the very words, and nothing around them"
    robot.built_in.settle(1, "somebody spoke")
    assert "somebody spoke" in (await told).text
    robot.built_in.settle(1)
    assert not (await robot("ask", text="x" * (LONGEST_TEXT + 1))).ok
    assert not (await robot("ask", text="")).ok


async def test_what_is_wished_fails_with_the_conversation(robot: Robot) -> None:
    robot.built_in.talk()
    _, told = await robot.wished("ask", text="Where is the whale?")
    robot.built_in.end()
    assert not (await told).ok
    assert "the conversation has ended" in (await told).text


async def test_only_so_much_waits_to_be_said_and_what_is_not_waited_for_counts_no_more(robot: Robot) -> None:
    robot.built_in.talk()
    waiting = [(await robot.wished("say", text="Hello."))[1] for _ in range(MOST_WISHES)]
    assert f"{MOST_WISHES} are waiting" in (await robot("say", text="Hello.")).text
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    await robot.wished("say", text="Hello.")
    assert len(robot.body.posted) == MOST_WISHES + 1


async def test_operators_cut_what_a_delayed_broadcast_holds(robot: Robot) -> None:
    assert "not delayed" in (await robot("cut")).text
    robot.body.held = 4.98
    assert await robot.result("cut") == {"seconds": 4.98}
    robot.built_in.end()
    assert "there is no conversation" in (await robot("cut")).text


async def test_a_robot_at_rest_is_found_by_light_and_sound(robot: Robot) -> None:
    robot.built_in.end()
    assert (await robot("identify")).ok
    assert robot.body.identified == ["light", "sound of 0.7 s"]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("mute", {}),
        ("unmute", {}),
        ("hush", {}),
        ("broadcast", {"on": True}),
        ("say", {"text": "hello"}),
        ("ask", {"text": "hello"}),
    ],
)
async def test_without_a_conversation_there_is_nothing_to_decide(
    robot: Robot, name: str, arguments: dict[str, Any]
) -> None:
    robot.built_in.end()
    assert "there is no conversation" in (await robot(name, **arguments)).text
    assert robot.body.posted == []


async def test_only_the_last_word_ends_the_conversation_and_only_the_model_has_it(robot: Robot) -> None:
    assert {tool.name for tool in robot.tools.tools} - set(robot.tools.for_operators) == {"end_conversation"}
    assert (await robot("end_conversation")).parting
    assert not (await robot("current_time")).parting


async def test_the_time_is_told_as_it_is_there(robot: Robot) -> None:
    assert await robot.result("current_time") == {
        "time": "12:05",
        "date": "2026-11-23",
        "weekday": "Monday",
        "time_zone": "UTC",
    }


async def test_what_is_remembered_lasts_for_the_session(robot: Robot) -> None:
    await robot("remember", what="name", value="Robin")
    assert await robot.result("recall") == {"name": "Robin"}
    assert await robot.result("recall", what="name") == {"name": "Robin"}
    assert "there is: name" in (await robot("recall", what="age")).text
    robot.built_in.end()
    robot.built_in.begin("s2")
    assert await robot.result("recall") == {}


async def test_memory_is_bounded(robot: Robot) -> None:
    for number in range(MOST_REMEMBERED):
        assert (await robot("remember", what=str(number), value="x")).ok
    assert not (await robot("remember", what="more", value="x")).ok
    assert (await robot("remember", what="0", value="y")).ok
    assert not (await robot("remember", what="0", value="y" * LONGEST_TEXT)).ok


async def test_a_message_is_handed_over_in_the_name_of_its_session(robot: Robot) -> None:
    assert (await robot("tell_operator", message="The screen is dark.")).ok
    assert robot.body.notes == [("s1", "The screen is dark.")]
    assert not (await robot("tell_operator", message="")).ok
    assert not (await robot("tell_operator", message="x" * (LONGEST_TEXT + 1))).ok
    robot.built_in.end()
    assert "no conversation" in (await robot("tell_operator", message="Hello?")).text


async def test_what_came_with_the_grant_can_be_looked_up_until_the_session_ends(robot: Robot) -> None:
    texts = [
        KnownText(title="hours.txt", text="We open at nine."),
        KnownText(title="案内.txt", text="和時計は二階です。"),
    ]
    robot.built_in.inform(packed(texts))
    assert await robot.result("look_up", query="when do you open?") == "hours.txt: We open at nine."
    assert await robot.result("look_up", query="和時計はどこ") == "案内.txt: 和時計は二階です。"
    assert "other words" in (await robot("look_up", query="helicopter")).text
    robot.built_in.end()
    assert not (await robot("look_up", query="open")).ok


async def test_texts_that_are_damaged_are_an_error_that_the_model_reads(robot: Robot) -> None:
    robot.built_in.inform(b"no texts")
    assert "damaged" in (await robot("look_up", query="open")).text
