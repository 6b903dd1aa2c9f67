"""A card that is unplugged and plugged in again: here the PulseAudio server behind it ends and begins anew."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from device.audio.block import BLOCK_SECONDS, SILENCE, Block
from device.errors import SoundError
from device.soundcard.lasting import LastingCard, Search, Standstill, lasting
from device.soundcard.opening import open_card
from device.soundcard.pyaudio_card import PyAudioCard
from device.soundcard.settings import SoundSettings
from tests.device.soundcard.listening import Asked, Listener, noise
from tests.pulse import PulseServer, Socket, socket

__all__ = ["socket"]

PATIENCE = 10.0


class Words:
    """What was told, in order."""

    def __init__(self) -> None:
        self._told: asyncio.Queue[str] = asyncio.Queue()

    def __call__(self, text: str) -> None:
        self._told.put_nowait(text)

    @property
    def none(self) -> bool:
        return self._told.empty()

    async def next(self) -> str:
        async with asyncio.timeout(PATIENCE):
            return await self._told.get()


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LastingCard, "RETRY_SECONDS", 0.05)


@contextmanager
def carrying_nothing(server: PulseServer) -> Iterator[None]:
    """Let the microphone stand still, as that of a speakerphone whose firmware hangs: it opens all the same."""
    server.control("suspend-source", "mic", "1")
    yield
    server.control("suspend-source", "mic", "0")


async def test_a_card_that_was_pulled_out_is_back_only_when_it_carries_sound(
    socket: Socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener, words, asked = Listener(), Words(), Asked()
    async with lasting(partial(PyAudioCard, SoundSettings()), listener, asked, words) as card:
        await listener.count(10)
        await asyncio.to_thread(socket.pull_out)
        assert await words.next() == "the sound card is gone: default and default"
        card.play(noise(0.1))
        assert (card.queued, card.flush()) == (0, 0)
        known, asked_before = len(listener.blocks), asked.times
        await listener.count(10)
        assert asked.times - asked_before == 10, "what would be played is asked for, and dropped"
        assert not any(block.captured.any() for block in listener.blocks[known:])
        times = np.array([block.at for block in listener.blocks[known:]])
        assert np.diff(times) == pytest.approx(BLOCK_SECONDS)
        before = card.counters()
        server = await asyncio.to_thread(socket.plug_in)
        assert await words.next() == ""
        known = len(listener.blocks)
        card.play(noise(0.1))
        await listener.until(lambda: any(block.played.any() for block in listener.blocks[known:]))
        after = card.counters()
        monkeypatch.setattr(LastingCard, "FIRST_SECONDS", 0.2)
        monkeypatch.setattr(Standstill, "LONGEST", 0.8)
        with carrying_nothing(server):
            assert await words.next() == "the sound card is gone: default and default"
            await listener.until(lambda: card.counters()["reopening_attempts"] > after["reopening_attempts"] + 2)
            assert card.counters()["card_away"]
            assert words.none, "else it would be gone and back again every other second"
            looks = card.counters()["reopening_looks"] - after["reopening_looks"]
            assert looks > card.counters()["reopening_attempts"] - after["reopening_attempts"], "the search goes on"
        assert await words.next() == ""
    assert after["reopening_attempts"] > before["reopening_attempts"] > 0
    assert all(after[name] >= before[name] for name in ("blocks", "spoken", "speaker_underruns", "pair_jumps"))


async def test_it_ends_while_it_searches_and_does_not_begin_without_a_card_that_is_needed(socket: Socket) -> None:
    words, unfit = Words(), SoundSettings(output="nowhere")
    async with open_card(unfit, Listener(), Asked(), told=words) as card:
        assert card.stood_in, "a room takes the place of a card that nobody has named"
    async with lasting(partial(PyAudioCard, SoundSettings()), Listener(), Asked(), words):
        await asyncio.to_thread(socket.pull_out)
        assert await words.next()
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not {name for name in names if "sound card" in name}
    with pytest.raises(SoundError, match="speaker"):
        async with lasting(partial(PyAudioCard, SoundSettings()), Listener(), Asked(), words, needed=True):
            pass


async def test_a_card_that_is_not_there_yet_is_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nobody")
    listener, words, asked = Listener(), Words(), Asked()
    async with open_card(SoundSettings(card="pyaudio"), listener, asked, told=words) as card:
        assert (await words.next()).startswith("no speaker")
        begun = card.counters()
        await listener.count(10)
        assert asked.times == 10
        await listener.until(lambda: card.counters()["reopening_attempts"] > 2)
    assert begun["card_away"]
    assert begun["spoken"] == 0
    assert words.none, "the same reason is told once"


def test_one_direction_that_stands_still_for_long_is_a_standstill() -> None:
    still = Standstill()
    assert not still.found((1, 5), 100.0)
    assert not still.found((1, 6), 100.0 + Standstill.LONGEST)
    assert still.found((1, 7), 100.1 + Standstill.LONGEST) == "nothing was heard for 1.6 s"
    assert not still.found((2, 8), 100.2 + Standstill.LONGEST)
    assert still.found((3, 8), 100.3 + 2 * Standstill.LONGEST) == "nothing was played for 1.6 s"


async def test_a_card_that_is_only_being_tried_is_not_heard() -> None:
    listener = Listener()
    card = LastingCard(partial(PyAudioCard, SoundSettings()), listener, Asked(), Words())
    for card._away in (True, False):
        card._hear(Block(SILENCE, SILENCE, 0.0))
        assert len(listener.blocks) is int(not card._away)


def test_why_there_is_no_card_is_news_when_it_changes_and_told_when_it_has_lasted() -> None:
    search = Search()
    assert search.failed("none", 100.0) == (True, False)
    assert search.failed("44100 Hz", 101.0) == (True, False)
    assert search.failed("44100 Hz", 100.9 + Search.LASTS) == (False, False)
    assert search.failed("44100 Hz", 101.0 + Search.LASTS) == (False, True)
    assert search.failed("44100 Hz", 999.0) == (False, False)
    assert search.failed("none", 1000.0) == (True, False)
    assert Search("none").failed("none", 1e6) == (False, False), "it was told already"


async def test_another_card_that_cannot_be_used_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(Search, "LASTS", 0.0)
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nobody")
    listener, words = Listener(), Words()
    wanted = iter([SoundSettings(), *[SoundSettings(output="another")] * 1000])
    make = lambda deliver, feed: PyAudioCard(next(wanted), deliver, feed)  # noqa: E731
    async with lasting(make, listener, Asked(), words) as card:
        assert (await words.next()).startswith("no speaker;")
        assert (await words.next()).startswith("no sound card yet: no speaker 'another'")
        await listener.until(lambda: card.counters()["reopening_attempts"] > 4)
    assert words.none
    assert sum("'another'" in line for line in caplog.messages) == 1, "no line a second, for months"
