"""Envelopes and freshness at their bounds: who signed, for what, and for how long."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from device.errors import BadSignatureError, MalformedMessageError, StaleMessageError
from device.messages.envelope import (
    COMMAND,
    MINT_ANSWER,
    MINT_REQUEST,
    RENEWAL_ANSWER,
    RENEWAL_REQUEST,
    SKEW_SECONDS,
    Envelope,
    KeySigner,
    check_fresh,
    open_envelope,
    seal_envelope,
)
from device.messages.mandates import MANDATE
from device.messages.minting import Limits
from device.messages.releases import RELEASE
from device.messages.wire import decode, encode

NOW = 1_800_000_000.0
PURPOSES = [MINT_REQUEST, MINT_ANSWER, RENEWAL_REQUEST, RENEWAL_ANSWER, COMMAND, MANDATE, RELEASE]
KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


def test_no_two_purposes_are_the_same() -> None:
    assert len(set(PURPOSES)) == len(PURPOSES)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_what_is_signed_for_one_purpose_opens_for_no_other(purpose: str) -> None:
    sealed = seal_envelope(purpose, Limits(idle=1.0), KeySigner("k", KEY))
    opened = {other for other in PURPOSES if _opens(other, sealed)}
    assert opened == {purpose}


def _opens(purpose: str, sealed: bytes) -> bool:
    try:
        open_envelope(purpose, sealed, lambda _kid: KEY.public_key())
    except BadSignatureError:
        return False
    return True


def test_the_end_of_a_purpose_cannot_become_the_beginning_of_what_is_signed() -> None:
    signed = decode(seal_envelope("a", {"b": 1}, KeySigner("k", KEY)), Envelope)
    shifted = Envelope(payload=b"\0" + signed.payload, kid="k", sig=signed.sig)
    with pytest.raises(BadSignatureError):
        open_envelope("a", encode(shifted), lambda _kid: KEY.public_key())


def test_the_key_is_looked_up_by_the_id_in_the_envelope() -> None:
    asked = list[str]()
    sealed = seal_envelope(COMMAND, Limits(), KeySigner("robot-1", KEY))

    def find(kid: str) -> None:
        asked.append(kid)

    with pytest.raises(BadSignatureError, match="unknown key 'robot-1'"):
        open_envelope(COMMAND, sealed, find)
    assert asked == ["robot-1"]


def test_a_key_id_without_end_is_told_in_part() -> None:
    sealed = encode(Envelope(payload=b"", kid="x" * 500, sig=b""))
    with pytest.raises(BadSignatureError) as caught:
        open_envelope(COMMAND, sealed, lambda _kid: None)
    assert str(caught.value) == f"unknown key '{'x' * 64}'"


@pytest.mark.parametrize("other", [OTHER, generate_private_key(SECP256R1())])
def test_the_signature_of_another_key_does_not_verify_of_whatever_kind(other: KeySigner) -> None:
    sealed = seal_envelope(COMMAND, Limits(), KeySigner("k", other))  # type: ignore[arg-type]  # one key of each kind
    with pytest.raises(BadSignatureError, match="'k' does not verify as command"):
        open_envelope(COMMAND, sealed, lambda _kid: KEY.public_key())


@pytest.mark.parametrize("payload", [b"", b"{}", b"\x00", b"[]"])
def test_what_is_no_envelope_is_malformed(payload: bytes) -> None:
    with pytest.raises(MalformedMessageError, match="not a Envelope"):
        open_envelope(COMMAND, payload, lambda _kid: KEY.public_key())


LONGEST = 15.0


@pytest.mark.parametrize(
    ("issued", "expires", "why"),
    [
        (SKEW_SECONDS, SKEW_SECONDS + LONGEST, None),
        (SKEW_SECONDS + 0.5, SKEW_SECONDS + 1, "issued 60 s in the future"),
        (-5.0, 0.5, None),
        (-5.0, 0.0, "expired 0 s ago"),
        (-5.0, -3.0, "expired 3 s ago"),
        (-1.0, LONGEST - 1, None),
        (-1.0, LONGEST - 0.5, "valid for 16 s, over 15"),
        (5.0, 4.0, None),
    ],
)
def test_a_message_is_fresh_from_its_issue_to_its_end_and_not_at_it(
    issued: float, expires: float, why: str | None
) -> None:
    if why is None:
        check_fresh(NOW + issued, NOW + expires, NOW, longest=LONGEST)
        return
    with pytest.raises(StaleMessageError, match=why):
        check_fresh(NOW + issued, NOW + expires, NOW, longest=LONGEST)


@given(st.floats(0, 1e5), st.floats(0, 1e5), st.floats(0, 100), st.floats(0, 1e5))
def test_nothing_stays_fresh_for_longer_than_it_may_and_the_skew(
    issued: float, expires: float, longest: float, now: float
) -> None:
    try:
        check_fresh(issued, expires, now, longest=longest)
    except StaleMessageError:
        assert issued > now + SKEW_SECONDS or expires <= now or expires - issued > longest
    else:
        assert now < expires <= issued + longest + 1e-9
        assert now >= issued - SKEW_SECONDS


@pytest.mark.parametrize("infinite", ["1e400", "-1e400"])
def test_times_without_end_are_no_times(infinite: str) -> None:
    with pytest.raises(MalformedMessageError):
        decode(f'{{"longest":{infinite}}}'.encode(), Limits)
