from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from device.chain import is_below
from device.errors import EnrolmentError
from device.messages.enrolment import EnrolRequest
from provisioning.alarms import CLAIM_AGAIN, FOREIGN_KEY
from provisioning.enrolment import OVER, ClaimRefusedError, requested_key
from provisioning.policy import Status
from provisioning.registry import CLAIM_ATTEMPTS
from tests.enrolment import BROKER, EnrolmentServer, certificate_request, enrolment_server

NOW = 1_800_000_000.0


@pytest.fixture
async def server(tmp_path: Path, store_url: str) -> AsyncIterator[EnrolmentServer]:
    async with enrolment_server(tmp_path, store_url) as running:
        yield running


def p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


async def code(server: EnrolmentServer, device: str | None = None, ttl: float = 60) -> str:
    return (await server.enrolments.new_claim("cloud:1", NOW, ttl, device=device)).code


async def refused(server: EnrolmentServer, request: EnrolRequest, now: float = NOW) -> str:
    with pytest.raises(ClaimRefusedError) as caught:
        await server.enrolments.enrol(request, now)
    stays = caught.value.code in {"unknown_claim", "claim_used", "claim_expired", "claim_dead"}
    assert (OVER in str(caught.value)) is stays
    return caught.value.code


async def actions(server: EnrolmentServer) -> list[str]:
    async with server.store.transaction() as t:
        return [entry.action async for entry in t.audit.entries()]


async def test_a_claim_becomes_a_device(server: EnrolmentServer) -> None:
    key = p256()
    request = EnrolRequest(code=await code(server, "robot-1"), csr=certificate_request(key, "minter"), hardware="pi")
    enrolment = await server.enrolments.enrol(request, NOW)
    assert (enrolment.device, enrolment.broker, enrolment.server_time) == ("robot-1", BROKER, NOW)
    certificate = x509.load_pem_x509_certificate(enrolment.certificate.encode())
    assert certificate.subject.rfc4514_string() == "CN=robot-1"
    assert certificate.public_key() == key.public_key()
    assert is_below(enrolment.certificate, enrolment.authority)
    assert enrolment.mint_key == server.authority.mint_pem
    async with server.store.transaction() as t:
        device = await t.devices.find("robot-1")
    assert device is not None
    assert (device.status, device.hardware) == (Status.PENDING, "pi")
    assert await actions(server) == ["claim_made", "enrolled"]


async def test_a_device_without_a_name_gets_one(server: EnrolmentServer) -> None:
    request = EnrolRequest(code=await code(server), csr=certificate_request(p256()))
    enrolment = await server.enrolments.enrol(request, NOW)
    assert enrolment.device.startswith("kaiwa-")


def contents(folder: Path) -> list[tuple[Path, bytes]]:
    return [(path, path.read_bytes()) for path in folder.rglob("*") if path.is_file()]


async def test_the_code_itself_is_kept_nowhere(server: EnrolmentServer, tmp_path: Path) -> None:
    secret = (await code(server)).encode()
    assert not [path for path, held in contents(tmp_path) if secret in held]


async def test_a_claim_works_once_in_time_and_for_who_knows_it(server: EnrolmentServer) -> None:
    used = await code(server)
    await server.enrolments.enrol(EnrolRequest(code=used, csr=certificate_request(p256())), NOW)
    assert await refused(server, EnrolRequest(code=used, csr=certificate_request(p256()))) == "claim_used"
    async with server.store.transaction() as t:
        assert [device.alarm for device in await t.devices.all()] == [CLAIM_AGAIN]
    late = await code(server, ttl=60)
    assert await refused(server, EnrolRequest(code=late, csr=certificate_request(p256())), NOW + 60) == "claim_expired"
    guess = EnrolRequest(code="AAAAA-AAAAA-AAAAA-AAAAA", csr=certificate_request(p256()))
    assert await refused(server, guess) == "unknown_claim"
    assert "claim_refused" in await actions(server)


def rsa_request() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


def other_curve() -> str:
    return certificate_request(ec.generate_private_key(ec.SECP384R1()))


def altered(place: int, csr: str = "") -> str:
    """Return a request of which one bit is another."""
    lines = (csr or certificate_request(p256())).splitlines()
    der = bytearray(base64.b64decode("".join(lines[1:-1])))
    der[place] ^= 1
    return f"{lines[0]}\n{base64.b64encode(der).decode()}\n{lines[-1]}\n"


def test_no_bit_of_a_request_brings_out_anything_but_a_refusal() -> None:
    key = p256()
    genuine = certificate_request(key)
    length = len(base64.b64decode("".join(genuine.splitlines()[1:-1])))
    keys = [requested_key(altered(place, genuine)) for place in range(length)]
    accepted = [found for found in keys if not isinstance(found, ClaimRefusedError)]
    assert len(accepted) <= 1, "the envelope of a signature has a bit that means nothing"
    assert all(found == key.public_key() for found in accepted)


@pytest.mark.parametrize("csr", ["", "nonsense", rsa_request(), other_curve(), altered(-1)])
async def test_a_request_that_cannot_be_used_counts_as_an_attempt(server: EnrolmentServer, csr: str) -> None:
    claim = await code(server)
    for _ in range(CLAIM_ATTEMPTS):
        assert await refused(server, EnrolRequest(code=claim, csr=csr)) == "bad_csr"
    good = EnrolRequest(code=claim, csr=certificate_request(p256()))
    assert await refused(server, good) == "claim_dead"


async def test_one_key_is_one_device(server: EnrolmentServer) -> None:
    key = p256()
    await server.enrolments.enrol(EnrolRequest(code=await code(server), csr=certificate_request(key)), NOW)
    copy = EnrolRequest(code=await code(server), csr=certificate_request(key))
    assert await refused(server, copy) == "key_in_use"
    async with server.store.transaction() as t:
        assert [device.alarm for device in await t.devices.all()] == [FOREIGN_KEY]
    assert (await actions(server))[-1] == "clone_alarm"


async def test_a_second_claim_for_a_name_replaces_the_board(server: EnrolmentServer) -> None:
    first = EnrolRequest(code=await code(server, "robot-1"), csr=certificate_request(p256()))
    old = x509.load_pem_x509_certificate((await server.enrolments.enrol(first, NOW)).certificate.encode())
    second = EnrolRequest(code=await code(server, "robot-1"), csr=certificate_request(p256()))
    await server.enrolments.enrol(second, NOW + 1)
    listed = x509.load_pem_x509_crl(server.authority.revocations.read_bytes())
    assert [entry.serial_number for entry in listed] == [old.serial_number]


@pytest.mark.parametrize("name", ["minter", "operator-anna", "Robot 1", "a/b"])
async def test_names_that_would_be_somebody_else_are_refused(server: EnrolmentServer, name: str) -> None:
    with pytest.raises(EnrolmentError, match="cannot name a device"):
        await server.enrolments.new_claim("cloud:1", NOW, 60, device=name)


async def test_a_claim_that_many_use_at_once_makes_one_device(server: EnrolmentServer) -> None:
    one = await code(server)

    async def outcome() -> str:
        try:
            await server.enrolments.enrol(EnrolRequest(code=one, csr=certificate_request(p256())), NOW)
        except ClaimRefusedError as error:
            return error.code
        return "enrolled"

    outcomes = await asyncio.gather(*(outcome() for _ in range(6)))
    assert sorted(outcomes) == ["claim_used"] * 5 + ["enrolled"]
    async with server.store.transaction() as t:
        assert len(await t.devices.all()) == 1
