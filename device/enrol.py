"""Turning a claim into an identity: pin the authority, ask it, keep what it gives."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import aiohttp
import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from device.errors import EnrolmentError, MalformedMessageError
from device.identity import certificate_request, keep_enrolment, keep_key
from device.messages.enrolment import Claim, Enrolment, EnrolRequest
from device.messages.wire import MAX_BYTES, decode, encode

SECONDS: Final = 15.0
"""How long each of the two exchanges may take."""


async def enrol(claim_text: str, state_dir: Path, http: aiohttp.ClientSession, *, hardware: str = "") -> Enrolment:
    """Use up a claim and keep the identity it gives in `state_dir`; the one before stays until then.

    Nothing is sent before the authority has been seen to have the fingerprint in the claim.

    Raises:
        EnrolmentError: the claim, the authority or the answer is not good, the cloud cannot be reached, or `state_dir`
            cannot be written to.
    """
    claim = Claim.parse(claim_text)
    tls = await _pinned_authority(claim, http)
    key = ec.generate_private_key(ec.SECP256R1())
    with _writing(state_dir):
        keep_key(state_dir, key)
    request = EnrolRequest(code=claim.code, csr=certificate_request(key), hardware=hardware)
    enrolment = await _exchange(claim, request, tls, http)
    with _writing(state_dir):
        keep_enrolment(state_dir, enrolment)
    return enrolment


@contextmanager
def _writing(state_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EnrolmentError(f"cannot write to {state_dir}: {error.strerror}; try it with sudo") from None


async def _pinned_authority(claim: Claim, http: aiohttp.ClientSession) -> ssl.SSLContext:
    """Fetch the authority's certificate from anybody, and trust it only if it is the one in the claim."""
    status, body = await _fetch(http, "GET", f"https://{claim.address}/v1/ca.pem", tls=False)
    try:
        der = x509.load_pem_x509_certificate(body).public_bytes(Encoding.DER)
    except (ValueError, x509.InvalidVersion):
        raise EnrolmentError(f"{claim.address} is not a Kaiwa cloud: HTTP {status} without a certificate") from None
    if not hmac.compare_digest(hashlib.sha256(der).hexdigest(), claim.fingerprint):
        raise EnrolmentError(f"{claim.address} is not who the claim says: its authority has another fingerprint")
    return ssl.create_default_context(cadata=der)


async def _exchange(claim: Claim, request: EnrolRequest, tls: ssl.SSLContext, http: aiohttp.ClientSession) -> Enrolment:
    status, body = await _fetch(http, "POST", f"https://{claim.address}/v1/enrol", tls=tls, body=encode(request))
    if status != 200:
        raise EnrolmentError(_refusal(status, body))
    try:
        return decode(body, Enrolment)
    except MalformedMessageError as error:
        raise EnrolmentError(f"{claim.address} answered with something else: {error}") from None


async def _fetch(
    http: aiohttp.ClientSession, method: str, url: str, *, tls: ssl.SSLContext | bool, body: bytes | None = None
) -> tuple[int, bytes]:
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with http.request(method, url, data=body, ssl=tls, timeout=timeout, allow_redirects=False) as response:
            return response.status, await _bounded(response)
    except aiohttp.ClientConnectorCertificateError as error:
        raise EnrolmentError(f"{url}: the server's certificate is not good: {error.certificate_error}") from None
    except TimeoutError:
        raise EnrolmentError(f"{url}: no answer in {SECONDS:.0f} s") from None
    except aiohttp.ClientError as error:
        raise EnrolmentError(f"{url}: {error}") from None


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_BYTES:
            raise EnrolmentError(f"{response.url}: more than {MAX_BYTES} bytes")
    return bytes(body)


def _refusal(status: int, body: bytes) -> str:
    try:
        return f"the cloud refused the claim: {msgspec.json.decode(body, type=dict[str, str])['text']}"
    except (msgspec.DecodeError, KeyError):
        return f"the cloud refused the claim: HTTP {status}"
