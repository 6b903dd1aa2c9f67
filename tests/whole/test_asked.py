"""What is asked of a robot, from afar and aloud, and who may not."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from device.messages.commands import Verb
from device.messages.reports import Speaker
from provisioning.app import DEFAULT_OPERATOR
from provisioning.console.running import console_of
from provisioning.local.demo.listener import Listener
from provisioning.local.demo.perform import DEVICE, Stage, remote
from provisioning.local.demo.script import Script
from provisioning.local.demo.visitor import spoken
from provisioning.local.demo.walkthrough import Walkthrough, facts
from provisioning.local.realtime.replies import GREETING
from provisioning.local.realtime.scenario import Call as ToolCall
from provisioning.local.realtime.scenario import Scenario, Turn
from provisioning.settings import BrokerSettings, CloudSettings
from tests.whole.conftest import card, openai, press, quiet

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_what_is_asked_for_aloud_is_done_and_told(stage: Stage) -> None:
    """First, because it waits for the loudspeaker to begin to sound, and others leave an earcon sounding."""
    question = "can you find the elephant"
    turn = Turn(heard=question, call=ToolCall(tool="find_exhibit", arguments={"name": "elephant"}))
    async with aiohttp.ClientSession() as http:
        script = Script(stage.robot, stage.watch, Listener(http, stage.watch.nudge), quiet)
        sayings = {question: await spoken(stage.folder, question)}
        walkthrough = Walkthrough(script, Scenario(name="a walk", turns=[turn]), sayings, openai(stage), quiet)
        await walkthrough.play()
    found = facts(walkthrough.scenario, walkthrough.turns)
    assert set(found.values()) == {True}, found
    [line] = walkthrough.turns
    assert line.said == ["The elephant is in room three, on the left."]
    assert script.course.answered is not None
    [called] = openai(stage).called
    assert (called.name, called.arguments) == ("find_exhibit", '{"name":"elephant"}')
    assert called.output == '{"ok":true,"result":"The elephant is in room three, on the left."}'


async def test_a_remote_start_is_announced_told_in_steps_and_stopped_from_afar(stage: Stage) -> None:
    said: list[str] = []
    await remote(stage, Verb.START, said.append)
    steps = [line.split()[1] for line in said]
    assert steps == ["ACCEPTED", "IN_PROGRESS", "SUCCEEDED"]
    assert "announcing" in stage.watch.phases
    said.clear()
    await remote(stage, Verb.STOP, said.append)
    assert [line.split()[1] for line in said] == ["ACCEPTED", "SUCCEEDED"]
    await stage.watch.phase("idle")


async def test_a_press_during_the_announcement_rejects_it(stage: Stage) -> None:
    said: list[str] = []

    def heard(text: str) -> None:
        said.append(text)
        if len(said) == 1:
            stage.robot.do("press")
            stage.robot.do("release")

    await remote(stage, Verb.START, heard)
    assert [line.split()[1] for line in said] == ["ACCEPTED", "REJECTED"]
    assert "pressed the button" in said[1]
    await stage.watch.phase("idle")


async def test_an_order_to_stop_nothing_is_rejected(stage: Stage) -> None:
    said: list[str] = []
    await remote(stage, Verb.STOP, said.append)
    assert "REJECTED" in said[0]


async def test_an_operator_uses_a_tool(stage: Stage) -> None:
    said: list[str] = []
    await remote(stage, Verb.USE, said.append, {"tool": "lamp", "arguments": {"on": True}})
    assert said == ["use: ACCEPTED lamp", 'use: SUCCEEDED {"ok":true}']
    lit = await stage.watch.observation("output", name="lamp")
    assert lit.detail["value"] == 1.0


async def use(stage: Stage, tool: str, **arguments: object) -> None:
    """Use a tool from afar, and be sure that it was used."""
    said: list[str] = []
    await remote(stage, Verb.USE, said.append, {"tool": tool, "arguments": arguments})
    assert said[-1].startswith("use: SUCCEEDED"), said


async def test_a_robot_at_rest_blinks_for_whoever_looks_for_it(stage: Stage) -> None:
    began = time.monotonic()
    await use(stage, "identify")
    await stage.watch.observation("light", began, brightness=1.0)
    await stage.watch.observation("light", began, brightness=0.0)


async def test_what_an_operator_wants_said_is_left_to_the_model(stage: Stage) -> None:
    await press(stage)
    await stage.watch.phase("listening")
    await use(stage, "say", text="We close at five.")

    def said() -> str | None:
        texts = (c.text for c in stage.watch.captions.values() if c.speaker is Speaker.ASSISTANT)
        return next((text for text in texts if text == GREETING), None)

    await stage.watch.until("what the stand-in says when it is prompted", said)
    spent = await stage.watch.until("what it costs", lambda: card(stage).spent if cost(stage) else None)
    assert 0 < spent.micros < 1_000_000
    assert spent.currency == "USD"


def cost(stage: Stage) -> int:
    """Return what the robot says that its conversation has cost, in micros."""
    spent = card(stage).spent
    return 0 if spent is None else spent.micros


def counters(stage: Stage) -> dict[str, float]:
    return stage.watch.metrics.counters if stage.watch.metrics else {}


async def test_in_a_talk_broadcast_and_microphone_go_off_and_on_again(stage: Stage) -> None:
    await press(stage)
    await stage.watch.until("on air", lambda: card(stage).on_air or None, 30)
    session = card(stage).session
    await use(stage, "broadcast", on=False)
    await stage.watch.until("off air", lambda: not card(stage).on_air or None)
    await use(stage, "broadcast", on=True)
    await stage.watch.until("on air again", lambda: card(stage).on_air or None)
    await stage.watch.until("its picture", lambda: counters(stage).get("broadcast_pictures", 0) > 5 or None)
    assert counters(stage)["broadcast_pictures_dropped"] == 0
    await use(stage, "mute")
    await stage.watch.until("the microphone closes", lambda: card(stage).muted or None)
    await press(stage)
    await stage.watch.until("the microphone opens", lambda: not card(stage).muted or None)
    assert (card(stage).phase, card(stage).session) == ("listening", session)
    assert not stage.watch.faults


async def test_a_console_is_shown_what_robot_and_service_say_and_only_while_it_looks(stage: Stage) -> None:
    settings = CloudSettings(
        state_dir=str(stage.folder / "cloud"), broker=BrokerSettings(port=stage.local.cloud.broker.port)
    )
    async with (
        console_of(settings, DEFAULT_OPERATOR) as link,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http,
    ):
        assert (await http.get(link)).status == 200
        origin = link.partition("/enter")[0]
        async with http.get(f"{origin}/events?robot={DEVICE}") as stream, asyncio.timeout(30):
            await _read(stream, {"levels"})
            await press(stage)
            shown = await _read(stream, {"session.created", "trace"})
            assert "ek_" not in shown
            order = {"device": DEVICE, "verb": "use", "tool": "ask", "arguments": {"text": "What can you do?"}}
            sent = await http.post(f"{origin}/order", json=order, headers={"Origin": origin})
            assert sent.status == 200
            said = await _read(stream, {"conversation.item.create", "response.done"})
            assert '{\\"type\\":\\"input_text\\",\\"text\\":\\"What can you do?\\"}' in said
            assert '\\"role\\":\\"user\\"' in said, "it is a visitor's question, and no instruction"


async def _read(stream: aiohttp.ClientResponse, wanted: set[str]) -> str:
    """Read a console's events until all that is wanted has come, and return what came."""
    came = ""
    async for line in stream.content:
        came += line.decode()
        if all(f'"{name}"' in came for name in wanted):
            break
    return came
