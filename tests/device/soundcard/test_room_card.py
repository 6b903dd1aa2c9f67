from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from device.audio.block import RATE, Samples
from device.errors import SoundError
from device.soundcard.room_card import RoomCard
from device.soundcard.settings import RoomSettings, SoundSettings
from tests.device.soundcard.listening import Listener, find, noise, silence


def read(path: Path) -> Samples:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


async def test_tells_when_utterances_enter_the_microphone(tmp_path: Path) -> None:
    listener = Listener()
    told: list[tuple[str, float, dict[str, int]]] = []
    settings = SoundSettings(room=RoomSettings(microphone_wav=str(tmp_path / "mic.wav"), noise=-100.0))
    first, second = noise(0.1, 1), noise(0.15, 2)
    async with RoomCard(settings, listener, journal=lambda *what: told.append(what)) as card:
        assert [card.say(first), card.say(second)] == [1, 2]
        await listener.until(lambda: len(told) == 4)
        assert not card.talking

    microphone = read(tmp_path / "mic.wav")
    places = {(what, detail["number"]): (at, detail["sample"]) for what, at, detail in told}
    for number, utterance in ((1, first), (2, second)):
        begin, end = places["said-begin", number], places["said-end", number]
        assert begin[1] == find(utterance, microphone)
        assert end[1] == begin[1] + len(utterance) - 1
    assert places["said-begin", 2][1] == places["said-end", 1][1] + 1

    block = next(block for block in listener.blocks if block.captured.max() > 20)
    offset = np.flatnonzero(np.abs(block.captured) > 20)[0]
    assert places["said-begin", 1][0] == pytest.approx(block.at - (960 - offset) / RATE, abs=3.5 / RATE)


async def test_tells_when_the_loudspeaker_sounds(tmp_path: Path) -> None:
    listener = Listener()
    told: list[tuple[str, float, dict[str, int]]] = []
    settings = SoundSettings(room=RoomSettings(loudspeaker_wav=str(tmp_path / "speaker.wav")))
    tone = np.full(4800, 3000, np.int16)
    async with RoomCard(settings, listener, journal=lambda *what: told.append(what)) as card:
        await listener.count(2)
        for _ in range(2):
            card.play(np.concatenate((tone, silence(0.3))))
        await listener.until(lambda: len(told) == 4)

    speaker = read(tmp_path / "speaker.wav")
    loud = np.flatnonzero(speaker)
    assert [what for what, _, _ in told] == ["speaker-audible", "speaker-silent"] * 2
    assert told[0][2] == {"number": 1, "sample": loud[0]}
    assert told[1][2] == {"number": 1, "sample": loud[0] + 4799}
    assert told[3][2] == {"number": 2, "sample": loud[-1]}
    assert told[1][1] - told[0][1] == pytest.approx(4799 / RATE, abs=1e-6)


async def test_somebody_who_talks_is_captured_and_not_played() -> None:
    listener = Listener()
    voice = noise(0.2)
    async with RoomCard(SoundSettings(), listener) as card:
        card.say(voice)
        await listener.count(25)

    found = find(voice, listener.captured)
    difference = listener.captured[found : found + len(voice)].astype(int) - voice
    assert np.std(difference) < 50
    assert not listener.played.any()


async def test_a_recording_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    settings = SoundSettings(room=RoomSettings(microphone_wav=str(tmp_path / "none" / "mic.wav")))
    with pytest.raises(SoundError, match=r"cannot record to .*mic\.wav: No such file or directory"):
        async with RoomCard(settings, Listener()):
            pass
