from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from device.messages.enrolment import Enrolment, EnrolRequest
from device.messages.wire import decode, encode
from tests.enrolment import EnrolmentServer, certificate_request, enrolment_server


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EnrolmentServer]:
    async with enrolment_server(tmp_path) as running:
        yield running


@pytest.fixture
async def http(server: EnrolmentServer) -> AsyncIterator[aiohttp.ClientSession]:
    tls = ssl.create_default_context(cadata=server.authority.root_pem)
    async with aiohttp.ClientSession(f"https://{server.address}", connector=aiohttp.TCPConnector(ssl=tls)) as session:
        yield session


async def posted(http: aiohttp.ClientSession, body: bytes) -> tuple[int, bytes]:
    async with http.post("/v1/enrol", data=body) as response:
        return response.status, await response.read()


async def test_the_authority_can_be_fetched(server: EnrolmentServer, http: aiohttp.ClientSession) -> None:
    async with http.get("/v1/ca.pem") as response:
        assert response.status == 200
        assert await response.text() == server.authority.root_pem


async def test_an_enrolment_is_answered_and_errors_have_a_code(
    server: EnrolmentServer, http: aiohttp.ClientSession
) -> None:
    claim = (await server.claim("robot-1")).partition("/")[2].partition("#")[0]
    key = ec.generate_private_key(ec.SECP256R1())
    request = encode(EnrolRequest(code=claim, csr=certificate_request(key)))
    status, body = await posted(http, request)
    assert status == 200
    assert decode(body, Enrolment).device == "robot-1"
    status, body = await posted(http, request)
    assert status == 410
    assert decode(body, dict[str, str])["error"] == "claim_used"


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b'{"code":"x","csr":"y","extra":1}', b"\xff" * 10])
async def test_nonsense_is_refused(http: aiohttp.ClientSession, body: bytes) -> None:
    status, answer = await posted(http, body)
    assert status == 400
    assert decode(answer, dict[str, str])["error"] == "malformed"


async def test_a_large_body_is_not_read(http: aiohttp.ClientSession) -> None:
    status, _ = await posted(http, b"x" * 100_000)
    assert status == 413


async def test_guessing_is_stopped(http: aiohttp.ClientSession) -> None:
    request = encode(EnrolRequest(code="AAAAA-AAAAA-AAAAA-AAAAA", csr=""))
    for _ in range(10):
        assert (await posted(http, request))[0] == 403
    assert (await posted(http, request))[0] == 429
