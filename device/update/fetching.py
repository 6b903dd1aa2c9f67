"""A package from a server or from a file: no more bytes than its release says, and exactly those."""

from __future__ import annotations

import hashlib
import http.client
import logging
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, Protocol

from device.errors import UpdateError
from device.messages.releases import Release

_log = logging.getLogger(__name__)

CHUNK: Final = 1 << 16
SILENCE: Final = 30.0
"""Seconds without a byte after which a connection is given up, and the rest is asked for again."""

PAUSES: Final = (1.0, 5.0, 20.0, 60.0)
"""Seconds before each further try."""

Progress = Callable[[int], None]


class Source(Protocol):
    """Where a package comes from."""

    def bring(self, intake: Intake) -> None:
        """Hand over its bytes.

        Raises:
            UpdateError: they are not to be had.
        """


class Intake:
    """A file that a package is written to, and what is known of it so far."""

    def __init__(self, path: Path, release: Release, progress: Progress) -> None:
        self._path, self._release, self._progress = path, release, progress
        self._file = path.open("wb")
        self._hash = hashlib.sha256()
        self.got = 0

    @property
    def missing(self) -> int:
        """Bytes that have not come yet."""
        return self._release.size - self.got

    def take(self, chunk: bytes) -> None:
        """Take some more bytes.

        Raises:
            UpdateError: they are more than the release says, or the disk does not take them.
        """
        if len(chunk) > self.missing:
            raise UpdateError(f"the package is larger than the {self._release.size} bytes of its release")
        self._write(chunk)
        self._hash.update(chunk)
        self.got += len(chunk)
        self._progress(self.got)

    def _write(self, chunk: bytes) -> None:
        try:
            self._file.write(chunk)
            if not chunk:
                self._file.flush()
        except OSError as error:
            raise UpdateError(f"the package cannot be written: {error.strerror}") from None

    def again(self) -> None:
        """Begin from nothing."""
        self._file.seek(0)
        self._file.truncate()
        self._hash, self.got = hashlib.sha256(), 0

    def close(self) -> None:
        """Let go of the file, whatever was still to be written."""
        with suppress(OSError):
            self._file.close()

    def check(self) -> None:
        """Check that it is, byte for byte, what was released.

        Raises:
            UpdateError: it is not, or not on the disk.
        """
        self._write(b"")
        if self.missing:
            raise UpdateError(f"the package has {self.got} bytes, not the {self._release.size} of its release")
        if self._hash.hexdigest() != self._release.sha256:
            raise UpdateError("the package is not what was released: its hash is another")


class Local:
    """A package that lies here."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def bring(self, intake: Intake) -> None:
        """Copy it.

        Raises:
            UpdateError: it cannot be read, or is too large.
        """
        try:
            with self._path.open("rb") as file:
                while chunk := file.read(CHUNK):
                    intake.take(chunk)
        except OSError as error:
            raise UpdateError(f"{self._path}: {error.strerror}") from None


class Remote:
    """A package on a server; `rest` waits so many seconds between two tries."""

    def __init__(self, url: str, tls: ssl.SSLContext, rest: Callable[[float], None]) -> None:
        self._url, self._opener, self._rest = url, https_only(tls), rest

    def bring(self, intake: Intake) -> None:
        """Download it, in as many pieces as it takes.

        Raises:
            UpdateError: the server has nothing there, gives something else, or cannot be reached for minutes.
        """
        most, pauses = 0, iter(PAUSES)
        while trouble := self._trouble(intake):
            if intake.got > most:  # it goes on, however often it breaks off
                most, pauses = intake.got, iter(PAUSES)
            pause = None if _lasting(trouble) else next(pauses, None)
            if pause is None:
                raise UpdateError(f"{self._url}: {trouble}")
            _log.warning("%s: %s; again in %.0f s", self._url, trouble, pause)
            self._rest(pause)

    def _trouble(self, intake: Intake) -> Exception | None:
        """Take what comes; return why that is not all."""
        try:
            self._bring(intake)
        except urllib.error.HTTPError as error:
            error.close()  # it is the answer, too
            return error
        except (OSError, ValueError, http.client.HTTPException) as error:
            return error
        return ConnectionError(f"it ended after {intake.got} bytes") if intake.missing else None

    def _bring(self, intake: Intake) -> None:
        wanted = {"Range": f"bytes={intake.got}-"} if intake.got else {}
        request = urllib.request.Request(self._url, headers=wanted)  # noqa: S310 - its opener knows nothing but HTTPS
        with self._opener.open(request, timeout=SILENCE) as answer:
            if intake.got and not _goes_on(answer, intake.got):
                intake.again()
            for chunk in _chunks(answer):
                intake.take(chunk)


def _lasting(error: Exception) -> bool:
    """Tell whether trying again is in vain: nothing there, a server that is another, no address of ours."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code < 500 and error.code != 429
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return isinstance(reason, str | ssl.SSLCertVerificationError | ValueError)


def _goes_on(answer: http.client.HTTPResponse, at: int) -> bool:
    return answer.status == 206 and (answer.getheader("Content-Range") or "").startswith(f"bytes {at}-")


def _chunks(file: IO[bytes] | http.client.HTTPResponse) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def https_only(tls: ssl.SSLContext) -> urllib.request.OpenerDirector:
    """Return what opens HTTPS addresses, follows from one to the other, and knows no other kind of address."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.HTTPSHandler(context=tls),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def fetched(url: str, tls: ssl.SSLContext, most: int) -> bytes:
    """Return what lies at an address, in `most` bytes.

    Raises:
        UpdateError: nothing, more, or it cannot be reached.
    """
    request = urllib.request.Request(url)  # noqa: S310 - as above
    try:
        with https_only(tls).open(request, timeout=SILENCE) as answer:
            data: bytes = answer.read(most + 1)
    except urllib.error.HTTPError as error:
        error.close()
        raise UpdateError(f"{url}: {error}") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise UpdateError(f"{url}: {error}") from None
    if len(data) > most:
        raise UpdateError(f"{url}: more than {most} bytes")
    return data
