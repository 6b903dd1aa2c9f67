"""Mandates: what they allow, and whose word they are."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.errors import BadSignatureError, MalformedMessageError, MessageError
from device.messages.commands import Command, Verb
from device.messages.envelope import COMMAND, KeySigner, PublicKey, public_pem, seal_envelope
from device.messages.mandates import MANDATE, Mandate, MandatedOrder, Order, open_order, seal_order
from device.messages.wire import decode, encode

NOW = 1_800_000_000.0
ROOT, ANNA, EVE = (Ed25519PrivateKey.generate() for _ in range(3))
ADMIN = KeySigner("operator-admin", ROOT)
BY_ANNA = KeySigner("operator-anna", ANNA)


def find(kid: str) -> PublicKey | None:
    return ROOT.public_key() if kid == "operator-admin" else None


def mandate(**changes: object) -> Mandate:
    fields: dict[str, object] = {
        "operator": "operator-anna",
        "key": public_pem(ANNA.public_key()),
        "may": [Verb.STOP],
        "tools": ["mute"],
        "robots": ["robot"],
        "per_minute": 2,
        "issued_at": NOW,
        "expires_at": NOW + 3600,
    }
    return Mandate(**(fields | changes))  # type: ignore[arg-type]  # the fields are given by name


def command(verb: Verb = Verb.STOP, tool: str = "", **changes: object) -> Command:
    fields: dict[str, object] = {
        "id": "a1",
        "device": "robot",
        "verb": verb,
        "issuer": "operator-anna",
        "issued_at": NOW,
        "expires_at": NOW + 10,
        "args": {"tool": tool} if tool else {},
    }
    return Command(**(fields | changes))  # type: ignore[arg-type]  # the fields are given by name


def sealed(given: Mandate | None = None, signer: KeySigner = ADMIN, purpose: str = MANDATE) -> bytes:
    return seal_envelope(purpose, given or mandate(), signer)


def test_an_order_with_a_mandate_is_opened_by_whom_its_giver_is_known() -> None:
    assert open_order(seal_order(command(), BY_ANNA, sealed()), find) == Order(command(), mandate())
    own = command(issuer="operator-admin")
    assert open_order(seal_order(own, ADMIN), find) == Order(own)


@pytest.mark.parametrize(
    ("order", "now", "why"),
    [
        (command(), NOW, ""),
        (command(Verb.USE, "mute"), NOW, ""),
        (command(Verb.USE, "say"), NOW, "operator-anna may not use say, only: stop, mute"),
        (command(Verb.USE), NOW, "operator-anna may not use, only: stop, mute"),
        (command(Verb.START), NOW, "operator-anna may not start, only: stop, mute"),
        (command(device="other"), NOW, "operator-anna may not order other"),
        (command(), NOW + 3600, "the rights of operator-anna are not in force at this time"),
        (command(), NOW - 61, "the rights of operator-anna are not in force at this time"),
    ],
)
def test_a_mandate_allows_what_it_names_and_nothing_else(order: Command, now: float, why: str) -> None:
    assert mandate().objection(order, now) == why


def test_use_covers_every_tool_and_a_star_every_robot() -> None:
    wide = mandate(may=[Verb.USE], tools=[], robots=["*"])
    assert wide.objection(command(Verb.USE, "say", device="any"), NOW) == ""
    assert wide.objection(command(Verb.STOP), NOW) != ""


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (seal_order(command(), KeySigner("operator-anna", EVE), sealed()), BadSignatureError),
        (seal_order(command(), KeySigner("operator-eve", ANNA), sealed()), BadSignatureError),
        (seal_order(command(), BY_ANNA, sealed(signer=BY_ANNA)), BadSignatureError),
        (seal_order(command(), BY_ANNA, sealed(signer=KeySigner("operator-admin", ANNA))), BadSignatureError),
        (seal_order(command(), BY_ANNA, sealed(purpose=COMMAND)), BadSignatureError),
        (seal_order(command(), BY_ANNA), BadSignatureError),
        (seal_order(command(issuer="operator-admin"), BY_ANNA, sealed()), MalformedMessageError),
        (seal_order(command(issuer="operator-admin"), ADMIN, sealed(mandate(operator="operator-admin"))), MessageError),
        (seal_order(command(), BY_ANNA, b"{}"), MalformedMessageError),
        (encode(MandatedOrder(order=b"{}", mandate=sealed())), MalformedMessageError),
    ],
)
def test_what_is_not_signed_by_both_is_no_order(payload: bytes, error: type[MessageError]) -> None:
    with pytest.raises(error):
        open_order(payload, find)


def test_no_byte_of_an_order_with_a_mandate_can_be_altered() -> None:
    whole = decode(seal_order(command(), BY_ANNA, sealed()), MandatedOrder)
    for name in ("order", "mandate"):
        part = getattr(whole, name)
        for place in range(0, len(part), 7):
            spoilt = part[:place] + bytes([part[place] ^ 1]) + part[place + 1 :]
            parts = {"order": whole.order, "mandate": whole.mandate} | {name: spoilt}
            try:
                opened = open_order(encode(MandatedOrder(**parts)), find)
            except MessageError:
                continue
            assert opened == Order(command(), mandate()), "base64 has padding bits that say nothing"
