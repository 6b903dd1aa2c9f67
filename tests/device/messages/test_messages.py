"""Messages: what goes out comes in, nothing else does, and secrets are not seen."""

from __future__ import annotations

from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from hypothesis import given
from hypothesis import strategies as st

from device.errors import (
    BadSignatureError,
    EnrolmentError,
    KaiwaError,
    MalformedMessageError,
    SettingsError,
    StaleMessageError,
)
from device.messages import topics
from device.messages.enrolment import Claim
from device.messages.envelope import (
    COMMAND,
    MINT_REQUEST,
    Envelope,
    KeySigner,
    check_fresh,
    load_public_pem,
    open_envelope,
    public_pem,
    seal_envelope,
)
from device.messages.minting import Grant, Limits, OpenAIGrant
from device.messages.reports import Caption, Speaker, decode_event
from device.messages.sealing import OneTimeKey, binding, seal
from device.messages.secret import Secret
from device.messages.settings import Settings, read_settings
from device.messages.wire import MAX_BYTES, decode, encode

GRANT = Grant(
    session="s", openai=OpenAIGrant(base_url="http://localhost/v1", secret=Secret("ek_1"), expires_at=1.0, model="m")
)


def test_a_secret_shows_nowhere_but_on_the_wire() -> None:
    assert "ek_1" not in f"{GRANT} {GRANT!r} {GRANT.openai.secret}"
    assert decode(encode(GRANT), Grant) == GRANT


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_our_error(data: bytes) -> None:
    for kind in (Grant, Envelope, Caption):
        with suppress(MalformedMessageError):
            assert isinstance(decode(data, kind), kind)


@pytest.mark.parametrize("data", [b'{"session":"s","extra":1}', b"[" * 100_000, b"{}" + b" " * MAX_BYTES, b"\xff"])
def test_odd_payloads_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        decode(data, Limits)


@given(st.text(max_size=200), st.floats(0, 9.9e10))
def test_captions_survive_the_wire(text: str, start: float) -> None:
    caption = Caption(session="s", id="1", speaker=Speaker.USER, text=text, start=start, end=start)
    assert decode_event(encode(caption)) == caption


@pytest.mark.parametrize("key", [Ed25519PrivateKey.generate(), generate_private_key(SECP256R1())])
def test_an_envelope_opens_for_its_purpose_only(key: Ed25519PrivateKey) -> None:
    data = seal_envelope(COMMAND, Limits(), KeySigner("k", key))
    assert decode(open_envelope(COMMAND, data, lambda _kid: key.public_key()), Limits) == Limits()
    with pytest.raises(BadSignatureError):
        open_envelope(MINT_REQUEST, data, lambda _kid: key.public_key())
    with pytest.raises(BadSignatureError, match="unknown key"):
        open_envelope(COMMAND, data, lambda _kid: None)


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_no_altered_payload_opens(position: int, change: int) -> None:
    key = Ed25519PrivateKey.generate()
    sent = decode(seal_envelope(COMMAND, Limits(), KeySigner("k", key)), Envelope)
    payload = bytearray(sent.payload)
    payload[position % len(payload)] ^= change
    forged = encode(Envelope(payload=bytes(payload), kid=sent.kid, sig=sent.sig))
    with pytest.raises(BadSignatureError):
        open_envelope(COMMAND, forged, lambda _kid: key.public_key())


def test_public_keys_travel_as_pem_and_only_ours_are_taken() -> None:
    key = Ed25519PrivateKey.generate().public_key()
    assert public_pem(load_public_pem(public_pem(key))) == public_pem(key)
    foreign = generate_rsa(65537, 2048).public_key()
    with pytest.raises(MalformedMessageError, match="not a key that Kaiwa uses"):
        load_public_pem(public_pem(foreign))  # type: ignore[arg-type]  # that it is foreign is the point
    with pytest.raises(MalformedMessageError, match="not a public key"):
        load_public_pem("nonsense")


@pytest.mark.parametrize(
    ("issued", "expires", "fresh"),
    [(0, 10, True), (-5, 5, True), (50, 60, True), (61, 70, False), (-20, -1, False), (0, 16, False)],
)
def test_freshness(issued: float, expires: float, fresh: bool) -> None:
    now = 1e9
    if fresh:
        check_fresh(now + issued, now + expires, now, longest=15)
    else:
        with pytest.raises(StaleMessageError):
            check_fresh(now + issued, now + expires, now, longest=15)


def test_a_sealed_answer_opens_with_its_key_and_binding_only() -> None:
    key, other = OneTimeKey(), OneTimeKey()
    sealed = seal(b"secret", key.public, binding("d", "n"))
    assert len(sealed) == len(b"secret") + 48
    assert key.open(sealed, binding("d", "n")) == b"secret"
    for opener, info, data in (
        (key, binding("d", "x"), sealed),
        (other, binding("d", "n"), sealed),
        (key, binding("d", "n"), sealed[:-1]),
        (key, binding("d", "n"), b""),
    ):
        with pytest.raises(BadSignatureError):
            opener.open(data, info)
    with pytest.raises(MalformedMessageError):
        seal(b"", b"short", b"")


def test_topics_name_their_device() -> None:
    for topic in (topics.state("a"), topics.mint_request("a"), topics.command_status("a", "1")):
        assert topics.device_of(topic) == "a"
    for topic in ("kaiwa/v1/a", "kaiwa/v2/a/state", "", "kaiwa/v1//state"):
        with pytest.raises(MalformedMessageError):
            topics.device_of(topic)


def test_a_claim_reads_as_it_is_written() -> None:
    claim = Claim("cloud.local:8443", "ABCDE-FGH12", "0" * 64)
    assert Claim.parse(f" {claim}\n") == claim
    for text in ("", "kaiwa:host/code#00", "ABCDE-FGH12"):
        with pytest.raises(EnrolmentError, match="copied whole"):
            Claim.parse(text)


class Sound(Settings, frozen=True):
    rate: int = 48_000


class File(Settings, frozen=True):
    name: str = ""
    sound: Sound = Sound()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[sound]\nrat = 1", "f.toml:2: `sound.rat`: unknown key; did you mean `rate`?"),
        ("\n\n[sound]\nrate = 'x'", "f.toml:4: `sound.rate`: Expected `int`, got `str`"),
        ("zzz = 1", "f.toml:1: `zzz`: unknown key; known here: name, sound"),
        ("sound.rat = 1", "f.toml:1: `sound.rat`: unknown key; did you mean `rate`?"),
        ("[sond]\nrate = 1", "f.toml:1: `sond`: unknown key; did you mean `sound`?"),
    ],
)
def test_a_mistake_in_a_settings_file_is_told_with_file_line_and_key(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(text, "f.toml", File)
    assert str(caught.value) == said
    assert isinstance(caught.value, KaiwaError)


def test_settings_that_are_not_toml_name_the_line() -> None:
    with pytest.raises(SettingsError, match=r"f\.toml:2: not TOML"):
        read_settings("name = 'a'\nname = \n", "f.toml", File)


def test_settings_are_read() -> None:
    assert read_settings("name = 'a'\n[sound]\nrate = 8000", "f.toml", File) == File(name="a", sound=Sound(rate=8000))
