from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from device.errors import RecordError
from device.messages.record import MANIFEST, Track
from provisioning.replay.reading import read_record
from provisioning.replay.telling import replay_view
from provisioning.spending.prices import PriceSettings
from tests.provisioning.replay.records import SESSION, USAGE, written

Copy = Callable[[str], Path]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("robot"))


@pytest.fixture
def copied(original: Path, tmp_path: Path) -> Copy:
    """Copies the record as an operator does, under a name."""
    return lambda name: Path(shutil.copytree(original, tmp_path / name))


def test_what_a_robot_has_written_is_told_to_the_page(original: Path) -> None:
    record = read_record(original)
    view = replay_view(record, PriceSettings())
    assert (record.manifest.session, record.manifest.usage) == (SESSION, USAGE)
    assert [caption.text for caption in view.captions][:2] == [
        "What is in the blue bowl?",
        "Rice, and a little salt on top of it.",
    ]
    assert [(stood.at, stood.phase) for stood in view.phases][:3] == [
        (0.0, "listening"),
        (2.4, "thinking"),
        (3.0, "speaking"),
    ]
    assert ([used.tool for used in view.tools], [fault.code for fault in view.faults]) == (["lamp"], ["media"])
    assert [answer.total for answer in view.answers] == [820, 640]
    assert view.tracks == [Track.MIXED, Track.NEAR, Track.PLAYED]
    assert view.cost == "0.0680 USD", "1000 tokens of text in at 4, 1000 of sound out at 64 USD a million"
    assert (view.seconds, view.whole) == (12.0, True)


def test_the_folder_of_all_records_will_do_while_there_is_one(tmp_path: Path, copied: Copy) -> None:
    folder = copied("1")
    assert read_record(tmp_path).folder == folder
    copied("2")
    with pytest.raises(RecordError, match=r"2 records; name one of them, such as the newest: 2, 1"):
        read_record(tmp_path)


def test_a_record_that_was_never_closed_is_read_up_to_its_end(copied: Copy) -> None:
    folder = copied("1")
    manifest = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(manifest.replace('"closed"', '"open"').replace('"seconds": 12.0,', ""))
    (folder / Track.NEAR.file).unlink()
    view = replay_view(read_record(folder), PriceSettings())
    assert (view.seconds, view.whole, view.tracks) == (10.6, False, [Track.MIXED, Track.PLAYED])


def test_what_is_no_record_is_named(tmp_path: Path, copied: Copy) -> None:
    with pytest.raises(RecordError, match="no record; copy the folder"):
        read_record(tmp_path)
    folder = copied("1")
    (folder / MANIFEST).write_text("{}")
    with pytest.raises(RecordError, match="no manifest of a record"):
        read_record(folder)
    (folder / MANIFEST).write_text(
        '{"format": 2, "state": "closed", "session": "", "device": "", "began_at": 0, "consent": ""}'
    )
    with pytest.raises(RecordError, match="format 2"):
        read_record(folder)


def test_without_a_sound_there_is_nothing_to_play(copied: Copy) -> None:
    folder = copied("1")
    for track in Track:
        (folder / track.file).unlink()
    with pytest.raises(RecordError, match="without any of its sounds"):
        read_record(folder)
