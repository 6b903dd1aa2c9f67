"""Whatever arrives, a decoder returns a message or one documented error, and soon."""

from __future__ import annotations

import gc
import string
import time

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from device.identity import certificate_request
from device.messages.commands import Command
from device.messages.enrolment import Claim
from device.messages.envelope import COMMAND, KeySigner, seal_envelope
from device.messages.minting import MintRequest
from device.messages.reports import DeviceState, Lifecycle
from device.messages.wire import MAX_BYTES, encode
from tests.device.messages.offer import OFFER
from tests.fuzz.decoders import DECODERS, Decoder, everywhere

BOARD = generate_private_key(SECP256R1())
REQUEST = MintRequest(
    device="robot-1", nonce="0" * 32, issued_at=1.0, expires_at=2.0, reason="button", reply_key=b"k" * 32
)
HONEST = (
    encode(REQUEST),
    seal_envelope(COMMAND, REQUEST, KeySigner("robot-1", BOARD)),
    encode(DeviceState(device="robot-1", lifecycle=Lifecycle.READY)),
    certificate_request(BOARD).encode(),
    OFFER.encode(),
    str(Claim("cloud.local:8443", "ABCDE-FGH12", "0" * 64)).encode(),
    b"state_dir = 'x'\n[limits]\nsession_seconds = 60\n[[x]]\n",
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(MintRequest.__struct_fields__)), inner)
    ),
    max_leaves=8,
)
NAMES = st.text(string.ascii_lowercase + "_.-\"'[]", max_size=12)


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_no_bytes_bring_out_anything_but_the_documented_errors(data: bytes) -> None:
    everywhere(data)


@given(JSON)
@settings(max_examples=60, deadline=None)
def test_no_json_does(value: object) -> None:
    everywhere(msgspec.json.encode(value))


@given(st.lists(st.tuples(NAMES, st.sampled_from(["", "=", "= 1", "= [", "= {a = 1}", "]", "]]"]))))
@settings(max_examples=60, deadline=None)
def test_no_settings_do(lines: list[tuple[str, str]]) -> None:
    everywhere("\n".join(key + value for key, value in lines).encode())


@given(st.sampled_from(HONEST), st.integers(0, 4000), st.binary(max_size=3), st.integers(0, 3))
@settings(max_examples=120, deadline=None)
def test_no_mutation_of_what_is_honest_does(honest: bytes, place: int, put: bytes, cut: int) -> None:
    place %= len(honest)
    everywhere(honest[:place] + put + honest[place + cut :])


BRACKETS = {
    "lists": b"[" * (MAX_BYTES - 1),
    "objects": b'{"a":' * (MAX_BYTES // 5),
    "lists in a field": b'{"device":' + b"[" * 60_000,
    "settings": b"a = " + b"[" * 60_000,
    "tables in settings": b"a = " + b"{a = " * 10_000,
    "dotted": b"a" + b".a" * 3000 + b" = 1",  # tomllib takes the square of it; a settings file is its owner's
    "dotted header": b"[a" + b".a" * 3000 + b"]",
    "digits": b"a = " + b"9" * 60_000,
    "number": b"9" * 60_000,
    "too large": b"\0" * (MAX_BYTES + 1),
}


@pytest.mark.parametrize("decoder", [one for one in DECODERS if one.errors], ids=lambda one: one.name)
def test_deep_and_large_input_is_refused_at_once(decoder: Decoder) -> None:
    gc.disable()  # a process full of other tests' objects would be collected meanwhile
    try:
        for what, data in BRACKETS.items():
            before = time.thread_time()
            assert decoder.refuses(data), what
            assert time.thread_time() - before < 0.5, what
    finally:
        gc.enable()


def test_a_decoder_that_lets_another_error_out_is_caught() -> None:
    wrong = Decoder("wrong", lambda data: data.decode())
    with pytest.raises(UnicodeDecodeError):
        wrong(b"\xff")


def test_what_is_honest_is_read() -> None:
    read = {decoder.name for decoder in DECODERS for data in HONEST if decoder.errors and not decoder.refuses(data)}
    assert {"MintRequest", "DeviceState", "claim", "offer of a call"} <= read
    assert Command.__name__ not in read
