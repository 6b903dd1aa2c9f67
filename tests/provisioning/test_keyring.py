"""With which of its keys a device has signed, around a renewal and after its end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from device.errors import BadSignatureError, MalformedMessageError
from device.messages.envelope import COMMAND, MINT_REQUEST, KeySigner, public_pem, seal_envelope
from provisioning.keyring import OVERLAP, Held, Standing, identify
from provisioning.policy import Status

KEYS = {name: generate_private_key(SECP256R1()) for name in ("old", "now", "next", "foreign")}


def held(name: str, **changes: object) -> Held:
    pem = public_pem(KEYS[name].public_key())
    held = Held(name, pem, issued_at=0.0, expires_at=100.0, used_at=1.0, revoked_at=None, successor=None)
    return replace(held, **changes)  # type: ignore[arg-type]  # the fields are given by name


def signed(name: str, purpose: str = MINT_REQUEST, kid: str = "robot-1") -> bytes:
    return seal_envelope(purpose, {"by": name}, KeySigner(kid, KEYS[name]))


def standing(*certificates: Held) -> Standing:
    return Standing(Status.ACTIVE, certificates)


NOW, NEXT = held("now"), held("next", used_at=None)
OLD = held("old", revoked_at=50.0, successor="now")
TAKEN = held("old", revoked_at=50.0)


def by(given: Standing, data: bytes) -> str:
    return identify(MINT_REQUEST, data, "robot-1", given)[1].serial


def test_around_a_renewal_both_keys_are_the_devices() -> None:
    both = standing(NEXT, NOW)
    assert (by(both, signed("now")), by(both, signed("next"))) == ("now", "next")
    payload, _ = identify(MINT_REQUEST, signed("now"), "robot-1", both)
    assert payload == b'{"by":"now"}'


def test_what_was_signed_with_a_key_just_replaced_is_known_as_that() -> None:
    assert by(standing(NOW, OLD), signed("old")) == "old"


def test_of_a_key_that_was_taken_away_nothing_is_known_while_there_is_another() -> None:
    with pytest.raises(BadSignatureError):
        by(standing(NOW, TAKEN), signed("old"))
    assert by(standing(TAKEN), signed("old")) == "old", "but one that has lost all can be told so"


@pytest.mark.parametrize(
    "data",
    [signed("foreign"), signed("now", purpose=COMMAND), signed("now", kid="robot-2")],
    ids=["another key", "another purpose", "another name"],
)
def test_what_somebody_else_has_signed_or_for_something_else_is_nobodys(data: bytes) -> None:
    with pytest.raises(BadSignatureError):
        by(standing(NEXT, NOW), data)


def test_a_device_without_a_key_has_signed_nothing() -> None:
    with pytest.raises(BadSignatureError, match="robot-1 has no key"):
        by(standing(), signed("now"))
    with pytest.raises(MalformedMessageError):
        by(standing(NOW), b"nonsense")


@pytest.mark.parametrize(
    ("certificate", "now", "replaced"),
    [
        (NOW, 1e9, False),
        (TAKEN, 1e9, False),
        (OLD, 50.0 + OVERLAP, False),
        (OLD, 50.1 + OVERLAP, True),
        (replace(OLD, revoked_at=None), 1e9, False),
    ],
)
def test_a_replaced_key_is_good_for_what_is_still_on_its_way(certificate: Held, now: float, replaced: bool) -> None:
    assert certificate.replaced(now) is replaced


def test_those_in_force_are_those_that_nobody_took_away() -> None:
    mixed = standing(NEXT, NOW, OLD, TAKEN)
    assert mixed.in_force == (NEXT, NOW)
    assert mixed.known == (NEXT, NOW, OLD)
    assert standing(OLD, TAKEN).known == (OLD, TAKEN)
