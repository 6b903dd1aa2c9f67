from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import heartbeat as heartbeat_module
from device import phase as p
from device import supervision
from device.audio.block import SILENCE, BlockSink
from device.audio.echo import NoEchoControl
from device.broadcast.air import Airing
from device.broadcast.delay import Moment, Stance
from device.heartbeat import PATIENCE, Heartbeat
from device.messages.reports import Levels
from device.rtc.sending import OpusSender
from device.soundcard.lasting import LastingCard
from device.soundcard.opening import open_card
from device.soundcard.room_card import RoomCard
from device.soundcard.settings import SoundSettings
from device.supervision import PASSING_SECONDS, Standstill, check, lacking, progress, supervise
from device.voice import VoicePath
from tests.device.rtc.loopback import loopback, stay_at_home
from tests.device.soundcard.listening import Asked, Listener

ALIVE: dict[str, float | None] = {"captured": 1.0, "played": 1.0, "sent": 1.0, "broadcast": 1.0}


@given(st.lists(st.floats(0.1, 100.0), min_size=1, max_size=20))
def test_what_grows_never_stalls(gaps: list[float]) -> None:
    heartbeat, now = Heartbeat(), 0.0
    for count, gap in enumerate(gaps):
        now += gap
        assert heartbeat.stalled(dict.fromkeys(ALIVE, float(count)), now) == []


@pytest.mark.parametrize("name", ALIVE)
def test_what_stands_still_stalls_after_its_patience(name: str) -> None:
    heartbeat = Heartbeat()
    assert heartbeat.stalled(ALIVE, 100.0) == []
    almost, over = 100.0 + PATIENCE[name] - 0.01, 100.0 + PATIENCE[name]
    grown = {other: 2.0 for other in ALIVE if other != name}
    assert heartbeat.stalled(ALIVE | grown, almost) == []
    assert heartbeat.stalled(ALIVE | dict.fromkeys(grown, 3.0), over) == [name]
    assert heartbeat.stalled(ALIVE | dict.fromkeys(ALIVE, 4.0), over + 1.0) == []


def test_what_need_not_go_on_is_forgotten() -> None:
    heartbeat = Heartbeat()
    heartbeat.stalled({"sent": 5.0}, 0.0)
    assert heartbeat.stalled({"sent": None}, 100.0) == []
    assert heartbeat.stalled({"sent": 5.0}, 101.0) == []
    assert heartbeat.stalled({"sent": 5.0}, 131.0) == ["sent"]


def test_a_new_connection_counts_anew() -> None:
    heartbeat = Heartbeat()
    heartbeat.stalled({"sent": 500.0}, 0.0)
    assert heartbeat.stalled({"sent": 3.0}, 40.0) == []


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def test_systemd_is_told_which_it_is(systemd: socket.socket) -> None:
    heartbeat = Heartbeat()
    assert check(heartbeat, ALIVE, 0.0) == []
    assert systemd.recv(100) == b"WATCHDOG=1\nSTATUS=everything goes on"
    assert check(heartbeat, ALIVE, 10.0) == ["captured", "played"]
    assert systemd.recv(100) == b"STATUS=nothing is captured or played any more"
    assert check(heartbeat, ALIVE | {"captured": 2.0, "played": 2.0}, 11.0) == []
    assert systemd.recv(100) == b"WATCHDOG=1\nSTATUS=everything goes on", "and what was said before holds no more"


def test_a_standstill_is_told_once_and_only_if_it_lasts() -> None:
    standstill = Standstill()
    assert standstill.told(["played"], 0.0) is None
    assert standstill.told([], 4.0) is None, "it goes on again"
    assert standstill.told(["played"], 5.0) is None
    assert standstill.told(["captured", "played"], 5.0 + PASSING_SECONDS) == "nothing is captured or played any more"
    assert standstill.told(["captured", "played"], 99.0) is None


@pytest.mark.parametrize("with_systemd", [False, True])
async def test_a_card_that_stops_is_told_to_the_machine_with_systemd_and_without(
    monkeypatch: pytest.MonkeyPatch, with_systemd: bool, systemd: socket.socket
) -> None:
    monkeypatch.setattr(supervision, "PASSING_SECONDS", 0.0)
    monkeypatch.setattr(supervision, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(heartbeat_module, "PATIENCE", dict.fromkeys(PATIENCE, 0.0))
    if with_systemd:
        monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    told: asyncio.Queue[p.Stalled] = asyncio.Queue()
    async with RoomCard(SoundSettings(), Listener()) as card:
        voice = VoicePath(NoEchoControl(), card)
    watching = asyncio.create_task(supervise(voice, card, told.put_nowait))
    stalled = await asyncio.wait_for(told.get(), 5)
    watching.cancel()
    assert stalled == p.Stalled("nothing is captured or played any more")
    assert systemd.recv(100) == b"STATUS=nothing is captured or played any more"


async def test_a_card_that_runs_goes_on_and_one_that_stopped_does_not() -> None:
    listener = Listener()
    async with RoomCard(SoundSettings(), listener) as card:
        voice = VoicePath(NoEchoControl(), card)
        before = progress(voice, card)
        assert (before["sent"], before["broadcast"]) == (None, None)
        await listener.count(3)
        voice.on_block(listener.blocks[0])
        after = progress(voice, card)
    assert before["captured"] != after["captured"]
    assert before["played"] != after["played"]
    assert progress(voice, card)["played"] == progress(voice, card)["played"]


async def test_a_version_on_trial_that_finds_no_sound_card_is_not_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(LastingCard, "RETRY_SECONDS", 0.01)
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nobody")
    async with open_card(SoundSettings(card="pyaudio"), Listener(), Asked(), told=lambda _: None) as card:
        voice = VoicePath(NoEchoControl(), card)
        assert lacking(voice, card, lambda: True)() == ["sound card"]
        before = progress(voice, card)["played"]
        async with asyncio.timeout(10):
            while progress(voice, card)["played"] == before:
                await asyncio.sleep(0.01)  # the search tells nobody of its looks
    async with RoomCard(SoundSettings(), Listener()) as room:
        assert lacking(VoicePath(NoEchoControl(), room), room, lambda: False)() == ["online"]


async def test_what_is_sent_is_counted_where_the_connection_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    stay_at_home(monkeypatch)
    sender = OpusSender()
    async with RoomCard(SoundSettings(), Listener()) as card:
        voice = VoicePath(NoEchoControl(), card)
        voice.uplink, voice.programme = sender, delayed_by_nothing(sender)
        sender.push(SILENCE)
        assert (progress(voice, card)["sent"], progress(voice, card)["broadcast"]) == (0, 0)
        async with loopback(mouth=sender) as (one, other):
            await other.ear.seen(1)
            assert (progress(voice, card)["sent"], progress(voice, card)["broadcast"]) == (1, 1)
            await one.peer.close()
            assert progress(voice, card)["sent"] is None, "a call that is over is not stuck, another may follow"


def delayed_by_nothing(publisher: BlockSink) -> Airing:
    return Airing(publisher, 0.0, lambda block: Moment(block, Levels(), Stance()), lambda _: None, lambda: 0.0)
