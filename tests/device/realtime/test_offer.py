"""The offer as it goes over the wire, before a service that takes down every byte."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from device.errors import UpstreamError
from device.messages.minting import OpenAIGrant
from device.messages.secret import Secret
from device.realtime.endpoint import Endpoint
from device.realtime.offer import LONGEST_ANSWER, exchange
from device.realtime.settings import RealtimeSettings

ANSWER = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n"


@dataclass
class Service:
    """Answers with what it is told to."""

    status: int = 201
    body: str = ANSWER
    location: str | None = "/v1/realtime/calls/rtc_u1_abc?x=1"
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    url: str = ""

    async def call(self, request: web.Request) -> web.Response:
        """Take down one offer, and answer it."""
        kind, key = request.headers["Content-Type"], request.headers["Authorization"]
        self.asked.append((kind, key, await request.read()))
        headers = {} if self.location is None else {"Location": self.location}
        return web.Response(status=self.status, text=self.body, headers=headers, content_type="application/sdp")

    @property
    def grant(self) -> OpenAIGrant:
        """A grant for its calls."""
        return OpenAIGrant(base_url=f"{self.url}/", secret=Secret("ek_abc"), expires_at=1e10, model="m")


@asynccontextmanager
async def served(service: Service) -> AsyncIterator[aiohttp.ClientSession]:
    app = web.Application()
    app.router.add_post("/v1/realtime/calls", service.call)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        async with aiohttp.ClientSession() as http:
            yield http
    finally:
        await runner.cleanup()


async def test_the_whole_offer_goes_out_byte_for_byte_once_it_has_been_gathered() -> None:
    service, endpoint = Service(), Endpoint(RealtimeSettings())
    async with served(service) as http, endpoint:
        offer = await endpoint.offer()
        answer = await exchange(http, service.grant, offer, 5.0)
    [(kind, key, body)] = service.asked
    assert (kind, key) == ("application/sdp", "Bearer ek_abc")
    assert body == offer.encode()
    assert body.endswith(b"\r\n"), "the service refuses an offer without its last line end"
    assert b"a=candidate:" in body, "there is no trickle"
    assert (answer.sdp, answer.call_id) == (ANSWER, "rtc_u1_abc")


@pytest.mark.parametrize(
    ("status", "location", "call_id"), [(200, "/v1/realtime/calls/rtc_1", "rtc_1"), (201, None, "")]
)
async def test_any_success_with_an_answer_is_one(status: int, location: str | None, call_id: str) -> None:
    service = Service(status=status, location=location)
    async with served(service) as http:
        assert (await exchange(http, service.grant, "v=0\r\n", 5.0)).call_id == call_id


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (201, '{"error": {"code": "x"}}', "invalid_answer"),
        (201, "v=0" + "x" * LONGEST_ANSWER, "invalid_answer"),
        (202, ANSWER, "unknown"),
        (302, "", "unknown"),
        (
            400,
            '{"error": {"message": "no ek_abc", "type": "invalid_request_error", "code": "invalid_offer"}}',
            "invalid_offer",
        ),
        (400, '{"error": {"message": "no", "type": "invalid_request_error"}}', "invalid_request_error"),
    ],
)
async def test_what_is_no_answer_is_told_by_status_and_code(status: int, body: str, code: str) -> None:
    service = Service(status=status, body=body)
    async with served(service) as http:
        with pytest.raises(UpstreamError) as refused:
            await exchange(http, service.grant, "v=0\r\n", 5.0)
    assert (refused.value.status, refused.value.code) == (status, code)
    assert "ek_abc" not in str(refused.value)
