from __future__ import annotations

import time
from collections.abc import AsyncIterator

import openai
import pytest
from aiohttp import web
from openai.types.realtime import ClientSecretCreateParams
from pydantic import TypeAdapter

from device.messages.secret import Secret
from device.messages.tools import ToolDeclaration
from provisioning.openai import OpenAI, OpenAIBusyError, OpenAIError, OpenAIRefusedError, is_call_id
from provisioning.profiles.session import session
from provisioning.settings import OpenAISettings, replaced
from tests.provisioning.realtime_service import KEY, Answer, RealtimeService, error, realtime_service


@pytest.fixture
async def service() -> AsyncIterator[RealtimeService]:
    async with realtime_service() as running:
        yield running


async def test_a_secret_is_made_with_the_profile_and_a_short_life(service: RealtimeService) -> None:
    settings = service.settings(voice="cedar", secret_seconds=30)
    async with OpenAI(settings) as client:
        grant = await client.grant(session(settings))
    assert grant.secret == Secret(f"ek_{1:032x}")
    assert grant.base_url == service.base_url
    assert grant.model == "gpt-realtime-2.1"
    assert grant.expires_at == pytest.approx(time.time() + 30, abs=5)
    (asked,) = service.requests
    assert asked["expires_after"] == {"anchor": "created_at", "seconds": 30}
    assert asked["session"]["audio"]["output"] == {"voice": "cedar"}
    assert "ek_" not in repr(grant)


async def refused(service: RealtimeService, key: str = KEY) -> OpenAIError:
    settings = replaced(service.settings(), api_key=Secret(key), timeout_seconds=0.5)
    async with OpenAI(settings) as client:
        with pytest.raises(OpenAIError) as caught:
            await client.grant(session(settings))
    return caught.value


async def test_a_wrong_key_is_named_and_not_repeated(service: RealtimeService) -> None:
    found = await refused(service, "sk-wrong")
    assert isinstance(found, OpenAIRefusedError)
    assert (found.status, found.code) == (401, "invalid_api_key")
    assert "sk-" not in str(found)


@pytest.mark.parametrize(
    ("answer", "kind", "status", "code", "retry_after"),
    [
        (error(400, "model_not_found"), OpenAIRefusedError, 400, "model_not_found", None),
        (error(429, "insufficient_quota"), OpenAIRefusedError, 429, "insufficient_quota", None),
        (error(429, "rate_limit_exceeded"), OpenAIBusyError, 429, "rate_limit_exceeded", None),
        (error(429, "slow", headers={"Retry-After": "7"}), OpenAIBusyError, 429, "slow", 7.0),
        (error(429, "slow", headers={"Retry-After": "x"}), OpenAIBusyError, 429, "slow", None),
        (error(500, "server_error"), OpenAIBusyError, 500, "server_error", None),
        (lambda: web.Response(status=503, text="<html>"), OpenAIBusyError, 503, "http_error", None),
        (
            lambda: web.Response(body=b"{not json", content_type="application/json"),
            OpenAIBusyError,
            200,
            "malformed",
            None,
        ),
        (lambda: web.Response(text="hello"), OpenAIBusyError, 200, "malformed", None),
        (lambda: web.json_response({}), OpenAIBusyError, 200, "malformed", None),
        (lambda: web.json_response({"value": 7, "expires_at": 1}), OpenAIBusyError, 200, "malformed", None),
        (lambda: web.json_response({"value": "ek_\r\n", "expires_at": 1}), OpenAIBusyError, 200, "malformed", None),
        (lambda: web.json_response({"value": "ek_1"}), OpenAIBusyError, 200, "malformed", None),
    ],
)
async def test_every_bad_answer_is_one_of_two_kinds(
    service: RealtimeService,
    answer: Answer,
    kind: type[OpenAIError],
    status: int,
    code: str,
    retry_after: float | None,
) -> None:
    service.answer = answer
    found = await refused(service)
    assert type(found) is kind
    assert (found.status, found.code, found.retry_after) == (status, code, retry_after)


async def test_silence_and_absence_are_busy(service: RealtimeService) -> None:
    service.silent = True
    assert (await refused(service)).code == "timeout"
    service.base_url = "http://127.0.0.1:9/v1"
    assert (await refused(service)).code == "unreachable"


async def test_a_call_is_hung_up_and_may_be_over_already(service: RealtimeService) -> None:
    async with OpenAI(service.settings()) as client:
        await client.hang_up("rtc_u1_1")
        assert service.hung_up == ["rtc_u1_1"]
        service.answer = error(404, "not_found")
        await client.hang_up("rtc_u1_1")
        service.answer = error(500, "server_error")
        with pytest.raises(OpenAIBusyError):
            await client.hang_up("rtc_u1_1")


@pytest.mark.parametrize(("text", "good"), [("rtc_123456", True), ("", False), ("../x", False), ("a b", False)])
def test_call_ids_that_devices_report_are_checked(text: str, good: bool) -> None:
    assert is_call_id(text) is good


async def test_what_is_sent_and_what_comes_back_are_of_the_types_of_the_official_client(
    service: RealtimeService,
) -> None:
    settings = service.settings(instructions="Be kind.", tools=("lamp",))
    async with OpenAI(settings) as client:
        await client.grant(session(settings, [ToolDeclaration(name="lamp", description="Turns it on.")]))
    (asked,) = service.requests
    TypeAdapter(ClientSecretCreateParams).validate_python(asked)
    async with openai.AsyncOpenAI(base_url=service.base_url, api_key=KEY) as official:
        made = await official.realtime.client_secrets.create(**asked)
    assert made.value == f"ek_{2:032x}"
    assert service.requests[1] == asked, "the official client would have sent the same"


async def test_connections_are_kept_for_the_next_secret(service: RealtimeService) -> None:
    async with OpenAI(settings := service.settings()) as client:
        for _ in range(3):
            await client.grant(session(settings))
    assert len(service.peers) == 1


async def test_the_proxy_of_the_environment_is_used(service: RealtimeService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", service.base_url.removesuffix("/v1"))
    settings = replaced(service.settings(), base_url="http://realtime.example/v1/")
    async with OpenAI(settings) as client:
        assert (await client.grant(session(settings))).secret
    monkeypatch.setenv("no_proxy", "realtime.example")
    async with OpenAI(replaced(settings, timeout_seconds=0.5)) as client:
        with pytest.raises(OpenAIBusyError):
            await client.grant(session(settings))


async def test_a_redirect_is_not_followed_with_our_key(service: RealtimeService) -> None:
    service.answer = lambda: web.Response(status=307, headers={"Location": service.base_url})
    assert (await refused(service)).status == 307


async def test_an_answer_without_end_is_cut_off(service: RealtimeService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.bounded.MOST_BYTES", 100)
    assert (await refused(service)).code == "unreachable"


@pytest.mark.parametrize("key", ["sk-\r\nX: y", "sk-\u00e9"])
async def test_a_key_that_no_header_can_hold_is_an_error_that_does_not_tell_it(
    service: RealtimeService, key: str
) -> None:
    found = await refused(service, key)
    assert isinstance(found, OpenAIBusyError | OpenAIRefusedError)
    assert "sk-" not in str(found)


async def test_what_was_not_opened_is_no_service() -> None:
    with pytest.raises(OpenAIBusyError, match="not open"):
        await OpenAI(OpenAISettings()).grant(session(OpenAISettings()))
