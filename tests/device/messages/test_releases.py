"""Releases: in which order versions stand, whose word they are, and what no release may say."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from device.errors import BadSignatureError, MalformedMessageError
from device.messages.commands import Command, Verb
from device.messages.envelope import COMMAND, KeySigner, seal_envelope
from device.messages.releases import Release, key_id, open_release, order_of, seal_release
from device.messages.wire import decode, encode

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
NAME = key_id(KEY.public_key())
SIGNER = KeySigner(NAME, KEY)
RELEASE = Release(
    product="kaiwa-device",
    version="0.3.0",
    architecture="arm64",
    python="3.11",
    size=10,
    unpacked=30,
    sha256="0" * 64,
    released_at=1.0,
)
NUMBERS = st.lists(st.integers(0, 999_999), min_size=2, max_size=4)


def said(**changes: object) -> bytes:
    fields = {name: getattr(RELEASE, name) for name in RELEASE.__struct_fields__}
    return encode(fields | changes)


def dotted(numbers: list[int]) -> str:
    return ".".join(map(str, numbers))


@given(NUMBERS, NUMBERS)
def test_versions_stand_in_the_order_of_their_numbers(one: list[int], other: list[int]) -> None:
    length = max(len(one), len(other))
    padded = [numbers + [0] * (length - len(numbers)) for numbers in (one, other)]
    assert (order_of(dotted(one)) < order_of(dotted(other))) is (padded[0] < padded[1])
    assert (order_of(dotted(one)) == order_of(dotted(other))) is (padded[0] == padded[1])


@pytest.mark.parametrize(
    ("version", "order"),
    [("0.9", (0, 9)), ("0.9.0", (0, 9)), ("0.10", (0, 10)), ("1.0.0", (1,)), ("0.0", ()), ("0.0.1", (0, 0, 1))],
)
def test_zeros_at_the_end_say_nothing_and_those_before_do(version: str, order: tuple[int, ...]) -> None:
    assert order_of(version) == order


def test_the_id_of_a_key_is_its_own_and_short() -> None:
    assert key_id(KEY.public_key()) == NAME != key_id(OTHER.public_key())
    assert len(NAME) == len("release-") + 16


def test_a_release_is_opened_by_the_key_that_signed_it_and_no_other() -> None:
    sealed = seal_release(RELEASE, SIGNER)
    assert open_release(sealed, {NAME: KEY.public_key()}) == RELEASE
    for keys in ({}, {key_id(OTHER.public_key()): OTHER.public_key()}, {NAME: OTHER.public_key()}):
        with pytest.raises(BadSignatureError):
            open_release(sealed, keys)


def test_what_the_key_has_signed_for_another_purpose_is_no_release() -> None:
    order = Command(id="1", device="robot", verb=Verb.STOP, issuer="x", issued_at=0.0, expires_at=1.0)
    for message in (order, RELEASE):
        with pytest.raises(BadSignatureError):
            open_release(seal_envelope(COMMAND, message, SIGNER), {NAME: KEY.public_key()})


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "999999.1.2.3"},
        {"size": 1, "unpacked": 1},
        {"size": 2**30, "unpacked": 2**30},
        {"python": "3.9"},
        {"python": "3.113"},
        {"back_from": "0.4"},
        {"architecture": "a" * 20},
    ],
)
def test_what_is_just_within_the_bounds_is_a_release(changes: dict[str, object]) -> None:
    assert decode(said(**changes), Release).product == "kaiwa-device"


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "1"},
        {"version": "1.2.3.4.5"},
        {"version": "1.1234567"},
        {"version": "1.2\n"},
        {"version": "1.2-rc1"},
        {"version": "1..2"},
        {"version": ".1.2"},
        {"version": "../1.2"},
        {"size": 0},
        {"size": 2**30 + 1},
        {"unpacked": 0},
        {"unpacked": 2**30 + 1},
        {"size": 1.5},
        {"sha256": "0" * 63},
        {"sha256": "0" * 65},
        {"sha256": "A" * 64},
        {"sha256": "0" * 64 + "\n"},
        {"python": "4.0"},
        {"python": "3."},
        {"python": "3.11\n"},
        {"python": "3.1111"},
        {"architecture": ""},
        {"architecture": "arm 64"},
        {"architecture": "a" * 21},
        {"back_from": "x"},
        {"extra": 1},
    ],
)
def test_what_is_beyond_them_is_none(changes: dict[str, object]) -> None:
    with pytest.raises(MalformedMessageError, match="not a Release"):
        decode(said(**changes), Release)
