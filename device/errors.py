"""PURE. Every error that Kaiwa raises on purpose.

KaiwaError
├── SettingsError           a TOML file that cannot be used: file, line, key
│   └── ToolError           a function that cannot be offered to the model: file, line, name
├── MessageError            a message that must not be acted on
│   ├── MalformedMessageError
│   ├── BadSignatureError
│   ├── StaleMessageError
│   └── MisaddressedError
├── EnrolmentError          the claim was not accepted, or this device is not enrolled
├── BrokerError             MQTT cannot be used
├── StoreError              the cloud's store cannot be used
├── MintError               the cloud refused a session: code, retry_after
├── RenewalError            the certificate was not renewed: code, retry_after
├── SoundError              no sound card, or one that cannot do what is needed
├── CodecError              libopus is missing or refuses its settings
├── RecordError             the record of a conversation cannot be written or read
├── UpdateError             a version that is not taken over: why
├── PanelError              button or lights cannot be used
├── MediaError              a WebRTC connection did not come up or went silent
├── UpstreamError           an HTTP service answered with an error: status, code
└── SignallingError         the Sora side closed or spoke nonsense: code, reason
"""

from __future__ import annotations


class KaiwaError(Exception):
    """The root of the family; its text is fit for a person to read."""


class SettingsError(KaiwaError, ValueError):
    """A settings file is missing, malformed, or has an unknown or wrong key."""

    def __init__(self, path: str, reason: str, *, line: int | None = None, key: str | None = None) -> None:
        self.path, self.line, self.key, self.reason = path, line, key, reason
        where = path if line is None else f"{path}:{line}"
        super().__init__(f"{where}: {f'`{key}`: ' if key else ''}{reason}")


class ToolError(SettingsError):
    """A file of tools that fails, or a function in it that cannot be said to a model; `key` is the function's name."""


class MessageError(KaiwaError, ValueError):
    """A message that must not be acted on."""


class MalformedMessageError(MessageError):
    """A payload that does not decode to the message its topic carries."""


class BadSignatureError(MessageError):
    """A payload whose signature does not verify with the key it names."""


class StaleMessageError(MessageError):
    """A payload that was issued in the future, or whose time is over."""


class MisaddressedError(MessageError):
    """A payload that speaks for, or to, another device than its topic does."""


class EnrolmentError(KaiwaError):
    """A claim that was not accepted, or a device that has not been enrolled."""


class BrokerError(KaiwaError, ConnectionError):
    """The MQTT broker cannot be reached or refuses this identity."""


class StoreError(KaiwaError):
    """The cloud's store cannot be read or written: locked, full, unreachable, or of another version."""


class MintError(KaiwaError):
    """The cloud refused a session."""

    def __init__(self, code: str, text: str, retry_after: float | None = None) -> None:
        self.code, self.retry_after = code, retry_after
        super().__init__(f"{code}: {text}")


class RenewalError(KaiwaError):
    """The certificate was not renewed this time; the one in use stays good until its end."""

    def __init__(self, code: str, text: str, retry_after: float | None = None) -> None:
        self.code, self.retry_after = code, retry_after
        super().__init__(f"{code}: {text}")


class SoundError(KaiwaError, OSError):
    """No sound card, or one that cannot do 48 kHz mono."""


class CodecError(KaiwaError, OSError):
    """The system's libopus, or the encoder of the picture, is missing or refuses what it was told."""


class RecordError(KaiwaError):
    """The record of a conversation cannot be written or read; the text names the file."""


class UpdateError(KaiwaError):
    """A version that is not taken over; the text says why, and the one that runs goes on."""


class PanelError(KaiwaError, OSError):
    """The pins of button and lights cannot be used."""


class MediaError(KaiwaError, ConnectionError):
    """A WebRTC connection that did not come up in time, or that went silent."""


class UpstreamError(KaiwaError):
    """An HTTP service answered with something else than what was asked for."""

    def __init__(self, service: str, status: int | None, code: str, text: str) -> None:
        self.service, self.status, self.code = service, status, code
        super().__init__(f"{service}: {status or 'no answer'} {code}: {text}")


class SignallingError(KaiwaError, ConnectionError):
    """The Sora side closed the signalling connection, or spoke nonsense."""

    def __init__(self, code: int, reason: str) -> None:
        self.code, self.reason = code, reason
        super().__init__(f"signalling closed: {code} {reason}")


def first_of(group: BaseExceptionGroup) -> KaiwaError | None:
    """Return the first error of this family in `group`, as one would be told of it; None if there is another kind."""
    ours, others = group.split(KaiwaError)
    found: BaseException | None = ours
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found if others is None and isinstance(found, KaiwaError) else None
