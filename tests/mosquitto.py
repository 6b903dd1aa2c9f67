"""A real Mosquitto for tests: a child process on a free port, with the generated configuration and mutual TLS.

A folder's `conftest.py` offers it with `from tests.mosquitto import fleet`; a test takes it as `fleet: Fleet`.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from device.messages.envelope import KeySigner
from provisioning.authority import MINTER, Authority, IdentityFiles
from provisioning.certificates import CLIENT, Issuer
from provisioning.keyfiles import p256_key, write_durably
from provisioning.link import BrokerEndpoint, connection
from provisioning.mosquitto import MosquittoProcess


@dataclass(frozen=True, slots=True)
class Board:
    """A device with a certificate of the fleet's authority."""

    name: str
    key: ec.EllipticCurvePrivateKey
    serial: int
    tls: ssl.SSLContext
    broker: BrokerEndpoint

    @property
    def signer(self) -> KeySigner:
        return KeySigner(self.name, self.key)

    def connect(self, identifier: str | None = None, will: aiomqtt.Will | None = None) -> aiomqtt.Client:
        return connection(self.broker, identifier or self.name, self.tls, will=will)


@dataclass(frozen=True, slots=True)
class Fleet:
    """A running broker, and the authority it trusts."""

    broker: MosquittoProcess
    authority: Authority
    folder: Path

    def board(self, name: str, issued_at: float | None = None, issuer: Issuer | None = None) -> Board:
        """Return a device of this name, with a new certificate for its one key, of 30 days; by `issuer` for a forged one."""
        key = p256_key(self.folder / f"{name}.key")
        began = time.time() if issued_at is None else issued_at
        certificate = self.authority.issue_device(key.public_key(), name, began, 30)
        shown = self.authority.chained(certificate)
        if issuer is not None:
            forged = issuer.issue(key.public_key(), name, CLIENT, [], began, 30)
            shown = forged.public_bytes(Encoding.PEM) + self.authority.chained(issuer.certificate)
        files = IdentityFiles(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        write_durably(files.certificate, shown)
        tls = self.authority.client_context(files)
        return Board(name, key, certificate.serial_number, tls, self.broker.endpoint)

    def service(self, name: str = MINTER) -> aiomqtt.Client:
        """Return a connection of the cloud's own."""
        identity = self.authority.service(name, time.time())
        return connection(self.broker.endpoint, name, self.authority.client_context(identity))

    def operator(self, name: str) -> aiomqtt.Client:
        """Return a connection of an operator whom the broker knows."""
        identity, _ = self.authority.operator(name, time.time())
        return connection(self.broker.endpoint, f"operator-{name}", self.authority.client_context(identity))


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    """A broker that knows the minter and the operator `test`."""
    authority = Authority.open(tmp_path, ("127.0.0.1", "localhost"), time.time())
    authority.service(MINTER, time.time())
    authority.operator("test", time.time())
    async with MosquittoProcess(authority, tmp_path / "broker") as broker:
        yield Fleet(broker, authority, tmp_path / "boards")
