"""A record as it was copied from a robot: found, read, and checked for its sounds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.errors import RecordError
from device.messages.record import EVENTS, MANIFEST, Happened, Manifest, Track, decode_events, decode_manifest

MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Record:
    """What is in the folder of a record."""

    folder: Path
    manifest: Manifest
    events: list[Happened]
    tracks: tuple[Track, ...]
    """The sounds that are there; not all may have been copied."""


def read_record(folder: Path) -> Record:
    """Return the record in `folder`, or the only one in a folder of records.

    Raises:
        RecordError: there is none, there are several, or it cannot be read; the text says which or why.
    """
    if not (folder / MANIFEST).is_file():
        folder = _only(folder)
    try:
        manifest = decode_manifest((folder / MANIFEST).read_bytes())
        events = decode_events((folder / EVENTS).read_bytes()) if (folder / EVENTS).exists() else []
    except OSError as error:
        raise RecordError(f"{folder}: {error.strerror}") from None
    tracks = tuple(track for track in Track if (folder / track.file).is_file())
    if not tracks:
        raise RecordError(f"{folder}: a record without any of its sounds; copy the whole folder")
    return Record(folder, manifest, events, tracks)


def _only(folder: Path) -> Path:
    records = sorted(path.parent for path in folder.glob(f"*/{MANIFEST}"))
    if not records:
        raise RecordError(f"{folder}: no record; copy the folder of one from a robot, or the folder of all")
    if len(records) > 1:
        newest = ", ".join(path.name for path in records[: -MOST_NAMED - 1 : -1])
        raise RecordError(f"{folder}: {len(records)} records; name one of them, such as the newest: {newest}")
    return records[0]
