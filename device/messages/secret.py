"""PURE. A string that must not be seen: its repr and str are `***`."""

from __future__ import annotations

from typing import Any, Final

MASK: Final = "***"


class Secret:
    """A credential; only `reveal()` gives the text, so that no log line, repr or traceback can."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself; call it where it is sent and nowhere else."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)


def encode_secret(value: Any) -> Any:
    """Encode hook for msgspec: reveal a secret on its way into a sealed message.

    Raises:
        NotImplementedError: the value is of another type that msgspec does not know.
    """
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(f"cannot encode {type(value).__name__}")


def decode_secret(kind: type, value: Any) -> Any:
    """Decode hook for msgspec: wrap what was received.

    Raises:
        TypeError: it is no string; the value is not told.
        NotImplementedError: the wanted type is not `Secret`.
    """
    if kind is not Secret:
        raise NotImplementedError(f"cannot decode {kind.__name__}")
    if not isinstance(value, str):
        raise TypeError(f"Expected `str`, got `{type(value).__name__}`")  # becomes a ValidationError with its place
    return Secret(value)
