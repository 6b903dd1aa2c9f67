"""What disk and codec raise, as one error that names what was at hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import av

from device.errors import RecordError


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn what disk and codec raise into an error that says what it happened to.

    Raises:
        RecordError: `what` cannot be read or written.
    """
    try:
        yield
    except (OSError, av.FFmpegError) as error:
        raise RecordError(f"{what}: {error.strerror or error}") from error
