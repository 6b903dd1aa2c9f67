"""The folder of one record while it is written; for a thread, since it waits for the disk.

The manifest is there first, as `open`, and is replaced whole at the end. Everything else grows by appending. So whatever
stops the robot, what is on the disk is a record up to there, and is known to be unfinished.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from device.audio.block import Samples
from device.durably import write_durably
from device.errors import RecordError
from device.messages.record import (
    CAPTIONS,
    EVENTS,
    MANIFEST,
    Happened,
    Manifest,
    State,
    Track,
    Used,
    captions_of,
    decode_events,
    decode_manifest,
)
from device.record.tracks import Tracks, length
from device.record.trouble import explained
from device.record.webvtt import webvtt

_log = logging.getLogger(__name__)


class RecordFolder:
    """One record that is being written; every method raises `RecordError` when the disk fails.

    Args:
        shelf: where records lie; the folder is made in it, for its owner only.
        manifest: what the record is of, with its state `open`.
        bit_rate: of each sound, bit/s.
    """

    def __init__(self, shelf: Path, manifest: Manifest, bit_rate: int) -> None:
        self.path = shelf / folder_name(manifest)
        self.manifest = manifest
        with explained(str(self.path)), ExitStack() as owned:
            self.path.mkdir(mode=0o700, parents=True)
            write_manifest(self.path, manifest)
            self._events = owned.enter_context((self.path / EVENTS).open("xb", buffering=0))
            self._tracks = Tracks(self.path, bit_rate)
            self._owned = owned.pop_all()
        self._open = True

    def sound(self, block: Mapping[Track, Samples], silence: int) -> None:
        """Append one block of each sound after so many blocks of silence."""
        self._tracks.add(block, silence)

    def happened(self, event: Happened) -> None:
        """Append what happened."""
        with explained(str(self.path / EVENTS)):
            self._events.write(msgspec.json.encode(event) + b"\n")

    def close(self, manifest: Manifest) -> None:
        """Write the rest, and `manifest` at last; where the sounds cannot be written to their end, they end before."""
        self._let_go()
        with explained(str(self.path)):
            finish(self.path, manifest)

    def discard(self) -> None:
        """Delete all of it."""
        self._let_go()
        with explained(str(self.path)):
            shutil.rmtree(self.path)

    def _let_go(self) -> None:
        if not self._open:
            return
        self._open = False
        try:
            with self._owned:
                self._tracks.close()
        except RecordError as error:
            _log.warning("%s: the end is missing: %s", self.path.name, error)


def folder_name(manifest: Manifest) -> str:
    """Return the folder's name: when it began (UTC), and the first signs of the session's id."""
    began = datetime.fromtimestamp(manifest.began_at, UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{began}-{re.sub('[^0-9a-zA-Z]', '', manifest.session)[:8]}"


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put the manifest in place, whole or not at all."""
    write_durably(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a record.

    Raises:
        RecordError: there is none, or it is none.
    """
    path = folder / MANIFEST
    with explained(str(path)):
        data = path.read_bytes()
    return decode_manifest(data)


def events_of(folder: Path) -> list[Happened]:
    """Return all that happened, as far as it was written."""
    path = folder / EVENTS
    return decode_events(path.read_bytes()) if path.exists() else []


def finish(folder: Path, manifest: Manifest) -> None:
    """Write captions and manifest of a record whose sounds and events are complete.

    Raises:
        OSError: the disk fails.
    """
    captions = captions_of(events_of(folder))
    (folder / CAPTIONS).write_text(webvtt(captions, manifest.device), encoding="utf-8")
    write_manifest(folder, manifest)


def recover(folder: Path) -> Manifest:
    """Close a record that its robot could not close any more, and return what it is of.

    Raises:
        RecordError: the disk fails, or it is no record.
    """
    manifest = read_manifest(folder)
    events = events_of(folder)
    tools = [event.tool for event in events if isinstance(event, Used)]
    closed = msgspec.structs.replace(
        manifest,
        state=State.RECOVERED,
        seconds=_length(folder, events),
        end_reason="the robot stopped in the middle",
        tools={tool: tools.count(tool) for tool in tools},
    )
    with explained(str(folder)):
        finish(folder, closed)
    return closed


def _length(folder: Path, events: list[Happened]) -> float:
    try:
        return length(folder / Track.MIXED.file)
    except RecordError:  # not one page of it was written
        return max((event.at for event in events), default=0.0)
