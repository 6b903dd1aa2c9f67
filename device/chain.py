"""PURE. Whether a certificate is of the fleet: signed by the authority that was pinned, or by one that this has certified."""

from __future__ import annotations

from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm


def is_below(chain: str, authority: str) -> bool:
    """Tell whether the first certificate of `chain`, by the others in their order, leads to `authority`; both in PEM.

    Between them there is at most one. When they end is not looked at. What holds no certificate leads nowhere.
    """
    try:
        leaf, *between = x509.load_pem_x509_certificates(chain.encode())
        pinned = x509.load_pem_x509_certificate(authority.encode())
    except (ValueError, x509.InvalidVersion):
        return False
    if len(between) > 1 or not all(map(_may_sign, between)):
        return False
    return all(_signed(below, above) for below, above in pairwise([leaf, *between, pinned]))


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, x509.DuplicateExtension, x509.ExtensionNotFound):
        return False


def _signed(below: x509.Certificate, above: x509.Certificate) -> bool:
    try:
        below.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
