"""Where the records of this robot lie: what is there, what must go, and what was left open; for a thread."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.durably import make_folder
from device.errors import RecordError
from device.messages.record import MANIFEST, Manifest, State
from device.record.folder import read_manifest, recover
from device.record.retention import Kept, outlived
from device.record.settings import RecordSettings
from device.record.trouble import explained

_log = logging.getLogger(__name__)

MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Stock:
    """What lies on a shelf."""

    records: int
    size: int
    """Bytes."""


class Shelf:
    """The folder of all records; every method raises `RecordError` when the disk fails."""

    def __init__(self, settings: RecordSettings, state_dir: Path) -> None:
        self._settings = settings
        self.path = Path(settings.folder) if settings.folder else state_dir / "records"

    def stock(self) -> Stock:
        """Return how much lies here."""
        kept = [record for record, _ in self._kept()]
        return Stock(len(kept), sum(record.size for record in kept))

    def close_left_open(self) -> None:
        """Close what a crash or a power cut has left open."""
        for record, manifest in self._kept():
            if manifest.state is State.OPEN:
                try:
                    recover(self.path / record.name)
                    _log.warning("record %s was left open, and is closed now", record.name)
                except RecordError as error:
                    _log.warning("record %s stays open: %s", record.name, error)

    def clear(self, now: float) -> None:
        """Delete what is too old or too much at `now` (Unix seconds); one that is being written stays."""
        closed = [record for record, manifest in self._kept() if manifest.state is not State.OPEN]
        most = self._settings.most_megabytes * MEGABYTE
        for name in outlived(closed, now, self._settings.days, most):
            with explained(str(self.path / name)):
                shutil.rmtree(self.path / name)
            _log.info("record %s is deleted: its time or its room is over", name)

    def check_room(self) -> None:
        """Make sure that there is room for more.

        Raises:
            RecordError: less is free than must stay so.
        """
        with explained(str(self.path)):
            make_folder(self.path)
            disk = os.statvfs(self.path)
        free = disk.f_bavail * disk.f_frsize / MEGABYTE
        if free < self._settings.spare_megabytes:
            raise RecordError(f"{self.path}: {free:.0f} MB free, and {self._settings.spare_megabytes} MB must stay so")

    def _kept(self) -> Iterator[tuple[Kept, Manifest]]:
        """Yield each record; what is none of ours is left alone."""
        with explained(str(self.path)):
            folders = sorted(path.parent for path in self.path.glob(f"*/{MANIFEST}"))
        for folder in folders:
            try:
                manifest = read_manifest(folder)
                size = sum(file.stat().st_size for file in folder.iterdir())
            except (RecordError, OSError) as error:
                _log.warning("not a record that can be read: %s", error)
                continue
            yield Kept(folder.name, manifest.began_at, size), manifest
