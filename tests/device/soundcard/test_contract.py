"""What every sound card must do, the real one (PyAudio, over PulseAudio's null sinks) and the simulated room alike."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from device.audio.block import BLOCK, BLOCK_SECONDS, RATE
from device.soundcard.card import Deliver, SoundCard
from device.soundcard.pyaudio_card import PyAudioCard
from device.soundcard.room_card import RoomCard
from device.soundcard.settings import SoundSettings
from tests.device.soundcard.listening import Listener, find, noise, silence
from tests.pulse import PulseServer

MakeCard = Callable[[Deliver], SoundCard]


@pytest.fixture(scope="module")
def echo_path(pulse: PulseServer) -> Iterator[None]:
    with pulse.echo_path():
        yield


def _room(deliver: Deliver) -> SoundCard:
    return RoomCard(SoundSettings(), deliver)


def _pyaudio(deliver: Deliver) -> SoundCard:
    return PyAudioCard(SoundSettings(), deliver)


@pytest.fixture(params=["room", "pyaudio"])
def make_card(request: pytest.FixtureRequest) -> MakeCard:
    if request.param == "room":
        return _room
    request.getfixturevalue("pulse_environment")
    request.getfixturevalue("echo_path")
    return _pyaudio


async def test_gives_the_microphone_in_blocks_of_20_ms(make_card: MakeCard) -> None:
    listener = Listener()
    async with make_card(listener) as card:
        await listener.count(30)
        counters = card.counters()

    for block in listener.blocks:
        assert block.captured.shape == block.played.shape == (BLOCK,)
        assert block.captured.dtype == block.played.dtype == np.int16
    times = np.array([block.at for block in listener.blocks])
    assert (np.diff(times) > 0).all()
    assert times[-1] - times[0] > 0.5 * 29 * BLOCK_SECONDS, "the card must keep pace with a clock, not run free"
    assert counters["blocks"] >= 30
    assert counters["blocks_dropped"] == 0


async def test_pairs_what_it_plays_with_its_echo(make_card: MakeCard) -> None:
    listener = Listener()
    bursts = [noise(0.1, seed) for seed in range(8)]
    async with make_card(listener) as card:
        await listener.count(10)
        card.play(np.concatenate([np.concatenate((burst, silence(0.15))) for burst in bursts]))
        await listener.count(int(len(bursts) * 0.25 / BLOCK_SECONDS) + 15)

    played, captured = listener.played, listener.captured
    lags = [find(burst, captured) - find(burst, played) for burst in bursts]
    # A computer that is too busy makes the way through PulseAudio longer once or twice; between that it is constant.
    alike = min(zip(lags, lags[1:], lags[2:], strict=False), key=lambda three: max(three) - min(three))
    assert max(alike) - min(alike) < 0.005 * RATE, f"the echo must come at a constant delay, not at {lags}"
    assert 0 < alike[0] < 0.5 * RATE


async def test_flush_silences_at_once(make_card: MakeCard) -> None:
    listener = Listener()
    tone = np.tile(np.array([2000, -2000], np.int16), RATE)
    async with make_card(listener) as card:
        card.play(tone)
        await listener.until(lambda: any(block.played.any() for block in listener.blocks))
        dropped = card.flush()
        assert card.queued == 0
        sounded = len(listener.blocks)
        await listener.until(lambda: len(listener.blocks) > sounded + 10 and not listener.blocks[-1].played.any())
        overflowed = card.counters()["speaker_overflowed"]

    heard = np.count_nonzero(listener.played)
    assert dropped > RATE, "most of two seconds was still waiting"
    assert abs(heard + dropped - len(tone)) <= BLOCK, "what was not dropped was played, and nothing else"
    assert overflowed == 0


async def test_counts_running_dry(make_card: MakeCard) -> None:
    listener = Listener()
    async with make_card(listener) as card:
        await listener.count(5)
        assert card.counters()["speaker_underruns"] == 0
        card.play(noise(0.05))
        await listener.until(lambda: card.queued == 0)
        await listener.count(5)
        assert card.counters()["speaker_underruns"] == 1


async def test_delivers_nothing_after_it_is_closed_and_opens_again(make_card: MakeCard) -> None:
    threads = set(threading.enumerate())
    card = make_card(listener := Listener())
    for _ in range(2):
        async with card:
            await listener.count(3)
        known = len(listener.blocks)
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(listener.blocks) == known
    started = {thread.name for thread in set(threading.enumerate()) - threads}
    assert not {name for name in started if not name.startswith("asyncio")}


async def test_survives_being_cancelled_while_it_opens(make_card: MakeCard) -> None:
    async def hold(card: SoundCard) -> None:
        async with card:
            await asyncio.Event().wait()

    listener = Listener()
    for turns in range(4):
        opening = asyncio.create_task(hold(make_card(listener)))
        for _ in range(turns):
            await asyncio.sleep(0)
        opening.cancel()
        await asyncio.wait([opening])
        assert opening.cancelled()
    async with make_card(listener):
        await listener.count(3)


async def test_all_cards_count_the_same_things(make_card: MakeCard) -> None:
    async with make_card(Listener()) as card:
        assert set(card.counters()) == {
            "blocks",
            "blocks_dropped",
            "input_xruns",
            "loop_lag_p99_ms",
            "loop_lag_worst_ms",
            "output_xruns",
            "pair_drift",
            "pair_jumps",
            "pair_missing",
            "pair_off",
            "speaker_lead_ms",
            "speaker_overflowed",
            "speaker_underruns",
            "spoken",
        }
        assert card.name
