"""Every decoder that reads what others wrote, with the errors that it documents; anything else that comes out is a bug."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.chain import is_below
from device.config import DeviceSettings
from device.errors import (
    EnrolmentError,
    KaiwaError,
    MalformedMessageError,
    MessageError,
    RecordError,
    SettingsError,
    UpdateError,
)
from device.messages import topics
from device.messages.commands import Command, CommandStatus, Update, Use
from device.messages.enrolment import Claim, Enrolment, EnrolRequest
from device.messages.envelope import COMMAND, MINT_ANSWER, MINT_REQUEST, load_public_pem, open_envelope
from device.messages.knowledge import unpacked
from device.messages.minting import Grant, MintAnswer, MintRequest
from device.messages.offers import check_offer
from device.messages.packages import section
from device.messages.record import decode_events, decode_manifest
from device.messages.releases import Release, open_release
from device.messages.renewal import RenewalAnswer, decode_request
from device.messages.reports import DeviceState, Metrics, decode_event
from device.messages.sealing import OneTimeKey, binding, seal
from device.messages.settings import read_settings
from device.messages.wire import decode
from device.update.request import Request
from provisioning.codes import hash_code
from provisioning.enrolment import requested_key
from provisioning.homeassistant.wishes import TOPICS as WISHES
from provisioning.homeassistant.wishes import wish
from provisioning.mint_key import MintKey
from provisioning.profiles.drafts import Draft, checked
from provisioning.settings import CloudSettings

_MESSAGES: Final = (
    MintRequest, MintAnswer, Grant, Command, CommandStatus, Use, EnrolRequest, Enrolment, RenewalAnswer, DeviceState,
    Metrics, Update, Release, Request,
)  # fmt: skip
_BOARD, _MINTER, _ONCE = generate_private_key(SECP256R1()), Ed25519PrivateKey.generate(), OneTimeKey()


@dataclass(frozen=True)
class Decoder:
    """Something that takes bytes from elsewhere."""

    name: str
    decode: Callable[[bytes], object]
    errors: tuple[type[KaiwaError], ...] = (MalformedMessageError,)

    def __call__(self, data: bytes) -> None:
        """Decode `data`; raises what the decoder does not document."""
        with suppress(*self.errors):
            self.decode(data)

    def refuses(self, data: bytes) -> bool:
        """Tell whether `data` ends in a documented error."""
        try:
            self.decode(data)
        except self.errors:
            return True
        return False


def _offering(offer: bytes) -> MintRequest:
    return MintRequest(
        device="robot-1", nonce="0", issued_at=1.0, expires_at=2.0, reason="button", reply_key=b"", offer=offer
    )


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode(errors="replace"))


def _message(kind: type[Any]) -> Decoder:
    return Decoder(kind.__name__, partial(decode, kind=kind))


def _settings(kind: type[Any]) -> Decoder:
    return Decoder(kind.__name__, _text(lambda text: read_settings(text, "f.toml", kind)), (SettingsError,))


DECODERS: Final = (
    *(_message(kind) for kind in _MESSAGES),
    Decoder("event", decode_event),
    Decoder("renewal request", decode_request),
    Decoder(
        "signed request", lambda data: open_envelope(MINT_REQUEST, data, lambda _: _BOARD.public_key()), (MessageError,)
    ),
    Decoder(
        "signed answer", lambda data: open_envelope(MINT_ANSWER, data, lambda _: _MINTER.public_key()), (MessageError,)
    ),
    Decoder("command of a stranger", lambda data: open_envelope(COMMAND, data, lambda _: None), (MessageError,)),
    Decoder("sealed grant", lambda data: _ONCE.open(data, binding("robot-1", "0")), (MessageError,)),
    Decoder("sealed offer", lambda data: MintKey("mint", _MINTER).offer_of(_offering(data)), (MessageError,)),
    Decoder("offer of a call", check_offer),
    Decoder("reply key", lambda data: seal(b"", data, b"")),
    Decoder("public key", _text(load_public_pem)),
    Decoder("topic", _text(topics.device_of)),
    Decoder("wish", lambda data: wish(data[:60].decode(errors="replace"), data[-40:])),
    *(Decoder(f"wish for {place}", partial(wish, place.replace("+", "robot-1"))) for place in WISHES),
    Decoder("claim", _text(Claim.parse), (EnrolmentError,)),
    Decoder("claim code", _text(hash_code), ()),
    Decoder("certificate request", _text(requested_key), ()),
    Decoder("chain of certificates", _text(lambda text: is_below(text, text)), ()),
    Decoder("record's manifest", decode_manifest, (RecordError,)),
    Decoder("record's events", decode_events, ()),
    Decoder("release of a stranger", lambda data: open_release(data, {}), (MessageError,)),
    Decoder("package", lambda data: section(BytesIO(b"!<arch>\n" + data), "data.tar"), (UpdateError,)),
    _settings(DeviceSettings),
    _settings(CloudSettings),
    Decoder("profile", _text(lambda text: checked(Draft(text), "f.toml", {})), (SettingsError,)),
    Decoder("packed texts", unpacked),
)
"""What arrives over MQTT and HTTPS, what people type, and what files hold."""


def everywhere(data: bytes) -> None:
    """Give `data` to every decoder."""
    for decoder in DECODERS:
        decoder(data)
