"""A real enrolment server for tests: HTTPS on a free port, with its own authority and store."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from device.messages.enrolment import BrokerAddress
from provisioning.authority import Authority
from provisioning.enrolment import Enrolments
from provisioning.enrolment_http import enrolment_app
from provisioning.listening import listening
from provisioning.store import Store

BROKER = BrokerAddress(host="127.0.0.1", port=8883)


@dataclass(frozen=True, slots=True)
class EnrolmentServer:
    """What is behind the address."""

    store: Store
    authority: Authority
    enrolments: Enrolments
    address: str

    async def claim(self, device: str | None = None, ttl: float = 60.0) -> str:
        """Return the text of a new claim to this address."""
        return str(await self.enrolments.new_claim(self.address, time.time(), ttl, device=device, operator="test"))


@asynccontextmanager
async def enrolment_server(state_dir: Path, store_url: str = "") -> AsyncIterator[EnrolmentServer]:
    """Serve enrolments while the context is open, with SQLite in `state_dir` unless `store_url` says otherwise."""
    authority = Authority.open(state_dir, ("127.0.0.1", "localhost"), time.time())
    async with Store(store_url or f"sqlite:///{state_dir}/store.sqlite3") as store:
        enrolments = Enrolments(store, authority, BROKER, 30)
        app = enrolment_app(enrolments, authority)
        async with listening(app, "127.0.0.1", 0, authority.server_context()) as port:
            yield EnrolmentServer(store, authority, enrolments, f"127.0.0.1:{port}")


def certificate_request(key: ec.EllipticCurvePrivateKey, name: str = "") -> str:
    """Return a certificate request in PEM, signed with `key`, that asks for `name`."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)] if name else [])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()
