"""Bytes to message and back at the bounds, and secrets on their way."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import EnrolmentError, MalformedMessageError
from device.messages.enrolment import Claim
from device.messages.minting import BroadcastGrant, OpenAIGrant
from device.messages.secret import MASK, Secret, decode_secret
from device.messages.wire import MAX_BYTES, Message, convert, decode, encode


class Note(Message, frozen=True):
    text: str
    number: int = 0
    secret: Secret = Secret("")


def test_a_message_of_just_the_most_bytes_is_read_and_one_more_is_not() -> None:
    data = encode(Note(text="x"))
    whole = data + b" " * (MAX_BYTES - len(data))
    assert decode(whole, Note) == Note(text="x")
    with pytest.raises(MalformedMessageError, match=f"{MAX_BYTES + 1} bytes, over {MAX_BYTES}"):
        decode(whole + b" ", Note)
    with pytest.raises(MalformedMessageError, match="over 3"):
        decode(data, Note, most=3)


def test_what_is_as_it_is_anyway_is_not_sent() -> None:
    assert encode(Note(text="a", number=0)) == b'{"text":"a"}'
    assert encode(Note(text="a", number=1)) == b'{"text":"a","number":1}'


@pytest.mark.parametrize(
    ("data", "field"),
    [(b'{"text":1}', "$.text"), (b'{"text":"a","number":"7"}', "$.number"), (b'{"text":"a","secret":7}', "$.secret")],
)
def test_what_is_wrong_is_named_by_its_field_and_never_by_its_value(data: bytes, field: str) -> None:
    with pytest.raises(MalformedMessageError, match=f"not a Note: .*{field.replace('$', '[$]')}") as caught:
        decode(data, Note)
    assert "7" not in str(caught.value)


def test_decoded_json_becomes_a_message_or_says_why_not() -> None:
    assert convert({"text": "a"}, Note) == Note(text="a")
    odd: list[object] = [{"text": "a", "more": 1}, {}, [], None, "a"]
    for value in odd:
        with pytest.raises(MalformedMessageError, match="not a Note"):
            convert(value, Note)


@given(st.text(min_size=4).filter(lambda text: text not in MASK and text not in "Secret('')"))
def test_a_secret_is_shown_by_nothing_but_reveal(text: str) -> None:
    secret = Secret(text)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:}", repr([secret]), repr({"a": secret})]
    assert all(text not in each for each in shown)
    assert secret.reveal() == text
    assert not hasattr(secret, "__dict__")


def test_secrets_are_equal_by_their_text_and_to_no_text() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert [bool(Secret("")), bool(Secret("0"))] == [False, True]
    assert copy.deepcopy(Secret("a")) == pickle.loads(pickle.dumps(Secret("a"))) == Secret("a")  # noqa: S301 - our own


def test_what_is_no_secret_is_not_taken_for_one() -> None:
    with pytest.raises(TypeError, match="Expected `str`, got `int`"):
        decode_secret(Secret, 7)
    with pytest.raises(NotImplementedError, match="cannot decode Thing"):
        decode_secret(type("Thing", (), {}), "a")
    with pytest.raises(NotImplementedError, match="cannot encode object"):
        encode([object()])


def test_a_grant_shows_nothing_that_opens_anything() -> None:
    opening = OpenAIGrant(base_url="https://x", secret=Secret("ek_1"), expires_at=1.0, model="m")
    broadcast = BroadcastGrant(signalling_urls=["wss://x"], channel_id="c", metadata={"token": "jwt"})
    assert "ek_1" not in repr(opening)
    assert repr(broadcast) == "BroadcastGrant(channel_id='c', metadata=***, video=False)"
    assert decode(encode(broadcast), BroadcastGrant) == broadcast


CLAIM = Claim("cloud.local:8443", "ABCDE-FGH12-34567", "0123456789abcdef" * 4)


@pytest.mark.parametrize("code", ["A" * 8, "Z9-" * 21 + "A"])
def test_codes_of_either_length_are_claims(code: str) -> None:
    claim = Claim("h", code, CLAIM.fingerprint)
    assert Claim.parse(str(claim)) == claim


@pytest.mark.parametrize(
    "text",
    [
        str(Claim(CLAIM.address, "A" * 7, CLAIM.fingerprint)),
        str(Claim(CLAIM.address, "A" * 65, CLAIM.fingerprint)),
        str(Claim(CLAIM.address, "abcdefgh", CLAIM.fingerprint)),
        str(Claim("", CLAIM.code, CLAIM.fingerprint)),
        str(Claim("a/b", CLAIM.code, CLAIM.fingerprint)),
        str(CLAIM)[:-1],
        str(CLAIM) + "0",
        str(CLAIM).replace("a", "A"),
        str(CLAIM).removeprefix("kaiwa:"),
        f"see {CLAIM}",
    ],
)
def test_what_is_not_copied_whole_is_no_claim(text: str) -> None:
    with pytest.raises(EnrolmentError, match="copied whole"):
        Claim.parse(text)


def test_a_message_cannot_be_changed() -> None:
    note: Any = Note(text="a")
    with pytest.raises(AttributeError):
        note.text = "b"
    assert msgspec.structs.replace(note, number=1) == Note(text="a", number=1)
