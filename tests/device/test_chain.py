"""Which certificates are of the fleet, by whom they are signed and in which order that is shown."""

from __future__ import annotations

import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from device.chain import is_below
from provisioning.certificates import CLIENT, Issuer, root

NOW = 1_800_000_000.0


def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def authority() -> Issuer:
    own = key()
    return Issuer(own, root(own, NOW))


def below(above: Issuer) -> Issuer:
    own = key()
    return Issuer(own, above.subordinate(own.public_key(), NOW))


def robot(above: Issuer) -> Issuer:
    """Return a robot that has a certificate, and would sign others'."""
    own = key()
    return Issuer(own, above.issue(own.public_key(), "robot-1", CLIENT, [], NOW, 30))


def pem(*certificates: x509.Certificate) -> str:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates).decode()


ROOT = authority()
ISSUING = below(ROOT)
ROBOT = robot(ISSUING).certificate
PINNED = pem(ROOT.certificate)


def test_what_the_root_or_an_authority_below_it_has_signed_is_of_the_fleet() -> None:
    assert is_below(pem(robot(ROOT).certificate), PINNED)
    assert is_below(pem(ROBOT, ISSUING.certificate), PINNED)


@pytest.mark.parametrize(
    "chain",
    [
        [ROBOT],
        [ISSUING.certificate, ROBOT],
        [ROBOT, below(ROOT).certificate],
        [robot(below(authority())).certificate, ISSUING.certificate],
        [ROBOT, ISSUING.certificate, ROOT.certificate],
        [robot(below(ISSUING)).certificate, below(ISSUING).certificate],
    ],
    ids=["alone", "the other way round", "a namesake", "foreign", "with the root", "too deep"],
)
def test_whatever_does_not_lead_to_the_root_is_not(chain: list[x509.Certificate]) -> None:
    assert not is_below(pem(*chain), PINNED)


@pytest.mark.parametrize("above", [ROOT, ISSUING], ids=["the root", "below it"])
def test_a_robot_certifies_nobody(above: Issuer) -> None:
    thief = robot(above)
    between = [] if above is ROOT else [ISSUING.certificate]
    assert is_below(pem(thief.certificate, *between), PINNED)
    assert not is_below(pem(robot(thief).certificate, thief.certificate), PINNED)
    assert not is_below(pem(robot(thief).certificate, thief.certificate, *between), PINNED)


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.parametrize("altered", [0, 1], ids=["the robot's", "the issuing one"])
def test_nothing_that_a_chain_says_can_be_altered(altered: int) -> None:
    chain = [ROBOT.public_bytes(Encoding.DER), ISSUING.certificate.public_bytes(Encoding.DER)]
    assert is_below(armoured(*chain), PINNED)
    for place in range(len(chain[altered])):
        other = bytearray(chain[altered])
        other[place] ^= 1
        shown = [bytes(other) if number == altered else der for number, der in enumerate(chain)]
        if is_below(armoured(*shown), PINNED):  # the envelope of a signature has a bit that means nothing
            signed = [x509.load_der_x509_certificate(der).tbs_certificate_bytes for der in (*chain, *shown)]
            assert signed[:2] == signed[2:], place


def armoured(*ders: bytes) -> str:
    """Return certificates in PEM, whatever is in them."""
    return "".join(ssl.DER_cert_to_PEM_cert(der) for der in ders)


@pytest.mark.parametrize(("chain", "pinned"), [("nonsense", PINNED), ("", PINNED), (pem(ROBOT), "nonsense")])
def test_what_holds_no_certificate_leads_nowhere(chain: str, pinned: str) -> None:
    assert not is_below(chain, pinned)
