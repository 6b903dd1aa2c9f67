"""Looks at the records that lie on this robot, and at the room for more."""

from __future__ import annotations

from pathlib import Path

from device.doctor.checks.records import RecordFacts
from device.errors import RecordError
from device.record.settings import RecordSettings
from device.record.shelf import Shelf


def gather(settings: RecordSettings, state_dir: Path) -> RecordFacts:
    """Return what is kept and may be kept here."""
    shelf = Shelf(settings, state_dir)
    try:
        stock = shelf.stock()
        if settings.active:
            shelf.check_room()
    except RecordError as error:
        return RecordFacts(str(shelf.path), settings.keep, settings.consent, settings.days, 0, 0, str(error))
    return RecordFacts(str(shelf.path), settings.keep, settings.consent, settings.days, stock.records, stock.size, "")
