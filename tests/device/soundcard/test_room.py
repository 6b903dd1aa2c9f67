from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.audio.block import RATE, Samples
from device.soundcard.room import Convolution, Room, impulse_response
from device.soundcard.settings import RoomSettings
from tests.device.soundcard.listening import find, noise, silence

FRAMES = 480
STILL = RoomSettings(noise=-100.0)


def through(room: Room, played: Samples, near: Samples | None = None) -> Samples:
    voice = np.zeros_like(played) if near is None else near
    starts = range(0, len(played) - FRAMES + 1, FRAMES)
    return np.concatenate([room.hear(played[at : at + FRAMES], voice[at : at + FRAMES]) for at in starts])


def power(samples: Samples, low: float = 300.0, high: float = 3400.0) -> float:
    """Power between two pitches, in dB."""
    spectrum = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
    pitches = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(10 * np.log10(np.mean(spectrum[(pitches > low) & (pitches < high)])))


@settings(max_examples=25, deadline=None)
@given(taps=st.integers(1, 500), frames=st.integers(1, 130), seed=st.integers(0, 99))
def test_convolution_is_exact_for_any_lengths(taps: int, frames: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    response = random.standard_normal(taps).astype(np.float32)
    sound = random.standard_normal(frames * 12).astype(np.float32)
    sound[frames * 4 : frames * 9] = 0.0

    filtering = Convolution(response, frames)
    pieces = [filtering.feed(piece) for piece in sound.reshape(-1, frames)]

    np.testing.assert_allclose(np.concatenate(pieces), np.convolve(sound, response)[: len(sound)], atol=1e-4)


@pytest.mark.parametrize("delay", [0.0, 0.003, 0.08, 0.25])
def test_echo_comes_after_the_delay(delay: float) -> None:
    burst = noise(0.1)
    played = np.concatenate((silence(0.1), burst, silence(0.6)))

    heard = through(Room(RoomSettings(noise=-100.0, delay=delay), FRAMES), played)

    assert abs(find(burst, heard) - find(burst, played) - delay * RATE) <= 5


@pytest.mark.parametrize("loss", [0.0, 6.0, 20.0])
def test_echo_is_as_much_weaker_as_asked_in_the_band_of_speech(loss: float) -> None:
    played = noise(3.0, level=1000.0)

    heard = through(Room(RoomSettings(noise=-100.0, echo_loss=loss, delay=0.0), FRAMES), played)

    assert power(played) - power(heard) == pytest.approx(loss, abs=1.0)


def test_a_small_loudspeaker_gives_neither_deep_nor_very_high_sound() -> None:
    response = impulse_response(STILL, 240)
    spectrum = 20 * np.log10(np.abs(np.fft.rfft(response, 1 << 16)))
    pitches = np.fft.rfftfreq(1 << 16, 1 / RATE)

    def level(low: float, high: float) -> float:
        return float(np.mean(spectrum[(pitches > low) & (pitches < high)]))

    assert level(20, 60) < level(300, 3400) - 25
    assert level(15_000, 24_000) < level(300, 3400) - 25


def test_reverberation_decays_by_60_db_in_its_time() -> None:
    response = impulse_response(RoomSettings(reverberation=0.3), 240)
    left = np.cumsum(response[::-1].astype(np.float64) ** 2)[::-1]
    decibels = 10 * np.log10(left / left[0])
    start, end = 0.02, 0.12

    slope = (decibels[round(end * RATE)] - decibels[round(start * RATE)]) / (end - start)

    assert slope == pytest.approx(-60 / 0.3, rel=0.15)


def test_what_is_loud_is_bent() -> None:
    tone = np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE)

    def overtones(level: float) -> float:
        heard = through(Room(STILL, FRAMES), (tone * level).astype(np.int16))[RATE // 2 :]
        return power(heard, 980, 1020) - power(heard, 480, 520)

    assert overtones(20_000) > -40
    assert overtones(20_000) > overtones(1000) + 10


def test_noise_is_as_loud_as_asked_and_repeats_with_the_seed() -> None:
    nothing = silence(1.0)
    once, again = (through(Room(RoomSettings(noise=-65.0, seed=7), FRAMES), nothing) for _ in range(2))
    other = through(Room(RoomSettings(noise=-65.0, seed=8), FRAMES), nothing)

    assert 20 * np.log10(np.std(once.astype(float)) / 32768) == pytest.approx(-65.0, abs=0.5)
    np.testing.assert_array_equal(once, again)
    assert (once != other).any()


def test_the_near_voice_is_heard_as_it_is() -> None:
    voice = noise(0.5)
    heard = through(Room(STILL, FRAMES), np.zeros_like(voice), voice)
    np.testing.assert_allclose(heard, voice, atol=2)


def test_too_loud_clips_and_does_not_wrap() -> None:
    loud = np.full(RATE // 10, 32767, np.int16)
    heard = through(Room(RoomSettings(echo_loss=-10.0), FRAMES), noise(0.1, level=20_000), loud)
    assert heard[-FRAMES:].max() == 32767
    assert heard.min() > -32768
