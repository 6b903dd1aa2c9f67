"""Offers on their way through the cloud: what is one, how long it may be, and to whom it is sealed."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import BadSignatureError, MalformedMessageError
from device.messages.envelope import MINT_REQUEST, KeySigner, open_envelope, seal_envelope
from device.messages.minting import AnsweredCall, Grant, MintRequest, OpenAIGrant
from device.messages.offers import MOST_SDP, MOST_SEALED, check_offer, without_passwords
from device.messages.sealing import binding, offer_binding, opening_key, seal, sealing_key
from device.messages.secret import Secret
from device.messages.tools import LONGEST_DECLARATIONS, TextSchema, ToolDeclaration
from device.messages.wire import MAX_BYTES, decode, encode
from device.realtime.endpoint import Endpoint
from device.realtime.settings import RealtimeSettings
from tests.device.messages.offer import OFFER, PASSWORD

BOARD = KeySigner("robot-1", generate_private_key(SECP256R1()))
MINT = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
INFO = offer_binding("robot-1", "0" * 32)


def request(offer: bytes, **changes: object) -> MintRequest:
    fields = {"issued_at": 1.0, "expires_at": 2.0, "reason": "button", "reply_key": b"k" * 32, **changes}
    return MintRequest(device="robot-1", nonce="0" * 32, offer=offer, **fields)  # type: ignore[arg-type]  # of any field


@given(st.binary(min_size=32, max_size=32))
@settings(max_examples=50, deadline=None)
def test_who_signs_can_open_what_is_sealed_to_the_key_that_verifies(seed: bytes) -> None:
    mint = Ed25519PrivateKey.from_private_bytes(seed)
    opening = opening_key(mint)
    assert opening.public == sealing_key(mint.public_key())
    assert opening.open(seal(OFFER.encode(), sealing_key(mint.public_key()), INFO), INFO) == OFFER.encode()


def test_an_offer_opens_for_its_minter_and_its_request_only() -> None:
    sealed = seal(OFFER.encode(), sealing_key(MINT.public_key()), INFO)
    assert PASSWORD.encode() not in sealed
    other = opening_key(Ed25519PrivateKey.generate())
    for key, info in (
        (other, INFO),
        (opening_key(MINT), offer_binding("robot-1", "1" * 32)),
        (opening_key(MINT), offer_binding("robot-2", "0" * 32)),
        (opening_key(MINT), binding("robot-1", "0" * 32)),
    ):
        with pytest.raises(BadSignatureError):
            key.open(sealed, info)


def test_nothing_is_sealed_to_what_nobody_opens() -> None:
    neutral = Ed25519PublicKey.from_public_bytes(b"\1" + bytes(31))
    for key in (generate_private_key(SECP256R1()).public_key(), neutral, None):
        with pytest.raises(MalformedMessageError, match="nothing can be sealed"):
            sealing_key(key)


def test_an_offer_is_passed_on_as_it_is() -> None:
    assert check_offer(OFFER.encode()) == OFFER


BAD = {
    "empty": "",
    "no SDP": "hello\r\n",
    "trimmed": OFFER.strip(),
    "without the carriage returns": OFFER.replace("\r", ""),
    "no password": OFFER.replace("a=ice-pwd", "a=x"),
    "no fingerprint": OFFER.replace("a=fingerprint:sha-256", "a=x"),
    "no name": OFFER.replace("a=ice-ufrag", "a=x"),
    "no sound": OFFER.replace("m=audio", "m=text"),
    "no channel": OFFER[: OFFER.index("m=application")],
    "a picture": OFFER + "m=video 9 UDP/TLS/RTP/SAVPF 97\r\n",
    "two sounds": OFFER + "m=audio 9 UDP/TLS/RTP/SAVPF 97\r\n",
    "bytes that nobody sees": OFFER.replace("s=-", "s=\0"),
    "another alphabet": OFFER.replace("s=-", "s=会話"),
    "an empty line": OFFER.replace("s=-\r\n", "\r\n"),
    "one byte too long": OFFER + "a=" + "x" * (MOST_SDP - len(OFFER) - 3) + "\r\n",
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_offer_of_a_call_is_refused_without_a_word_of_it(what: str) -> None:
    with pytest.raises(MalformedMessageError) as refused:
        check_offer(BAD[what].encode())
    assert PASSWORD not in str(refused.value)


def test_the_longest_offer_is_taken() -> None:
    longest = OFFER + "a=" + "x" * (MOST_SDP - len(OFFER) - 4) + "\r\n"
    assert len(longest) == MOST_SDP
    assert check_offer(longest.encode()) == longest


@given(st.integers(0, len(OFFER)), st.binary(max_size=4), st.integers(0, 4))
@settings(max_examples=200, deadline=None)
def test_a_mutation_is_an_offer_or_refused(place: int, put: bytes, cut: int) -> None:
    mutated = OFFER.encode()[:place] + put + OFFER.encode()[place + cut :]
    try:
        assert check_offer(mutated).encode() == mutated
    except MalformedMessageError:
        return


@given(st.integers(0, 40))
@settings(max_examples=20, deadline=None)
def test_a_request_with_an_offer_of_many_addresses_comes_through(addresses: int) -> None:
    line = "a=candidate:f957a2332b1715da3b0ef8ba684454eb 1 udp 2130706431 fd00:0:0:0:0:0:0:2 38488 typ host\r\n"
    offer = OFFER.replace("a=end-of-candidates\r\n", line * addresses)
    sealed = seal(offer.encode(), sealing_key(MINT.public_key()), INFO)
    if len(offer) > MOST_SDP:
        with pytest.raises(MalformedMessageError, match="offer"):
            decode(encode(request(sealed)), MintRequest)
        return
    data = seal_envelope(MINT_REQUEST, request(sealed), BOARD)
    read = decode(open_envelope(MINT_REQUEST, data, lambda _: BOARD._key.public_key()), MintRequest)
    assert check_offer(opening_key(MINT).open(read.offer, INFO)) == offer


def test_the_longest_request_fits_into_a_message() -> None:
    tool = ToolDeclaration(name="x", description="y" * 1000, parameters={"p": TextSchema(description="z" * 900)})
    tools = [tool] * (LONGEST_DECLARATIONS // 2000)
    data = seal_envelope(MINT_REQUEST, request(b"o" * MOST_SEALED, tools=tools), BOARD)
    assert len(data) < 0.8 * MAX_BYTES


def test_a_grant_with_an_answer_shows_nothing_of_it() -> None:
    answered = AnsweredCall(sdp=Secret(f"v=0\r\na=ice-pwd:{PASSWORD}\r\n"), call_id="rtc_1")
    grant = Grant(session="s", openai=OpenAIGrant(expires_at=1.0, model="m", answered=answered))
    assert PASSWORD not in f"{grant} {grant!r}"
    assert decode(encode(grant), Grant) == grant


def test_a_grant_with_a_secret_is_what_it_was() -> None:
    grant = OpenAIGrant(base_url="https://x", secret=Secret("ek_1"), expires_at=1.0, model="m")
    assert set(decode(encode(grant), dict)) == {"base_url", "secret", "expires_at", "model"}


def test_passwords_in_what_is_said_of_an_offer_are_masked() -> None:
    assert (
        without_passwords(f"bad line: a=ice-pwd:{PASSWORD} in 'a=ice-pwd:x'")
        == "bad line: a=ice-pwd:*** in 'a=ice-pwd:***"
    )


async def test_what_a_robot_offers_is_such_an_offer_and_always_the_same() -> None:
    async with Endpoint(RealtimeSettings(exchange="cloud")) as endpoint:
        offer = await endpoint.ahead()
        assert await endpoint.offer() == offer
        assert check_offer(offer.encode()) == offer
        assert len(offer) < MOST_SDP / 2
    assert endpoint.peer is not None
    assert endpoint.peer.connectionState == "closed"


async def test_a_robot_that_opens_its_calls_itself_makes_nothing_ahead() -> None:
    async with Endpoint(RealtimeSettings()) as endpoint:
        assert await endpoint.ahead() == ""
        assert endpoint.peer is None
