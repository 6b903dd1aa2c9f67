"""Minting from the device's side: what opens, what is refused, what is not believed."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.clock import WallClock
from device.errors import BadSignatureError, MintError, MisaddressedError
from device.messages.envelope import MINT_ANSWER, MINT_REQUEST, KeySigner, PublicKey, open_envelope, seal_envelope
from device.messages.minting import AnsweredCall, Grant, MintAnswer, MintRequest, OpenAIGrant, Refusal
from device.messages.sealing import OneTimeKey, binding, offer_binding, opening_key, seal
from device.messages.secret import Secret
from device.messages.wire import decode, encode
from device.mint import SECRET_SECONDS, MintClient
from tests.device.messages.offer import OFFER

DEVICE_KEY = generate_private_key(SECP256R1())
MINT_KEY = Ed25519PrivateKey.generate()
MINTER = KeySigner("mint", MINT_KEY)
NONCE = "ab" * 16


def find(kid: str) -> PublicKey | None:
    return MINT_KEY.public_key() if kid == "mint" else None


def grant_for(request: MintRequest) -> Grant:
    secret = OpenAIGrant(base_url="http://localhost/v1", secret=Secret("ek_0"), expires_at=1e10, model="m")
    return Grant(session=request.nonce, openai=secret)


def granted(request: MintRequest) -> MintAnswer:
    sealed = seal(encode(grant_for(request)), request.reply_key, binding(request.device, request.nonce))
    return MintAnswer(device=request.device, nonce=request.nonce, server_time=time.time(), sealed=sealed)


class Cloud:
    """A minter at the other end of `publish`, made of the messages alone."""

    def __init__(self, answer: Callable[[MintRequest], MintAnswer], sealed_to: PublicKey | None = None) -> None:
        self.clock = WallClock()
        self.client = MintClient("robot", KeySigner("robot", DEVICE_KEY), find, self.clock, sealed_to)
        self.requests: list[MintRequest] = []
        self._answer = answer

    def publish(self, topic: str, payload: bytes, *, within: float | None = None) -> None:
        assert topic == "kaiwa/v1/robot/mint/req"
        assert within is not None
        request = decode(open_envelope(MINT_REQUEST, payload, lambda _kid: DEVICE_KEY.public_key()), MintRequest)
        self.requests.append(request)
        self.client.take(seal_envelope(MINT_ANSWER, self._answer(request), MINTER))

    async def mint(self) -> Grant:
        return await self.client.mint(NONCE, "button", self.publish, broadcast=True)


async def test_a_grant_opens() -> None:
    grant = await Cloud(granted).mint()
    assert grant.openai.secret == Secret("ek_0")
    assert "ek_0" not in repr(grant)


async def test_a_refusal_carries_its_code_and_when_to_come_back() -> None:
    def refuse(request: MintRequest) -> MintAnswer:
        return MintAnswer(
            device=request.device,
            nonce=request.nonce,
            server_time=1.0,
            refusal=Refusal.BUSY,
            text="full",
            retry_after=5,
        )

    with pytest.raises(MintError, match="BUSY: full") as caught:
        await Cloud(refuse).mint()
    assert (caught.value.code, caught.value.retry_after) == ("BUSY", 5)


async def test_a_wrong_clock_is_set_by_the_cloud_and_the_request_made_again() -> None:
    later = time.time() + 365 * 86400

    def skewed(request: MintRequest) -> MintAnswer:
        if request.issued_at > later - 60:
            return granted(request)
        return MintAnswer(
            device=request.device, nonce=request.nonce, server_time=later, refusal=Refusal.CLOCK_SKEW, text="a year off"
        )

    cloud = Cloud(skewed)
    assert (await cloud.mint()).session == NONCE
    assert len(cloud.requests) == 2


async def test_a_session_is_renewed_by_a_request_of_its_own() -> None:
    cloud = Cloud(granted)
    await cloud.client.renew(NONCE, cloud.publish)
    [request] = cloud.requests
    assert (request.continues, request.reason, request.broadcast) == (NONCE, "renewal", False)
    assert request.nonce != NONCE
    assert len(request.nonce) == 32


async def test_an_offer_is_sealed_to_the_minter_and_to_this_request() -> None:
    cloud = Cloud(granted, MINT_KEY.public_key())
    await cloud.client.mint(NONCE, "button", cloud.publish, broadcast=True, offer=OFFER)
    await cloud.client.renew(NONCE, cloud.publish, offer=OFFER)
    first, second = cloud.requests
    assert [request.continues for request in cloud.requests] == ["", NONCE]
    for request in cloud.requests:
        info = offer_binding("robot", request.nonce)
        assert opening_key(MINT_KEY).open(request.offer, info).decode() == OFFER
    with pytest.raises(BadSignatureError):
        opening_key(MINT_KEY).open(first.offer, offer_binding("robot", second.nonce))


async def test_a_request_without_an_offer_is_one_that_an_earlier_cloud_knows() -> None:
    cloud = Cloud(granted, MINT_KEY.public_key())
    await cloud.mint()
    assert b"offer" not in encode(cloud.requests[0])


@pytest.mark.parametrize("key", [DEVICE_KEY.public_key(), None])
async def test_an_offer_that_cannot_be_sealed_is_not_sent(key: PublicKey | None) -> None:
    cloud = Cloud(granted, key)
    with pytest.raises(MintError, match="cannot be sealed"):
        await cloud.client.mint(NONCE, "button", cloud.publish, broadcast=True, offer=OFFER)
    assert cloud.requests == []


async def test_an_answered_call_that_waits_no_longer_is_not_tried() -> None:
    def late(request: MintRequest) -> MintAnswer:
        answered = AnsweredCall(sdp=Secret("v=0"), call_id="rtc_1")
        grant = Grant(session=request.nonce, openai=OpenAIGrant(expires_at=1.0, model="m", answered=answered))
        sealed = seal(encode(grant), request.reply_key, binding(request.device, request.nonce))
        return MintAnswer(device=request.device, nonce=request.nonce, server_time=time.time(), sealed=sealed)

    with pytest.raises(MintError, match="UPSTREAM"):
        await Cloud(late).mint()


async def test_a_grant_sealed_to_another_key_does_not_open() -> None:
    def foreign(request: MintRequest) -> MintAnswer:
        sealed = seal(encode(grant_for(request)), OneTimeKey().public, binding(request.device, request.nonce))
        return MintAnswer(device=request.device, nonce=request.nonce, server_time=1.0, sealed=sealed)

    with pytest.raises(MintError, match="does not open"):
        await Cloud(foreign).mint()


@pytest.mark.parametrize(
    ("secret", "left", "why"),
    [
        ("ek_0", -10, r"UPSTREAM: the secret can be used for -1[01] s only"),
        ("ek_0", SECRET_SECONDS - 0.6, r"UPSTREAM: the secret can be used for [12] s only"),
        ("sk-proj-0", 60, r"UPSTREAM: the cloud sent the account's own key"),
    ],
)
async def test_a_secret_that_is_as_good_as_over_or_the_account_s_own_is_not_tried(
    secret: str, left: float, why: str
) -> None:
    def stale(request: MintRequest) -> MintAnswer:
        openai = OpenAIGrant(
            base_url="http://localhost/v1", secret=Secret(secret), expires_at=time.time() + left, model="m"
        )
        sealed = seal(
            encode(Grant(session=request.nonce, openai=openai)),
            request.reply_key,
            binding(request.device, request.nonce),
        )
        return MintAnswer(device=request.device, nonce=request.nonce, server_time=time.time(), sealed=sealed)

    with pytest.raises(MintError, match=why) as raised:
        await Cloud(stale).mint()
    assert secret not in str(raised.value)


async def test_a_secret_that_lasts_just_long_enough_is_used() -> None:
    def brief(request: MintRequest) -> MintAnswer:
        openai = OpenAIGrant(
            base_url="http://localhost/v1",
            secret=Secret("ek_0"),
            expires_at=time.time() + SECRET_SECONDS + 5,
            model="m",
        )
        binds = binding(request.device, request.nonce)
        sealed = seal(encode(Grant(session=request.nonce, openai=openai)), request.reply_key, binds)
        return MintAnswer(device=request.device, nonce=request.nonce, server_time=time.time(), sealed=sealed)

    assert (await Cloud(brief).mint()).openai.secret == Secret("ek_0")


async def test_an_answer_that_the_minter_did_not_sign_wakes_nobody_and_sets_no_clock() -> None:
    cloud = Cloud(granted)
    forged: list[BadSignatureError] = []

    def publish(topic: str, payload: bytes, *, within: float | None = None) -> None:
        answer = MintAnswer(device="robot", nonce=NONCE, server_time=1.0)
        try:
            cloud.client.take(seal_envelope(MINT_ANSWER, answer, KeySigner("mint", Ed25519PrivateKey.generate())))
        except BadSignatureError as error:
            forged.append(error)
        cloud.publish(topic, payload, within=within)

    assert (await cloud.client.mint(NONCE, "button", publish, broadcast=True)).session == NONCE
    assert len(forged) == 1
    assert cloud.clock.now() == pytest.approx(time.time(), abs=60)


def test_an_old_answer_that_nobody_waits_for_does_not_turn_the_clock_back() -> None:
    cloud = Cloud(granted)
    cloud.client.take(seal_envelope(MINT_ANSWER, MintAnswer(device="robot", nonce=NONCE, server_time=1.0), MINTER))
    assert cloud.clock.now() == pytest.approx(time.time(), abs=60)


def test_an_answer_for_another_device_is_not_ours() -> None:
    client = MintClient("robot", KeySigner("robot", DEVICE_KEY), find, WallClock())
    answer = MintAnswer(device="other", nonce=NONCE, server_time=1.0)
    with pytest.raises(MisaddressedError):
        client.take(seal_envelope(MINT_ANSWER, answer, MINTER))


async def test_a_request_without_an_answer_is_made_again_with_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.mint.AGAIN_SECONDS", 0.01)
    cloud, said = Cloud(granted), list[bytes]()

    def publish(topic: str, payload: bytes, *, within: float | None = None) -> None:
        said.append(payload)
        assert within == 0.01, "what waits for the broker is worthless when it is said again"
        if len(said) == 3:
            cloud.publish(topic, payload, within=within)

    assert (await cloud.client.mint(NONCE, "button", publish, broadcast=True)).session == NONCE
    assert said == [said[0]] * 3
