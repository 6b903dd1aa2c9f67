"""PURE. Reaching aiortc's private parts: by name, checked, with one clear error when a name is gone; and at once."""

from __future__ import annotations

from collections.abc import Coroutine
from sys import intern
from typing import Any

from device.errors import MediaError


def mangled(owner: object, private: str) -> str:
    """Return the name under which `owner`'s class keeps its attribute `__private`.

    Raises:
        MediaError: there is no such attribute, so this version of the library cannot be mended.
    """
    for kind in type(owner).__mro__:
        name = intern(f"_{kind.__name__.lstrip('_')}__{private}")  # a new text each time fills the interpreter's caches
        if hasattr(owner, name):
            return name
    raise MediaError(f"{type(owner).__module__}.{type(owner).__name__} has no __{private} any more; use aiortc 1.16")


def part(owner: object, private: str) -> Any:
    """Return `owner`'s attribute `__private`.

    Raises:
        MediaError: there is no such attribute.
    """
    return getattr(owner, mangled(owner, private))


def at_once(work: Coroutine[Any, Any, None]) -> bool:
    """Run to its end what is a coroutine but does not wait, as aiortc's way to and from a UDP socket; False if it waits.

    What waits is given up. Whatever it raises comes out of here.
    """
    try:
        work.send(None)
    except StopIteration:
        return True
    work.close()
    return False
