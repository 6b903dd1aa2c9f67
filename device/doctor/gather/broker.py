"""Connects to the broker as this board, and asks the minter for what it must refuse."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from typing import Final

import aiomqtt

from device.doctor.checks.broker import BrokerFacts, MintFacts
from device.doctor.gather.network import probe_mutual_tls
from device.errors import MessageError
from device.identity import Identity
from device.messages import topics
from device.messages.envelope import MINT_ANSWER, MINT_REQUEST, open_envelope, seal_envelope
from device.messages.minting import MintAnswer, MintRequest
from device.messages.sealing import OneTimeKey
from device.messages.wire import decode
from device.mint import WAIT_SECONDS
from device.mqtt import refusals

CONNECT_SECONDS: Final = 10.0
LONG_AGO: Final = 86_400.0
"""Seconds before now that the dry request was over: far more than any clock of ours is off."""


@dataclass(frozen=True, slots=True)
class CloudFacts:
    """What came of asking the cloud."""

    broker: BrokerFacts
    offset: float | None
    """Cloud's time minus ours, in seconds."""
    uncertainty: float


async def gather(identity: Identity | None, *, running: bool, wait: float = WAIT_SECONDS) -> CloudFacts:
    """Return whether broker and minter know this board; a running robot is not disturbed."""
    if identity is None or running:
        return CloudFacts(_facts(identity, running=running), None, 0.0)
    broker = identity.broker
    probe = await probe_mutual_tls(broker.host, broker.port, identity.tls_context())
    if probe.error:
        return CloudFacts(_facts(identity, error=probe.error, stage=probe.stage), None, 0.0)
    try:
        return await _ask(identity, wait)
    except aiomqtt.MqttError as error:
        return CloudFacts(_facts(identity, error=str(error), stage="refused"), None, 0.0)


async def _ask(identity: Identity, wait: float) -> CloudFacts:
    began = time.monotonic()
    async with _client(identity) as client:
        seconds = time.monotonic() - began
        codes = await client.subscribe(topics.mint_answer(identity.device), qos=1)
        if refusals(codes):
            return CloudFacts(_facts(identity, seconds=seconds, stage="topics"), None, 0.0)
        mint, offset, uncertainty = await _dry_run(client, identity, wait)
    return CloudFacts(_facts(identity, seconds=seconds, mint=mint), offset, uncertainty)


def _facts(
    identity: Identity | None,
    *,
    running: bool = False,
    seconds: float = 0.0,
    error: str = "",
    stage: str = "",
    mint: MintFacts | None = None,
) -> BrokerFacts:
    device = "" if identity is None else identity.device
    address = "" if identity is None else f"{identity.broker.host}:{identity.broker.port}"
    return BrokerFacts(device, address, running, seconds, error, stage, mint)


def _client(identity: Identity) -> aiomqtt.Client:
    return aiomqtt.Client(
        identity.broker.host,
        identity.broker.port,
        identifier=identity.device,
        protocol=aiomqtt.ProtocolVersion.V5,
        tls_context=identity.tls_context(),
        timeout=CONNECT_SECONDS,
        clean_start=True,
    )


async def _dry_run(client: aiomqtt.Client, identity: Identity, wait: float) -> tuple[MintFacts, float | None, float]:
    """Ask with a request that is over; an honest minter signs a refusal with its time, and grants and books nothing."""
    nonce, wall, began = secrets.token_hex(16), time.time(), time.monotonic()
    request = MintRequest(
        device=identity.device,
        nonce=nonce,
        issued_at=wall - LONG_AGO,
        expires_at=wall - LONG_AGO,
        reason="doctor",
        reply_key=OneTimeKey().public,
        broadcast=False,
    )
    await client.publish(topics.mint_request(identity.device), seal_envelope(MINT_REQUEST, request, identity.signer), 1)
    try:
        async with asyncio.timeout(wait):
            answer = await _answer(client, identity, nonce)
    except TimeoutError:
        return MintFacts(wait, "", "", ""), None, 0.0
    except MessageError as error:
        return MintFacts(time.monotonic() - began, "", "", str(error)), None, 0.0
    trip = time.monotonic() - began
    facts = MintFacts(trip, str(answer.refusal or "GRANTED"), answer.text, "")
    return facts, answer.server_time - (wall + trip / 2), trip / 2


async def _answer(client: aiomqtt.Client, identity: Identity, nonce: str) -> MintAnswer:
    async for message in client.messages:
        answer = decode(open_envelope(MINT_ANSWER, message.payload, identity.mint_key), MintAnswer)
        if answer.nonce == nonce:
            return answer
    raise TimeoutError
