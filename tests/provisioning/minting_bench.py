"""A minter with everything it needs: a store, an authority, and two services that fail when told to."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
from cryptography.hazmat.primitives.asymmetric import ec

from device.messages.envelope import (
    MINT_ANSWER,
    MINT_REQUEST,
    KeySigner,
    Signer,
    load_public_pem,
    open_envelope,
    public_pem,
    seal_envelope,
)
from device.messages.minting import Grant, Limits, MintAnswer, MintRequest, Refusal
from device.messages.sealing import OneTimeKey, binding, offer_binding, seal, sealing_key
from device.messages.wire import decode
from provisioning.authority import Authority
from provisioning.broadcasting import Broadcasts
from provisioning.channels import ChannelOptions
from provisioning.duty import Duty, on_duty
from provisioning.granting import Terms
from provisioning.imageflux import ImageFlux
from provisioning.local.imageflux.server import ImageFluxStandIn
from provisioning.minting import Minter
from provisioning.openai import OpenAI
from provisioning.policy import Allowance
from provisioning.profiles.choosing import Chooser
from provisioning.profiles.persona import Persona
from provisioning.registry import Certificate
from provisioning.sessions import Session
from provisioning.store import Store
from tests.device.messages.offer import OFFER
from tests.provisioning.realtime_service import RealtimeService, realtime_service

NOW = 1_800_000_000.0
ALLOWANCE = Allowance(session_seconds=600, sessions_per_day=5, requests_per_minute=8)
PERSONA = Persona(
    language="ja",
    tools=("volume", "lamp"),
    greeting="Greet.",
    idle_warning="",
    farewell="",
    hidden_words=("drat", "darn"),
)
TERMS = Terms(
    ALLOWANCE,
    Chooser(PERSONA, Limits(longest=600, idle=30)),
    "https://robots.example.com/r/{device}",
    hidden_words=("darn",),
)


@dataclass
class Robot:
    """The device's side of minting, written with the messages package only."""

    name: str
    key: ec.EllipticCurvePrivateKey
    mint_kid: str
    mint_key: str
    one_time: OneTimeKey = field(default_factory=OneTimeKey)
    nonce: str = ""

    @property
    def signer(self) -> Signer:
        return KeySigner(self.name, self.key)

    def request(self, now: float = NOW, **changes: Any) -> bytes:
        """Return a signed request; `changes` override what an honest one says."""
        self.one_time, self.nonce = OneTimeKey(), secrets.token_hex(16)
        fields: dict[str, Any] = {
            "device": self.name,
            "nonce": self.nonce,
            "issued_at": now,
            "expires_at": now + 30,
            "reason": "button",
            "reply_key": self.one_time.public,
        }
        request = MintRequest(**(fields | changes))
        self.nonce = request.nonce
        return seal_envelope(MINT_REQUEST, request, self.signer)

    def offering(self, now: float = NOW, offer: str = OFFER, **changes: Any) -> bytes:
        """Return a signed request that carries an offer, sealed to the minter."""
        nonce = changes.pop("nonce", secrets.token_hex(16))
        sealed = seal(offer.encode(), sealing_key(load_public_pem(self.mint_key)), offer_binding(self.name, nonce))
        return self.request(now, **({"nonce": nonce, "offer": sealed} | changes))

    def answer(self, data: bytes | None) -> MintAnswer:
        """Verify and return the answer to the last request."""
        assert data is not None
        key = load_public_pem(self.mint_key)
        payload = open_envelope(MINT_ANSWER, data, lambda kid: key if kid == self.mint_kid else None)
        answer = decode(payload, MintAnswer)
        assert (answer.device, answer.nonce) == (self.name, self.nonce)
        return answer

    def grant(self, data: bytes | None) -> Grant:
        """Open the grant in the answer to the last request."""
        answer = self.answer(data)
        assert answer.refusal is None, answer.text
        return decode(self.one_time.open(answer.sealed, binding(self.name, self.nonce)), Grant)

    def refusal(self, data: bytes | None) -> Refusal:
        """Return why the last request was refused."""
        answer = self.answer(data)
        assert answer.refusal is not None
        assert not answer.sealed
        return answer.refusal


@dataclass
class Bench:
    """The minter and all around it."""

    store: Store
    authority: Authority
    realtime: RealtimeService
    imageflux: ImageFluxStandIn
    openai: OpenAI
    broadcasts: Broadcasts
    minter: Minter
    channels: ImageFlux
    granted: list[Session]
    duty: Duty

    async def robot(self, name: str = "robot-1", *, days: float = 30, now: float = NOW) -> Robot:
        """Enrol a robot, without the HTTPS around it."""
        key = ec.generate_private_key(ec.SECP256R1())
        pem = public_pem(key.public_key())
        certificate = Certificate(secrets.token_hex(16), name, pem, now, now + days * 86_400)
        async with self.store.transaction() as t:
            await t.devices.enrol("", certificate)
        return Robot(name, key, self.authority.mint_signer.kid, self.authority.mint_pem)

    async def actions(self) -> list[str]:
        """What the audit has recorded."""
        async with self.store.transaction() as t:
            return [entry.action for entry in [entry async for entry in t.audit.entries()]]


async def settled(_device: str) -> None:
    """Wait for nothing: there is no leash here that would write anything down."""


@asynccontextmanager
async def minting_bench(folder: Path, terms: Terms = TERMS, store_url: str = "") -> AsyncIterator[Bench]:
    """Set it all up, with SQLite in `folder` unless `store_url` says otherwise."""
    if terms is TERMS:  # a chooser keeps versions, and is for one store
        terms = replace(TERMS, profiles=Chooser(PERSONA, Limits(longest=600, idle=30)))
    authority = Authority.open(folder, ("127.0.0.1",), time.time())
    granted: list[Session] = []
    url = store_url or f"sqlite:///{folder}/store.sqlite3"
    async with (
        Store(url) as store,
        realtime_service() as realtime,
        ImageFluxStandIn() as stand_in,
        aiohttp.ClientSession() as http,
        OpenAI(realtime.settings(timeout_seconds=2.0)) as openai,
        on_duty(url, folder) as duty,
    ):
        imageflux = ImageFlux(http, stand_in.api_url, stand_in.settings.token)
        broadcasts = Broadcasts(store, imageflux, ChannelOptions(), video=False)
        minter = Minter(store, authority.mint_signer, openai, broadcasts, terms, granted.append, settled, duty)
        yield Bench(store, authority, realtime, stand_in, openai, broadcasts, minter, imageflux, granted, duty)
