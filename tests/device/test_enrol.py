"""Enrolment end to end over HTTPS, against the cloud's own server."""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from device.enrol import enrol
from device.errors import EnrolmentError
from device.identity import Identity
from provisioning.authority import Authority
from provisioning.listening import listening
from tests.enrolment import EnrolmentServer, enrolment_server


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EnrolmentServer]:
    async with enrolment_server(tmp_path / "cloud") as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


class Recorder:
    """A server that looks like a cloud and keeps what it is told."""

    def __init__(self, pem: str, answer: web.Response | None = None) -> None:
        self.pem, self.answer = pem, answer
        self.bodies: list[bytes] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.get("/v1/ca.pem", self.authority), web.post("/v1/enrol", self.enrol)])
        return app

    async def authority(self, _request: web.Request) -> web.Response:
        return web.Response(text=self.pem)

    async def enrol(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        return self.answer or web.Response(status=500)


async def test_a_claim_becomes_an_identity(
    server: EnrolmentServer, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    enrolment = await enrol(await server.claim("robot-1"), tmp_path / "board", http, hardware="pi")
    identity = Identity.load(tmp_path / "board", time.time())
    assert identity.device == enrolment.device == "robot-1"
    assert identity.enrolment.authority == server.authority.root_pem


async def test_a_second_enrolment_replaces_the_first_as_a_whole(
    server: EnrolmentServer, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    await enrol(await server.claim("robot-1"), tmp_path, http)
    first = Identity.load(tmp_path, time.time())
    await enrol(await server.claim("robot-2"), tmp_path, http)
    second = Identity.load(tmp_path, time.time())
    assert (first.device, second.device) == ("robot-1", "robot-2")
    assert not first.files.key.exists()


async def test_a_refused_claim_leaves_the_identity_there_was(
    server: EnrolmentServer, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    claim = await server.claim("robot-1")
    await enrol(claim, tmp_path, http)
    with pytest.raises(EnrolmentError, match="this claim has been used"):
        await enrol(claim, tmp_path, http)
    assert Identity.load(tmp_path, time.time()).device == "robot-1"


async def test_nothing_is_sent_to_an_authority_with_another_fingerprint(
    server: EnrolmentServer, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    claim = await server.claim()
    thief = Authority.open(tmp_path / "thief", ("127.0.0.1",), time.time())
    recorder = Recorder(thief.root_pem)
    async with listening(recorder.app(), "127.0.0.1", 0, thief.server_context()) as port:
        stolen = claim.replace(server.address, f"127.0.0.1:{port}")
        with pytest.raises(EnrolmentError, match="another fingerprint"):
            await enrol(stolen, tmp_path / "board", http)
    assert recorder.bodies == []
    assert not (tmp_path / "board").exists()


async def test_nothing_is_sent_to_who_only_shows_the_right_authority(
    server: EnrolmentServer, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    claim = await server.claim()
    thief = Authority.open(tmp_path / "thief", ("127.0.0.1",), time.time())
    recorder = Recorder(server.authority.root_pem)
    async with listening(recorder.app(), "127.0.0.1", 0, thief.server_context()) as port:
        stolen = claim.replace(server.address, f"127.0.0.1:{port}")
        with pytest.raises(EnrolmentError, match="certificate is not good"):
            await enrol(stolen, tmp_path / "board", http)
    assert recorder.bodies == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (web.Response(status=500), "HTTP 500"),
        (web.Response(body=b"{}"), "something else"),
        (web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}), "HTTP 302"),
        (web.Response(body=b"x" * 70_000), "more than"),
        (web.json_response({"text": "come back tomorrow"}, status=503), "come back tomorrow"),
    ],
)
async def test_a_cloud_that_answers_nonsense_is_named(
    http: aiohttp.ClientSession, tmp_path: Path, answer: web.Response, words: str
) -> None:
    authority = Authority.open(tmp_path / "cloud", ("127.0.0.1",), time.time())
    recorder = Recorder(authority.root_pem, answer)
    async with listening(recorder.app(), "127.0.0.1", 0, authority.server_context()) as port:
        claim = f"kaiwa:127.0.0.1:{port}/AAAAA-AAAAA#{authority.fingerprint}"
        with pytest.raises(EnrolmentError, match=words):
            await enrol(claim, tmp_path / "board", http)


async def test_a_server_that_is_no_cloud_or_is_not_there(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    authority = Authority.open(tmp_path / "cloud", ("127.0.0.1",), time.time())
    async with listening(web.Application(), "127.0.0.1", 0, authority.server_context()) as port:
        claim = f"kaiwa:127.0.0.1:{port}/AAAAA-AAAAA#{authority.fingerprint}"
        with pytest.raises(EnrolmentError, match="not a Kaiwa cloud: HTTP 404"):
            await enrol(claim, tmp_path, http)
    with pytest.raises(EnrolmentError, match="Cannot connect"):
        await enrol(claim, tmp_path, http)


async def test_a_certificate_of_another_age_is_named(
    server: EnrolmentServer, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    claim, der = await server.claim(), bytearray(ssl.PEM_cert_to_DER_cert(server.authority.root_pem))
    der[der.index(b"\xa0\x03\x02\x01\x02") + 4] = 7  # a version of X.509 that there is not
    recorder = Recorder(ssl.DER_cert_to_PEM_cert(bytes(der)))
    async with listening(recorder.app(), "127.0.0.1", 0, server.authority.server_context()) as port:
        with pytest.raises(EnrolmentError, match="not a Kaiwa cloud"):
            await enrol(claim.replace(server.address, f"127.0.0.1:{port}"), tmp_path / "board", http)
    assert recorder.bodies == []


async def test_something_that_is_no_claim(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    with pytest.raises(EnrolmentError, match="not a claim code"):
        await enrol("hello", tmp_path, http)


async def test_the_identity_opens_a_context_with_its_own_certificate(
    server: EnrolmentServer, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    await enrol(await server.claim(), tmp_path, http)
    context = Identity.load(tmp_path, time.time()).tls_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1


async def test_a_state_folder_that_cannot_be_written_to_is_named_before_the_claim_is_used(
    server: EnrolmentServer, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    claim = await server.claim()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(EnrolmentError, match=r"cannot write to .*file/state"):
        await enrol(claim, tmp_path / "file" / "state", http)
    await enrol(claim, tmp_path / "state", http)
