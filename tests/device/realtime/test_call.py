"""The client against the stand-in, over real sockets, with real sound."""

import asyncio
import logging
from collections.abc import Callable

import aiohttp
import aioice.ice
import pytest
from aioice.ice import CandidatePair
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from device.audio.level import rms_dbfs
from device.audio.opus import OpusSettings
from device.errors import KaiwaError, MediaError, UpstreamError
from device.messages.reports import Speaker
from device.messages.tools import TextSchema, ToolDeclaration
from device.realtime import call
from device.realtime.call import HUNG_UP, RealtimeCall
from device.realtime.captions import Captioned
from device.realtime.conversation import CLOSED_BY_SERVICE, Answered, CallEvent, Complained, Flush, ResponseFailed, Turn
from device.realtime.floor import ToolCalled
from device.realtime.offer import exchange
from device.realtime.settings import RealtimeSettings
from device.rtc import flow
from device.rtc.sending import OpusSender
from provisioning.local.realtime import EventFault, HttpFault, RealtimeStandIn, StandInSettings
from provisioning.local.realtime.replies import STORY
from tests.device.realtime.handset import PATIENCE, Handset, likeness, mint


def words_of(speaker: Speaker) -> Callable[[CallEvent], Captioned | None]:
    def final(event: CallEvent) -> Captioned | None:
        return event if isinstance(event, Captioned) and event.speaker is speaker and event.final else None

    return final


async def test_a_question_in_longer_packets_is_heard_as_well(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession
) -> None:
    settings = RealtimeSettings(opus=OpusSettings(packet_ms=40, complexity=1))
    async with Handset(await mint(stand_in, http), http, settings) as phone:
        await phone.say("how are you")
        question = await phone.seen(words_of(Speaker.USER))
        assert question.text == "How are you?"
        counters = phone.call.uplink.counters()
        assert counters["packets"] <= counters["pushed"] / 2


async def test_a_question_is_heard_and_its_answer_arrives_as_sound_and_words(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession
) -> None:
    async with Handset(await mint(stand_in, http), http) as phone:
        assert phone.call.call_id in stand_in.calls
        await phone.say("how are you")
        await phone.turn(Turn.THINKING)
        question = await phone.seen(words_of(Speaker.USER))
        await phone.turn(Turn.SPEAKING)
        answer = await phone.seen(words_of(Speaker.ASSISTANT))
        await phone.turn(Turn.LISTENING)
        await phone.heard_blocks(10)

        [heard], [spoken] = stand_in.heard, stand_in.spoken
        assert (question.text, question.approximate) == (heard.text, True) == ("How are you?", True)
        assert -35 < heard.level < -15
        assert (answer.text, answer.approximate) == (spoken.text, False) == ("Very well, thank you.", False)
        assert answer.end - answer.start == pytest.approx(len(spoken.samples) / 48_000, abs=0.3)
        assert likeness(spoken.samples, phone.sound()) > 0.8
        usage = phone.call.talk.usage
        assert usage["responses"] == 1
        assert usage["output_audio_tokens"] == round(20 * len(spoken.samples) / 48_000)
        assert phone.call.counters()["events_malformed"] == phone.call.counters()["events_unknown"] == 0
    assert await phone.call.ended() == HUNG_UP
    assert_released(phone.call)


async def test_the_channel_is_the_documented_one_and_carries_what_the_reference_knows(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession
) -> None:
    async with Handset(await mint(stand_in, http, [CLOCK]), http) as phone:
        channel, peer = phone.call._endpoint.channel, phone.call._endpoint.peer
        assert channel is not None
        assert peer is not None
        assert (channel.label, channel.ordered, channel.maxRetransmits) == ("oai-events", True, None)
        [transceiver] = peer.getTransceivers()
        assert (transceiver.kind, transceiver.currentDirection) == ("audio", "sendrecv")
        agent = stand_in.calls[phone.call.call_id].connection
        assert agent is not None
        assert all(pair.state is CandidatePair.State.SUCCEEDED for pair in agent._check_list), "it asks for nothing"
        phone.call.write("What time is it?")
        called = await phone.seen(tool_called)
        phone.call.outcome(called.call_id, '{"ok": true, "result": {"time": "12:05"}}', follow=True)
        await phone.turn(Turn.SPEAKING)
        await phone.heard_blocks(5)
        phone.call.interrupt()
        await phone.seen(words_of(Speaker.ASSISTANT))
    told = {event["type"] for sent, event in phone.passed if sent}
    assert {"conversation.item.create", "response.create", "output_audio_buffer.clear"} <= told
    assert "conversation.item.truncate" not in told, "the service does that by itself"
    assert "session.update" not in told, "nothing is widened"
    assert next(event["type"] for sent, event in phone.passed if not sent) == "session.created"


async def test_talking_over_the_answer_cuts_its_sound_and_its_caption(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession
) -> None:
    async with Handset(await mint(stand_in, http), http) as phone:
        phone.write("Tell me a story.")
        await phone.turn(Turn.SPEAKING)
        await phone.heard_blocks(30)
        await phone.say("stop please")
        await phone.seen(lambda event: event == Flush())
        story = await phone.seen(words_of(Speaker.ASSISTANT))
        await phone.heard_blocks(10)

        assert STORY.startswith(story.text)
        assert 0 < len(story.text) < 60
        played_ms = stand_in.spoken[0].played_ms
        assert played_ms is not None
        assert 600 < played_ms < 4000
        assert rms_dbfs(phone.sound()[-5 * 960 :]) < -60
        assert (await phone.seen(words_of(Speaker.USER))).text == "Stop please."
        await phone.turn(Turn.SPEAKING)


async def test_interrupting_stops_the_sound_without_a_word(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession
) -> None:
    async with Handset(await mint(stand_in, http), http) as phone:
        phone.write("Tell me a story.")
        await phone.turn(Turn.SPEAKING)
        await phone.heard_blocks(20)
        phone.call.interrupt()
        await phone.turn(Turn.LISTENING)
        story = await phone.seen(words_of(Speaker.ASSISTANT))
        assert STORY.startswith(story.text)
        assert len(story.text) < 60
        assert stand_in.spoken[0].played_ms is not None


CLOCK = ToolDeclaration(name="current_time", description="Tell the time.")
VOLUME = ToolDeclaration(
    name="volume", description="Change it.", parameters={"action": TextSchema()}, required=["action"]
)


def tool_called(event: CallEvent) -> ToolCalled | None:
    return event if isinstance(event, ToolCalled) else None


async def test_several_calls_of_one_answer_are_told_and_answered_by_one_more(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession
) -> None:
    async with Handset(await mint(stand_in, http, [CLOCK, VOLUME]), http) as phone:
        phone.write("Turn the volume down and what time is it?")
        first, second = await phone.seen(tool_called), await phone.seen(tool_called)
        assert [(called.name, called.arguments) for called in (first, second)] == [
            ("volume", '{"action":"down"}'),
            ("current_time", "{}"),
        ]
        phone.call.outcome(second.call_id, '{"ok": true, "result": {"time": "12:05"}}', follow=True)
        phone.call.outcome(first.call_id, '{"ok": true, "result": {"percent": 80}}', follow=True)
        await phone.turn(Turn.SPEAKING)
        assert [spoken.text for spoken in stand_in.spoken] == ["It is 12 oh 5. The volume is 80 percent now."]
        assert phone.call.talk.usage["responses"] == 1, "the second one is not done yet"
        assert not [event for event in phone.events if isinstance(event, Complained)]


async def test_an_answer_that_fails_is_told(stand_in: RealtimeStandIn, http: aiohttp.ClientSession) -> None:
    stand_in.faults.responses = "insufficient_quota"
    async with Handset(await mint(stand_in, http), http) as phone:
        phone.write("How are you?")
        await phone.turn(Turn.THINKING)
        failed = await phone.seen(lambda event: event if isinstance(event, ResponseFailed) else None)
        await phone.turn(Turn.LISTENING)
        assert failed.code == "insufficient_quota"
        assert phone.call.talk.usage == {}


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (HttpFault.UNAUTHORIZED, 401, "invalid_api_key"),
        (HttpFault.QUOTA, 429, "insufficient_quota"),
        (HttpFault.RATE_LIMIT, 429, "rate_limit_exceeded"),
        (HttpFault.SERVER_ERROR, 500, "server_error"),
        (HttpFault.MALFORMED_JSON, 502, "unknown"),
        (HttpFault.MALFORMED_SDP, 201, "invalid_answer"),
        (HttpFault.JSON_FOR_SDP, 201, "invalid_answer"),
        (HttpFault.SLOW, None, "timeout"),
        (HttpFault.RESET, None, "connection"),
    ],
)
async def test_a_refused_offer_is_told_apart_and_leaves_nothing_behind(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession, fault: HttpFault, status: int | None, code: str
) -> None:
    settings = RealtimeSettings(offer_seconds=0.3) if fault is HttpFault.SLOW else None
    phone = Handset(await mint(stand_in, http), http, settings)
    stand_in.faults.calls = fault
    with pytest.raises(UpstreamError) as refused:
        await phone.__aenter__()
    assert (refused.value.service, refused.value.status, refused.value.code) == ("openai", status, code)
    assert_released(phone.call)


async def test_a_service_that_is_not_there_is_told(stand_in: RealtimeStandIn, http: aiohttp.ClientSession) -> None:
    grant = await mint(stand_in, http)
    await stand_in.__aexit__(None, None, None)
    with pytest.raises(UpstreamError, match="connection"):
        await exchange(http, grant, "v=0\r\n", 1.0)


async def test_blocked_udp_is_a_clear_media_error(stand_in: RealtimeStandIn, http: aiohttp.ClientSession) -> None:
    phone = Handset(await mint(stand_in, http), http, RealtimeSettings(media_seconds=0.3))
    stand_in.faults.loss = 1.0
    with pytest.raises(MediaError, match="UDP"):
        await phone.__aenter__()
    assert_released(phone.call)


@pytest.mark.parametrize("fault", EventFault)
async def test_a_service_that_begins_no_session_is_a_clear_error(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession, fault: EventFault
) -> None:
    phone = Handset(await mint(stand_in, http), http, RealtimeSettings(greeting_seconds=0.3), judged=False)
    stand_in.faults.events = fault
    with pytest.raises(MediaError, match="began no session"):
        await phone.__aenter__()
    assert phone.call.counters()["events_malformed"] == (1 if fault is EventFault.GARBLED else 0)
    assert_released(phone.call)


async def test_garbled_events_are_counted_and_the_call_goes_on(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession
) -> None:
    async with Handset(await mint(stand_in, http), http, judged=False) as phone:
        stand_in.faults.events = EventFault.GARBLED
        phone.call.send("{")
        async with asyncio.timeout(PATIENCE):
            while phone.call.counters()["events_malformed"] == 0:
                await phone.heard_blocks(1)
        stand_in.faults.events = None
        phone.call.send('{"type": "no such thing"}')
        assert (
            await phone.seen(lambda event: event if isinstance(event, Complained) else None)
        ).code == "invalid_value"


@pytest.mark.parametrize("trouble", ["no answer to the offer", "no media"])
async def test_giving_up_while_connecting_releases_everything(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession, trouble: str
) -> None:
    phone = Handset(await mint(stand_in, http), http, RealtimeSettings(close_seconds=0.2))
    stand_in.faults.calls = HttpFault.SLOW if trouble == "no answer to the offer" else None
    stand_in.faults.loss = 1.0
    entering = asyncio.create_task(phone.__aenter__())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(entering), 0.2)
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    assert_released(phone.call)


class TestSlowAnswer:
    @pytest.fixture
    def stand_in_settings(self) -> StandInSettings:
        return StandInSettings(slow_seconds=0.2)

    async def test_a_call_given_up_before_its_answer_can_still_be_hung_up(
        self, stand_in: RealtimeStandIn, http: aiohttp.ClientSession
    ) -> None:
        phone = Handset(await mint(stand_in, http), http)
        stand_in.faults.calls = HttpFault.SLOW
        entering = asyncio.create_task(phone.__aenter__())
        while not any(task.get_name() == "offer the call" for task in asyncio.all_tasks()):
            await asyncio.sleep(0)
        entering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await entering
        assert len(stand_in.calls) == 1
        assert [Answered(call_id) for call_id in stand_in.calls] == phone.events
        assert_released(phone.call)


async def test_a_hang_up_from_afar_ends_the_call(stand_in: RealtimeStandIn, http: aiohttp.ClientSession) -> None:
    async with Handset(await mint(stand_in, http), http) as phone:
        url = f"{stand_in.base_url}/realtime/calls/{phone.call.call_id}/hangup"
        headers = {"Authorization": f"Bearer {stand_in.settings.api_key.reveal()}"}
        async with http.post(url, headers=headers) as response:
            assert response.status == 200
        assert await asyncio.wait_for(phone.call.ended(), PATIENCE) == CLOSED_BY_SERVICE


class TestExpiry:
    @pytest.fixture
    def stand_in_settings(self) -> StandInSettings:
        return StandInSettings(session_seconds=0.3)

    async def test_the_longest_session_ends_with_its_reason(
        self, stand_in: RealtimeStandIn, http: aiohttp.ClientSession
    ) -> None:
        async with Handset(await mint(stand_in, http), http) as phone:
            assert await asyncio.wait_for(phone.call.ended(), PATIENCE) == "session_expired"
            assert phone.call._endpoint.peer is not None
            assert phone.call._endpoint.peer.connectionState == "connected"


class TestExpiryInTheMiddle:
    @pytest.fixture
    def stand_in_settings(self) -> StandInSettings:
        return StandInSettings(session_seconds=1.0, thinking_seconds=0.0)

    async def test_nothing_sounds_after_the_end(self, stand_in: RealtimeStandIn, http: aiohttp.ClientSession) -> None:
        async with Handset(await mint(stand_in, http), http) as phone:
            phone.write("Tell me a story.")
            await phone.turn(Turn.SPEAKING)
            assert await asyncio.wait_for(phone.call.ended(), PATIENCE) == "session_expired"
            await phone.heard_blocks(10)  # what was on its way
            last = phone.call.downlink.last_packet_at
            await phone.heard_blocks(10)
            assert phone.call.downlink.last_packet_at == last


class TestTimeLapse:
    @pytest.fixture
    def stand_in_settings(self) -> StandInSettings:
        return StandInSettings(session_seconds=0.8)

    async def test_a_call_that_was_proved_before_the_other_expires_outlives_it(
        self, stand_in: RealtimeStandIn, http: aiohttp.ClientSession
    ) -> None:
        async with Handset(await mint(stand_in, http), http) as first:
            await first.heard_blocks(10)
            async with Handset(await mint(stand_in, http), http) as second:
                await second.call.rehearse(tuple)
                assert await asyncio.wait_for(first.call.ended(), PATIENCE) == "session_expired"
                assert second.call.call_id in stand_in.calls
                assert [event for event in second.events if not isinstance(event, Answered)] == []


async def test_a_network_that_vanishes_while_the_assistant_speaks_ends_the_call(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession
) -> None:
    async with Handset(await mint(stand_in, http), http, RealtimeSettings(silent_seconds=0.6)) as phone:
        phone.write("Tell me a story.")
        await phone.turn(Turn.SPEAKING)
        await phone.heard_blocks(20)
        stand_in.faults.loss = 1.0
        assert "neither sound nor event" in await asyncio.wait_for(phone.call.ended(), PATIENCE)
    await stand_in.__aexit__(None, None, None)


async def test_a_call_in_which_nothing_is_sent_any_more_ends(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Consent goes on, the service is fine, and the microphone's packets alone have stopped."""
    monkeypatch.setattr(flow, "SENT_SECONDS", 0.3)
    monkeypatch.setattr(call, "WATCH_SECONDS", 0.05)
    async with Handset(await mint(stand_in, http), http) as phone:
        await phone.heard_blocks(5)
        monkeypatch.setattr(OpusSender, "_send", lambda *_: None)
        assert "nothing was sent" in await asyncio.wait_for(phone.call.ended(), PATIENCE)


async def test_a_call_of_which_the_service_receives_nothing_any_more_ends(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Consent goes on and packets leave, but the service's reports tell of no more than before."""
    monkeypatch.setattr(flow, "ACKNOWLEDGED_SECONDS", 0.3)
    monkeypatch.setattr(call, "WATCH_SECONDS", 0.05)
    monkeypatch.setattr(OpusSender, "_reported", lambda *_: None)
    async with Handset(await mint(stand_in, http), http) as phone:
        await phone.heard_blocks(25)
        assert not phone.call._over.done(), "who has never reported need not"
        phone.call.uplink._acknowledged = 1
        assert "the far end has told of nothing" in await asyncio.wait_for(phone.call.ended(), PATIENCE)


@pytest.fixture
def hurried_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Consent is asked for every tenth of a second and withdrawn after three failures of half a second each."""
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 0.1)
    monkeypatch.setattr(aioice.ice, "CONSENT_FAILURES", 3)


@pytest.mark.usefixtures("hurried_consent")
async def test_our_call_outlives_the_strict_consent_that_kills_a_stock_client(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession
) -> None:
    async with Handset(await mint(stand_in, http), http) as phone:
        agent = stand_in.calls[phone.call.call_id].connection
        assert agent is not None
        died = await stock_client_dies(stand_in, http)
        assert died in {"closed", "failed"}
        assert not phone.call._over.done()
        assert agent.ignored == 0
        assert agent.answered > 8


async def stock_client_dies(stand_in: RealtimeStandIn, http: aiohttp.ClientSession) -> str:
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    over = asyncio.Event()
    peer.on("connectionstatechange", lambda: over.set() if peer.connectionState in {"closed", "failed"} else None)
    peer.addTransceiver("audio")
    peer.createDataChannel("oai-events")
    await peer.setLocalDescription(await peer.createOffer())
    answer = await exchange(http, await mint(stand_in, http), peer.localDescription.sdp, PATIENCE)
    await peer.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
    await asyncio.wait_for(over.wait(), PATIENCE)
    state = peer.connectionState
    await peer.close()
    return state


async def test_the_secret_is_in_no_log_line_and_no_error(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    grant = await mint(stand_in, http)
    async with Handset(grant, http):
        pass
    stand_in.faults.calls = HttpFault.UNAUTHORIZED
    with pytest.raises(KaiwaError) as refused:
        await exchange(http, grant, "v=0\r\n", PATIENCE)
    assert "answered" in caplog.text
    assert grant.secret.reveal() not in caplog.text + str(refused.value) + repr(refused.value)


def assert_released(call: RealtimeCall) -> None:
    assert call._endpoint.peer is not None
    assert call._endpoint.peer.connectionState == "closed"
    assert call.uplink.track.readyState == "ended"
    assert call._watching is None or call._watching.done()


@pytest.mark.usefixtures("hurried_consent")
async def test_a_network_that_vanishes_while_nobody_talks_is_not_taken_for_a_hang_up(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession
) -> None:
    async with Handset(await mint(stand_in, http), http) as phone:
        stand_in.faults.loss = 1.0
        assert "connection" in await asyncio.wait_for(phone.call.ended(), PATIENCE)
    await stand_in.__aexit__(None, None, None)
