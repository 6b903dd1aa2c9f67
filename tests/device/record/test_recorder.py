"""Records on a real disk: what was heard and said is in them, and whatever stops the robot, they can be read."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
import pytest

from device.audio.block import RATE
from device.messages.record import CAPTIONS, EVENTS, Failed, Manifest, Said, State, Track, Used
from device.messages.reports import Speaker
from device.record.folder import RecordFolder, events_of, read_manifest, write_manifest
from device.record.recorder import MOST_BLOCKS, Recorder, recording
from device.record.settings import RecordSettings
from device.record.shelf import Shelf
from tests.device.record.shelves import POSTED, decoded, frequency, manifest, silent, sing, tone
from tests.eventually import eventually

SAID = Said(at=0.9, id="c1", speaker=Speaker.ASSISTANT, text="Hello.", start=0.2, end=0.8)
ENDED = msgspec.structs.replace(manifest(), end_reason="button", usage={"responses": 1})


def kept(shelf: Shelf) -> list[Path]:
    """The folders of all records."""
    return sorted(shelf.path.iterdir()) if shelf.path.is_dir() else []


@asynccontextmanager
async def begun(shelf: Shelf, settings: RecordSettings = POSTED) -> AsyncIterator[Recorder]:
    """A recorder that writes the record of one session."""
    async with recording(settings, shelf) as recorder:
        assert recorder
        recorder.begin(manifest(), 0.0)
        yield recorder


def state_of(folder: Path) -> State:
    return read_manifest(folder).state


async def test_a_record_holds_three_sounds_in_step_words_and_what_happened(tmp_path: Path) -> None:
    shelf = Shelf(POSTED, tmp_path)
    async with begun(shelf) as recorder:
        sing(recorder, 50)
        recorder.happened(SAID)
        recorder.end(ENDED)
    (folder,) = kept(shelf)
    assert folder.name == "20270115T080000Z-abababab"
    assert folder.stat().st_mode & 0o777 == 0o700
    found = read_manifest(folder)
    assert (found.state, found.seconds, found.end_reason, found.lost_blocks) == (State.CLOSED, 1.0, "button", 0)
    assert events_of(folder) == [SAID]
    assert "00:00:00.200 --> 00:00:00.800\n<v hana>Hello." in (folder / CAPTIONS).read_text()
    for track, hertz in ((Track.NEAR, 300), (Track.PLAYED, 600), (Track.MIXED, 1200)):
        sound = decoded(folder / track.file)
        assert sound.size / RATE == pytest.approx(1.0, abs=0.03)
        assert frequency(sound) == pytest.approx(hertz, abs=5)


async def test_silence_stands_where_blocks_were_lost(tmp_path: Path) -> None:
    shelf = Shelf(POSTED, tmp_path)
    async with begun(shelf) as recorder:
        sing(recorder, 25)
        sing(recorder, 25, first=75)
        recorder.end(ENDED)
    (folder,) = kept(shelf)
    sound = decoded(folder / Track.NEAR.file)
    assert sound.size / RATE == pytest.approx(2.0, abs=0.03)
    assert silent(sound[RATE * 6 // 10 : RATE * 14 // 10])
    assert not silent(sound[RATE * 16 // 10 :])
    assert (read_manifest(folder).seconds, read_manifest(folder).lost_blocks) == (2.0, 50)


async def test_a_disk_that_is_too_slow_costs_blocks_and_no_waiting(tmp_path: Path) -> None:
    recorder = Recorder(POSTED, Shelf(POSTED, tmp_path))
    recorder.begin(manifest(), 0.0)
    sing(recorder, MOST_BLOCKS + 3)
    assert recorder.dropped == 3


@pytest.mark.parametrize(
    "settings",
    [RecordSettings(), RecordSettings(keep=True), RecordSettings(consent="posted"), RecordSettings(days=1.0)],
)
async def test_without_wish_or_consent_nothing_is_written(tmp_path: Path, settings: RecordSettings) -> None:
    async with recording(settings, Shelf(settings, tmp_path)) as recorder:
        assert recorder is None
    assert kept(Shelf(POSTED, tmp_path)) == []


async def test_what_is_taken_back_is_gone(tmp_path: Path) -> None:
    shelf = Shelf(POSTED, tmp_path)
    async with begun(shelf) as recorder:
        sing(recorder, 5)
        recorder.discard()
        sing(recorder, 5)
        recorder.end(ENDED)
    assert kept(shelf) == []


async def test_what_is_taken_back_is_gone_even_if_it_had_failed(tmp_path: Path) -> None:
    shelf = Shelf(POSTED, tmp_path)
    async with begun(shelf) as recorder:
        with files_no_longer_than(9_000):
            sing(recorder, 300)
            await eventually(lambda: asyncio.sleep(0, not recorder.keeps))
        assert kept(shelf)
        recorder.discard()
    assert kept(shelf) == []


async def test_a_full_disk_ends_the_record_and_nothing_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    greedy = msgspec.structs.replace(POSTED, spare_megabytes=10**9)
    shelf = Shelf(greedy, tmp_path)
    async with begun(shelf, greedy) as recorder:
        sing(recorder, 5)
        recorder.end(ENDED)
        await eventually(lambda: asyncio.sleep(0, not recorder.keeps))
    assert kept(shelf) == []
    assert "must stay so" in caplog.text


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """Let every write beyond `size` bytes of a file fail, as on a full disk."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


async def test_sounds_that_cannot_be_written_leave_a_record_up_to_there(tmp_path: Path) -> None:
    shelf = Shelf(POSTED, tmp_path)
    async with begun(shelf) as recorder:
        with files_no_longer_than(9_000):
            sing(recorder, 300)
            await eventually(lambda: asyncio.sleep(0, not recorder.keeps))
        recorder.end(ENDED)
    (folder,) = kept(shelf)
    assert read_manifest(folder).end_reason.startswith("recording failed: the sounds: ")
    assert read_manifest(folder).state is State.CLOSED
    assert not silent(decoded(folder / Track.NEAR.file))


async def test_a_record_that_a_power_cut_left_open_is_closed_at_the_next_start(tmp_path: Path) -> None:
    shelf = Shelf(POSTED, tmp_path)
    lost = RecordFolder(shelf.path, manifest(), 32_000)
    for number in range(300):
        lost.sound({track: tone(440, number) for track in Track}, 0)
    lost.happened(SAID)
    lost.happened(Used(at=1.0, tool="lamp", arguments="{}", ok=True, outcome="{}", seconds=0.1))
    with (lost.path / EVENTS).open("ab") as file:
        file.write(b'{"type":"caption","at":1.')  # the power goes here
    sounds = {track: (lost.path / track.file).read_bytes() for track in Track}
    lost.close(lost.manifest)
    for track, sound in sounds.items():  # as the files were when the power went
        (lost.path / track.file).write_bytes(sound)
    (lost.path / CAPTIONS).unlink()

    async with recording(POSTED, shelf):
        found = read_manifest(lost.path)
    assert (found.state, found.tools) == (State.RECOVERED, {"lamp": 1})
    assert 4.0 <= found.seconds <= 6.0
    assert "Hello." in (lost.path / CAPTIONS).read_text()
    assert frequency(decoded(lost.path / Track.MIXED.file)) == pytest.approx(440, abs=5)


@pytest.mark.parametrize("settings", [POSTED, RecordSettings()])
async def test_what_is_too_old_is_deleted_at_the_start_and_what_is_no_record_is_left_alone(
    tmp_path: Path, settings: RecordSettings
) -> None:
    shelf, now = Shelf(settings, tmp_path), time.time()
    for session, age in (("old", 40), ("new", 20)):
        record = RecordFolder(shelf.path, manifest(session, now - age * 86_400), 32_000)
        record.close(msgspec.structs.replace(record.manifest, state=State.CLOSED))
    (shelf.path / "holiday").mkdir()
    (shelf.path / "strange").mkdir()
    (shelf.path / "strange" / "manifest.json").write_text("{}")
    async with recording(settings, shelf):
        await eventually(lambda: asyncio.sleep(0, len(kept(shelf)) == 3))
    assert [path.name.rpartition("-")[2] for path in kept(shelf)] == ["new", "holiday", "strange"]
    assert shelf.stock().records == 1
    assert shelf.stock().size > 0


def test_a_record_of_a_later_version_is_read_and_what_is_new_in_it_passed_over(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(
        msgspec.json.encode(msgspec.to_builtins(manifest()) | {"smell": "coffee", "format": 1})
    )
    assert read_manifest(tmp_path) == manifest()
    failed = Failed(at=1.0, code="media", text="gone")
    lines = [b'{"type":"odour","at":1.0}', msgspec.json.encode(failed)]
    (tmp_path / EVENTS).write_bytes(b"\n".join(lines))
    assert events_of(tmp_path) == [failed]


def test_a_manifest_is_replaced_whole(tmp_path: Path) -> None:
    write_manifest(tmp_path, manifest())
    closed: Manifest = msgspec.structs.replace(manifest(), state=State.CLOSED)
    write_manifest(tmp_path, closed)
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]
    assert state_of(tmp_path) is State.CLOSED
