"""One contract for both ways in which a call is opened: posted with a secret, or carried by the cloud."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from device.__main__ import log_to_stderr
from device.errors import MediaError, UpstreamError
from device.messages.minting import AnsweredCall, OpenAIGrant
from device.messages.secret import Secret
from device.realtime.captions import Captioned
from device.realtime.conversation import CLOSED_BY_SERVICE, Answered, Turn
from device.realtime.endpoint import Endpoint
from device.realtime.offer import Answer
from device.realtime.opening import Carried, Posted, opening
from device.realtime.settings import RealtimeSettings
from provisioning.local.realtime import HttpFault, RealtimeStandIn, StandInSettings
from provisioning.openai import OpenAI
from provisioning.settings import OpenAISettings
from tests.device.realtime.handset import PATIENCE, Handset, mint

SESSION = {"type": "realtime", "model": "gpt-realtime-2.1"}

Way = Callable[[RealtimeStandIn, aiohttp.ClientSession, RealtimeSettings], Awaitable[Handset]]


async def by_secret(stand_in: RealtimeStandIn, http: aiohttp.ClientSession, settings: RealtimeSettings) -> Handset:
    return Handset(await mint(stand_in, http), http, settings)


async def by_cloud(stand_in: RealtimeStandIn, http: aiohttp.ClientSession, settings: RealtimeSettings) -> Handset:
    """Do what robot and cloud do in the other way, with the cloud's own client."""
    endpoint = Endpoint(settings)
    service = OpenAISettings(base_url=stand_in.base_url, api_key=stand_in.settings.api_key)
    async with OpenAI(service) as cloud:
        called = await cloud.call(SESSION, await endpoint.offer())
    answered = AnsweredCall(sdp=called.sdp, call_id=called.call_id)
    return Handset(OpenAIGrant(expires_at=1e10, model="m", answered=answered), http, settings, endpoint)


both = pytest.mark.parametrize("way", [by_secret, by_cloud])


@pytest.fixture
def stand_in_settings() -> StandInSettings:
    return StandInSettings(thinking_seconds=0.0, word_seconds=0.0, words_per_minute=450, slow_seconds=0.05)


@both
async def test_it_carries_a_conversation_until_it_is_hung_up_from_afar(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession, way: Way
) -> None:
    async with await way(stand_in, http, RealtimeSettings()) as phone:
        [call_id] = stand_in.calls
        assert phone.call.call_id == call_id
        assert phone.events[0] == Answered(call_id)
        phone.write("How are you?")
        await phone.turn(Turn.SPEAKING)
        said = await phone.seen(lambda event: event if isinstance(event, Captioned) and event.final else None)
        assert said.text == "Very well, thank you."
        service = OpenAISettings(base_url=stand_in.base_url, api_key=stand_in.settings.api_key)
        async with OpenAI(service) as cloud:
            await cloud.hang_up(call_id)
        assert await asyncio.wait_for(phone.call.ended(), PATIENCE) == CLOSED_BY_SERVICE
    assert released(phone)


@both
async def test_as_the_second_call_of_a_session_no_log_line_has_a_secret_or_a_password(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession, way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    log_to_stderr("DEBUG")  # as a robot that is told to log everything
    async with await way(stand_in, http, RealtimeSettings()) as phone:
        await phone.call.rehearse(tuple)
        assert [type(event) for event in phone.events] == [Answered]
        peer = phone.call._endpoint.peer
        assert peer is not None
        passwords = re.findall(r"ice-pwd:(\S+)", peer.localDescription.sdp + peer.remoteDescription.sdp)
    assert len(set(passwords)) >= 2
    assert "answered" in caplog.text
    assert [secret for secret in [*passwords, "ek_", "sk-"] if secret in caplog.text] == []


@both
async def test_without_media_it_is_given_back_and_can_be_hung_up(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession, way: Way
) -> None:
    stand_in.faults.loss = 1.0
    phone = await way(stand_in, http, RealtimeSettings(media_seconds=0.1, close_seconds=0.1))
    with pytest.raises(MediaError, match="UDP"):
        await phone.__aenter__()
    assert phone.events == [Answered(call_id) for call_id in stand_in.calls]
    assert released(phone)


@both
async def test_an_answer_that_makes_no_sense_is_told_apart(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession, way: Way
) -> None:
    stand_in.faults.calls = HttpFault.MALFORMED_SDP if way is by_secret else None
    phone = await way(stand_in, http, RealtimeSettings())
    if way is by_cloud:
        phone.call._opening = Carried(AnsweredCall(sdp=Secret("v=0\r\nm=audio what\r\n"), call_id="rtc_1"))
    with pytest.raises(UpstreamError) as refused:
        await phone.__aenter__()
    assert (refused.value.status, refused.value.code) == (201, "invalid_answer")
    assert released(phone)


@both
async def test_given_up_while_it_is_opened_nothing_is_left_and_its_id_is_known(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession, way: Way
) -> None:
    phone = await way(stand_in, http, RealtimeSettings(close_seconds=0.5))
    stand_in.faults.calls = HttpFault.SLOW
    entering = asyncio.create_task(phone.__aenter__())
    while not any(task.get_name() == "offer the call" for task in asyncio.all_tasks()):
        await asyncio.sleep(0)
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    assert phone.events == [Answered(call_id) for call_id in stand_in.calls]
    assert released(phone)


async def test_what_the_grant_has_decides_and_what_is_no_sdp_is_no_answer(http: aiohttp.ClientSession) -> None:
    answered = AnsweredCall(sdp=Secret("v=0\r\n"), call_id="rtc_1")
    way = opening(OpenAIGrant(expires_at=1.0, model="m", answered=answered), http, 1.0)
    assert await way.answer("any") == Answer("v=0\r\n", "rtc_1")
    assert isinstance(opening(OpenAIGrant(expires_at=1.0, model="m", secret=Secret("ek_1")), http, 1.0), Posted)
    with pytest.raises(UpstreamError, match="not SDP"):
        await Carried(AnsweredCall(sdp=Secret("{}"), call_id="rtc_1")).answer("any")


async def test_an_answer_before_an_offer_is_an_error() -> None:
    with pytest.raises(MediaError, match="before there was an offer"):
        await Endpoint(RealtimeSettings()).accept(Answer("v=0\r\n", ""))


async def test_a_board_on_which_no_connection_can_be_made_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no buffer space available")

    monkeypatch.setattr("device.realtime.endpoint.new_peer", full)
    async with Endpoint(RealtimeSettings(exchange="cloud")) as endpoint:
        with pytest.raises(MediaError, match="no buffer space"):
            await endpoint.ahead()


def released(phone: Handset) -> bool:
    peer = phone.call._endpoint.peer
    return peer is not None and peer.connectionState == "closed" and phone.call.uplink.track.readyState == "ended"
