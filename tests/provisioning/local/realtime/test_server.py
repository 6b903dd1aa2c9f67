import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import openai
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from provisioning.local.realtime import Faults, HttpFault, RealtimeStandIn, StandInSettings
from provisioning.local.realtime.scenarios import load_scenario
from tests.provisioning.local.realtime.reference import judge, judge_secret

PATIENCE = 10.0


@pytest.fixture
def settings() -> StandInSettings:
    return StandInSettings(slow_seconds=0.3)


@pytest.fixture
async def stand_in(settings: StandInSettings) -> AsyncIterator[RealtimeStandIn]:
    async with RealtimeStandIn(settings) as service:
        yield service


@pytest.fixture
async def client(stand_in: RealtimeStandIn) -> AsyncIterator[openai.AsyncOpenAI]:
    key = stand_in.settings.api_key.reveal()
    async with openai.AsyncOpenAI(api_key=key, base_url=stand_in.base_url, max_retries=0) as made:
        yield made


@pytest.fixture
async def http(stand_in: RealtimeStandIn) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {stand_in.settings.api_key.reveal()}"}
    async with aiohttp.ClientSession(stand_in.base_url + "/", headers=headers) as session:
        yield session


@pytest.fixture
async def peer() -> AsyncIterator[RTCPeerConnection]:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTransceiver("audio")
    yield connection
    await connection.close()


async def offer(peer: RTCPeerConnection) -> str:
    await peer.setLocalDescription(await peer.createOffer())
    return peer.localDescription.sdp


async def code(response: aiohttp.ClientResponse) -> tuple[int, str | None]:
    body = await response.json()
    assert set(body["error"]) == {"message", "type", "param", "code"}
    return response.status, body["error"]["code"]


async def test_the_official_client_mints_calls_and_hangs_up(
    client: openai.AsyncOpenAI, peer: RTCPeerConnection
) -> None:
    minted = await client.realtime.client_secrets.create(session={"type": "realtime", "instructions": "Be brief."})
    assert minted.value.startswith("ek_")
    judge_secret(minted.model_dump(exclude_unset=True))

    channel, greeting = peer.createDataChannel("oai-events"), asyncio.Queue[str]()
    closed = asyncio.Event()
    channel.on("message", greeting.put_nowait)
    channel.on("close", closed.set)
    ephemeral = client.with_options(api_key=minted.value)
    answer = await ephemeral.realtime.calls.create(sdp=await offer(peer))
    assert answer.response.status_code == 201
    assert answer.response.headers["Content-Type"] == "application/sdp"
    location = answer.response.headers["Location"]
    call_id = location.rpartition("/")[2]
    assert location == f"/v1/realtime/calls/{call_id}"
    assert call_id.startswith("rtc_u1_")
    await peer.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
    async with asyncio.timeout(PATIENCE):
        first = await greeting.get()
        assert '"session.created"' in first
        assert '"Be brief."' in first
        await client.realtime.calls.hangup(call_id)
        await closed.wait()


async def test_the_unified_interface_takes_the_session_with_the_offer(
    client: openai.AsyncOpenAI, peer: RTCPeerConnection
) -> None:
    channel, greeting = peer.createDataChannel("oai-events"), asyncio.Queue[str]()
    channel.on("message", greeting.put_nowait)
    session: Any = {"type": "realtime", "model": "gpt-realtime-2.1-mini", "instructions": "Be long."}
    answer = await client.realtime.calls.create(sdp=await offer(peer), session=session)
    await peer.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
    async with asyncio.timeout(PATIENCE):
        assert '"Be long."' in await greeting.get()


async def test_answer_and_first_event_are_as_the_reference_says(
    client: openai.AsyncOpenAI, peer: RTCPeerConnection
) -> None:
    channel, greeting = peer.createDataChannel("oai-events"), asyncio.Queue[str]()
    channel.on("message", greeting.put_nowait)
    before = time.time()
    whole = await offer(peer)
    answer = (await client.realtime.calls.create(sdp=whole, session={"type": "realtime"})).text
    [opus] = re.findall(r"a=rtpmap:(\d+) opus/48000/2", whole)
    head, audio, data = re.split(r"(?=^m=)", answer, flags=re.MULTILINE)
    mids = re.findall(r"a=mid:(\S+)", whole)
    assert {f"a=group:BUNDLE {' '.join(mids)}", "a=ice-lite"} < set(head.split("\r\n"))
    assert re.search(r"^a=fingerprint:sha-256 [0-9A-F:]{95}\r$", head, re.MULTILINE)
    lines = audio.split("\r\n")
    assert lines[0].split()[3:] == [opus, "0", "8"], "the offer's number for Opus, then PCMU and PCMA"
    assert {"a=setup:active", "a=sendrecv", f"a=fmtp:{opus} minptime=10;useinbandfec=1"} < set(lines)
    assert " cname:realtimeapi" in audio
    [fragment] = set(re.findall(r"a=ice-ufrag:(\S+)", answer))
    assert "/" in fragment
    candidates = [line for line in lines if line.startswith("a=candidate:")]
    assert all(line.endswith(f" typ host ufrag {fragment}") or "tcptype passive" in line for line in candidates)
    assert sum(" tcp " in line for line in candidates) >= 1
    assert {"a=sctp-port:5000", "a=max-message-size:1073741823"} < set(data.split("\r\n"))
    assert "end-of-candidates" not in answer

    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    async with asyncio.timeout(PATIENCE):
        first = json.loads(await greeting.get())
    judge(first)
    assert first["type"] == "session.created"
    assert before + 3595 < first["session"]["expires_at"] < time.time() + 3605


async def test_the_unified_interface_refuses_as_the_other_does(
    stand_in: RealtimeStandIn, client: openai.AsyncOpenAI, http: aiohttp.ClientSession, peer: RTCPeerConnection
) -> None:
    peer.createDataChannel("oai-events")
    whole = await offer(peer)

    async def answered(session: str | None, sdp: str | None = whole, key: str = "") -> tuple[int, str | None]:
        form = aiohttp.MultipartWriter("form-data")
        for name, kind, body in (("sdp", "application/sdp", sdp), ("session", "application/json", session)):
            if body is not None:
                part = form.append(body.encode(), {"Content-Type": kind})
                part.set_content_disposition("form-data", name=name)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return await code(await http.post("realtime/calls", data=form, headers=headers))

    right = '{"type":"realtime"}'
    assert await answered(right, key="sk-wrong") == (401, "invalid_api_key")
    assert await answered(right, key="ek_" + 32 * "0") == (401, "invalid_api_key")
    for sdp in (None, "", "hello", whole.strip(), whole.replace("a=ice-pwd", "a=x")):
        assert await answered(right, sdp) == (400, "invalid_offer")
    assert await answered("{") == (400, "invalid_value")
    assert await answered('{"type":"realtime","voice":"marin"}') == (400, "unknown_parameter")
    assert await answered('{"type":"transcription"}') == (400, "invalid_value")
    for body in (b"", b"--b\r\n\r\n"):
        broken = http.post("realtime/calls", data=body, headers={"Content-Type": "multipart/form-data"})
        assert await code(await broken) == (400, "invalid_value")
    stand_in.faults.calls = HttpFault.QUOTA
    with pytest.raises(openai.RateLimitError):
        await client.realtime.calls.create(sdp=whole, session={"type": "realtime"})
    assert stand_in.calls == {}


async def test_a_call_of_the_unified_interface_that_nobody_joins_can_be_hung_up(
    stand_in: RealtimeStandIn, client: openai.AsyncOpenAI, peer: RTCPeerConnection
) -> None:
    peer.createDataChannel("oai-events")
    answer = await client.realtime.calls.create(sdp=await offer(peer), session={"type": "realtime"})
    call_id = answer.response.headers["Location"].rpartition("/")[2]
    await client.realtime.calls.hangup(call_id)
    async with asyncio.timeout(PATIENCE):
        while call_id in stand_in.calls:
            await asyncio.sleep(0)
    with pytest.raises(openai.NotFoundError):
        await client.realtime.calls.hangup(call_id)


async def test_the_official_client_understands_the_refusals(
    stand_in: RealtimeStandIn, client: openai.AsyncOpenAI
) -> None:
    with pytest.raises(openai.AuthenticationError) as wrong_key:
        await client.with_options(api_key="sk-wrong").realtime.client_secrets.create()
    assert wrong_key.value.code == "invalid_api_key"
    stand_in.faults.secrets = HttpFault.QUOTA
    with pytest.raises(openai.RateLimitError) as no_money:
        await client.realtime.client_secrets.create()
    assert no_money.value.code == "insufficient_quota"
    stand_in.faults.secrets = HttpFault.SERVER_ERROR
    with pytest.raises(openai.InternalServerError):
        await client.realtime.client_secrets.create()
    stand_in.faults.secrets = HttpFault.UNKNOWN_MODEL
    with pytest.raises(openai.NotFoundError) as unknown:
        await client.realtime.client_secrets.create()
    assert unknown.value.code == "model_not_found"
    stand_in.faults.secrets = HttpFault.RESET
    with pytest.raises(openai.APIConnectionError):
        await client.realtime.client_secrets.create()
    stand_in.faults.secrets = HttpFault.SLOW
    with pytest.raises(openai.APITimeoutError):
        await client.with_options(timeout=0.05).realtime.client_secrets.create()


async def test_the_beta_shape_is_gone(http: aiohttp.ClientSession) -> None:
    for path in ("realtime?model=gpt-realtime", "realtime/sessions"):
        assert await code(await http.post(path)) == (400, "beta_api_shape_disabled")
    beta = {"OpenAI-Beta": "realtime=v1"}
    assert await code(await http.post("realtime/client_secrets", headers=beta)) == (400, "beta_api_shape_disabled")


async def test_a_page_of_any_origin_may_open_a_call_and_read_its_id(http: aiohttp.ClientSession) -> None:
    asks = {"Origin": "http://localhost:3000", "Access-Control-Request-Headers": "authorization, content-type"}
    async with http.options("realtime/calls", headers=asks | {"Access-Control-Request-Method": "POST"}) as allowed:
        assert allowed.status == 204
        assert allowed.headers["Access-Control-Allow-Origin"] == "*"
        assert allowed.headers["Access-Control-Allow-Headers"] == "authorization, content-type"
    async with http.post("realtime/calls", data="v=0", headers={"Content-Type": "application/sdp"}) as refused:
        assert refused.status == 401
        assert refused.headers["Access-Control-Allow-Origin"] == "*", "or the page could not read why"
        assert refused.headers["Access-Control-Expose-Headers"] == "Location"


async def test_an_unknown_url_is_refused_as_json(http: aiohttp.ClientSession) -> None:
    assert await code(await http.get("realtime/calls")) == (405, "unknown_url")
    assert await code(await http.post("realtime/dreams")) == (404, "unknown_url")


async def test_only_a_whole_offer_of_the_right_kind_is_taken(
    http: aiohttp.ClientSession, peer: RTCPeerConnection
) -> None:
    async with http.post("realtime/client_secrets", json={}) as minted:
        headers = {"Authorization": f"Bearer {(await minted.json())['value']}", "Content-Type": "application/sdp"}
    peer.createDataChannel("oai-events")
    whole = await offer(peer)
    for body in ("", "hello", whole.strip(), whole.replace("a=ice-pwd", "a=x")):
        response = await http.post("realtime/calls", data=body, headers=headers)
        assert await code(response) == (400, "invalid_offer"), body
    response = await http.post("realtime/calls", data=whole, headers={**headers, "Content-Type": "text/plain"})
    assert await code(response) == (415, "unsupported_content_type")
    for key in ("ek_" + 32 * "0", "sk-kaiwa-stand-in"):
        response = await http.post("realtime/calls", data=whole, headers={**headers, "Authorization": f"Bearer {key}"})
        assert await code(response) == (401, "invalid_api_key")


async def test_one_key_starts_several_calls_at_once(stand_in: RealtimeStandIn, http: aiohttp.ClientSession) -> None:
    async with http.post("realtime/client_secrets", json={}) as minted:
        headers = {"Authorization": f"Bearer {(await minted.json())['value']}", "Content-Type": "application/sdp"}
    for _ in range(2):
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        peer.addTransceiver("audio")
        peer.createDataChannel("oai-events")
        assert (await http.post("realtime/calls", data=await offer(peer), headers=headers)).status == 201
        await peer.close()
    assert len(stand_in.calls) == 2


async def test_hanging_up_what_is_not_there(http: aiohttp.ClientSession) -> None:
    assert await code(await http.post("realtime/calls/rtc_u1_0/hangup")) == (404, "call_id_not_found")
    wrong = {"Authorization": "Bearer sk-wrong"}
    assert await code(await http.post("realtime/calls/rtc_u1_0/hangup", headers=wrong)) == (401, "invalid_api_key")


async def test_leaving_hangs_up_and_frees_the_port(settings: StandInSettings, peer: RTCPeerConnection) -> None:
    peer.createDataChannel("oai-events")
    over = asyncio.Event()
    peer.on("connectionstatechange", lambda: over.set() if peer.connectionState == "closed" else None)
    async with RealtimeStandIn(settings) as service:
        async with openai.AsyncOpenAI(api_key=settings.api_key.reveal(), base_url=service.base_url) as client:
            answer = await client.realtime.calls.create(sdp=await offer(peer), session={"type": "realtime"})
            await peer.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        [call] = service.calls.values()
        async with asyncio.timeout(PATIENCE):
            await asyncio.shield(call._channel)
        port = service.port
    async with asyncio.timeout(PATIENCE):
        await over.wait()
    assert service.calls == {}
    async with RealtimeStandIn(StandInSettings(port=port)) as again:
        assert again.port == port


async def test_an_answer_in_chunks_is_the_same_answer(
    stand_in: RealtimeStandIn, client: openai.AsyncOpenAI, http: aiohttp.ClientSession, peer: RTCPeerConnection
) -> None:
    stand_in.faults.secrets = stand_in.faults.calls = HttpFault.CHUNKED
    async with http.post("realtime/client_secrets", json={}) as minted:
        assert minted.headers["Transfer-Encoding"] == "chunked"
        assert "Content-Length" not in minted.headers
        assert (await minted.json())["value"].startswith("ek_")
    peer.createDataChannel("oai-events")
    answer = await client.realtime.calls.create(sdp=await offer(peer), session={"type": "realtime"})
    assert answer.response.headers["Transfer-Encoding"] == "chunked"
    assert answer.text.startswith("v=0")


async def test_a_sessions_hour_can_be_made_short(
    stand_in: RealtimeStandIn, client: openai.AsyncOpenAI, peer: RTCPeerConnection
) -> None:
    stand_in.faults.session_seconds = 0.1
    channel, events = peer.createDataChannel("oai-events"), asyncio.Queue[str]()
    channel.on("message", events.put_nowait)
    answer = await client.realtime.calls.create(sdp=await offer(peer), session={"type": "realtime"})
    await peer.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
    async with asyncio.timeout(PATIENCE):
        while '"session_expired"' not in await events.get():
            pass


async def test_faults_are_switched_over_http_by_whoever_has_the_key(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession
) -> None:
    url = stand_in.base_url.removesuffix("/v1") + "/stand-in/faults"
    async with http.put(url, json={"secrets": "quota", "loss": 0.3}) as switched:
        assert (await switched.json())["loss"] == 0.3
    assert await code(await http.post("realtime/client_secrets", json={})) == (429, "insufficient_quota")
    assert await code(await http.put(url, json={"losses": 0.3})) == (400, "invalid_value")
    assert await code(await http.put(url, json={}, headers={"Authorization": "Bearer sk-wrong"})) == (
        401,
        "invalid_api_key",
    )
    assert stand_in.faults.loss == 0.3
    assert (await http.put(url, json={})).status == 200
    assert stand_in.faults == Faults()


async def test_a_scenarios_day_meets_session_after_session(settings: StandInSettings) -> None:
    scenario = load_scenario("rate-limited-day")
    async with (
        RealtimeStandIn(settings, scenario=scenario) as service,
        openai.AsyncOpenAI(api_key=settings.api_key.reveal(), base_url=service.base_url, max_retries=0) as client,
    ):
        for _ in range(2):
            with pytest.raises(openai.RateLimitError):
                await client.realtime.client_secrets.create()
        for _ in range(6):
            await client.realtime.client_secrets.create()
        with pytest.raises(openai.BadRequestError):
            await client.realtime.calls.create(sdp="no offer", session={"type": "realtime"})
        assert service.faults.session_seconds == 20
