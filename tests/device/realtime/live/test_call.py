"""A Live session over real sockets, opened as the cloud opens it, with real sound."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from device.messages.minting import AnsweredCall, OpenAIGrant
from device.messages.reports import Speaker
from device.messages.tools import ToolDeclaration
from device.realtime.call import HUNG_UP
from device.realtime.captions import Captioned
from device.realtime.conversation import CLOSED_BY_SERVICE, EXPIRED, CallEvent, Speech, Spoken, Turn
from device.realtime.endpoint import Endpoint
from device.realtime.floor import ToolCalled
from device.realtime.history import Line
from device.realtime.settings import RealtimeSettings
from provisioning.local.realtime import RealtimeStandIn, StandInSettings
from provisioning.openai import OpenAI
from provisioning.profiles.knowledge import Plan
from provisioning.profiles.live import live_session
from provisioning.profiles.persona import Persona
from provisioning.settings import OpenAISettings
from tests.device.realtime.handset import PATIENCE, Handset, likeness
from tests.provisioning.local.realtime.live.reference import judge, judge_asked

PERSONA = Persona(opening="live", model="gpt-live-1", instructions="You are a robot.")
CLOCK = ToolDeclaration(name="current_time", description="Tells the time.")


@pytest.fixture
def stand_in_settings() -> StandInSettings:
    return StandInSettings(thinking_seconds=0.0, words_per_minute=450)


def cloud(stand_in: RealtimeStandIn) -> OpenAI:
    return OpenAI(OpenAISettings(base_url=stand_in.base_url, api_key=stand_in.settings.api_key))


async def dial(stand_in: RealtimeStandIn, http: aiohttp.ClientSession) -> Handset:
    settings = RealtimeSettings(rehearsal_seconds=3.0)
    endpoint = Endpoint(settings)
    async with cloud(stand_in) as openai:
        called = await openai.live(live_session(PERSONA, [CLOCK], Plan()), await endpoint.offer())
    answered = AnsweredCall(sdp=called.sdp, call_id=called.call_id, live=True)
    grant = OpenAIGrant(expires_at=1e10, model="m", answered=answered)
    return Handset(grant, http, settings, endpoint, judges=(judge, judge_asked))


def said_by(speaker: Speaker, event: CallEvent) -> Captioned | None:
    return event if isinstance(event, Captioned) and event.speaker is speaker and event.final else None


async def test_a_spoken_wish_is_done_by_a_tool_and_told_and_the_session_is_closed(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession
) -> None:
    async with await dial(stand_in, http) as phone:
        assert phone.call.call_id == f"live.{next(iter(stand_in.calls))}"
        await phone.say("what time is it")
        await phone.seen(lambda event: event == Speech(began=True))
        await phone.turn(Turn.THINKING)
        called = await phone.seen(lambda event: event if isinstance(event, ToolCalled) else None)
        assert (called.name, called.arguments, called.spoke, called.turn) == ("current_time", "{}", False, 1)
        phone.call.outcome(called.call_id, '{"ok": true, "result": {"time": "12:05"}}', follow=True)
        await phone.turn(Turn.SPEAKING)
        answer = await phone.seen(lambda event: said_by(Speaker.ASSISTANT, event))
        assert answer.text == "It is 12 oh 5."
        await phone.seen(lambda event: event == Spoken())
        [heard], [spoken] = stand_in.heard, stand_in.spoken
        assert heard.text == "What time is it?"
        assert likeness(spoken.samples, phone.sound()) > 0.5, "it is short, so that one late packet counts"
        assert phone.call.talk.usage["responses"] == 2
        assert phone.call.counters() == {"events_malformed": 0.0, "events_unknown": 0.0}
    assert await phone.call.ended() == HUNG_UP
    kinds = [(sent, event["type"]) for sent, event in phone.passed]
    assert kinds[0] == (False, "session.started")
    assert [kind for sent, kind in kinds if sent][-1] == "session.close"
    assert [kind for sent, kind in kinds if not sent][-1] == "session.closed"
    assert ("info" in {kind for _, kind in kinds}, "session.updated" in {kind for _, kind in kinds}) == (True, False)


async def test_the_cloud_hangs_it_up(stand_in: RealtimeStandIn, http: aiohttp.ClientSession) -> None:
    async with await dial(stand_in, http) as phone, cloud(stand_in) as openai:
        await openai.hang_up(phone.call.call_id)
        assert await asyncio.wait_for(phone.call.ended(), PATIENCE) == CLOSED_BY_SERVICE
    async with cloud(stand_in) as openai:
        await openai.hang_up(phone.call.call_id)  # it is over already


async def test_it_is_over_when_it_is_as_old_as_it_may_be(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession
) -> None:
    stand_in.faults.session_seconds = 0.2
    async with await dial(stand_in, http) as phone:
        assert await asyncio.wait_for(phone.call.ended(), PATIENCE) == EXPIRED


async def test_a_second_session_is_told_what_was_said_and_then_greets_nobody(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession
) -> None:
    async with await dial(stand_in, http) as phone:
        await phone.call.rehearse(lambda: (Line(1.0, "a", Speaker.USER, "My name is Robin."),))
        phone.call.tell([Line(2.0, "b", Speaker.ASSISTANT, "Hello Robin.")])
        phone.call.prompt("Greet the visitor.")
        await phone.turn(Turn.SPEAKING)
    assert [written.role for written in stand_in.written] == ["thinking", "thinking", "developer"]
    assert "Visitor: My name is Robin." in stand_in.written[0].text
