from __future__ import annotations

from itertools import combinations, takewhile

import numpy as np
import pytest

from device.audio.block import BLOCK, RATE, SILENCE
from device.audio.echo import Aec3
from device.audio.level import rms_dbfs
from device.panel.earcons import _SCORES, Earcon, of_fault, sound
from device.panel.faults import Fault
from device.panel.patterns import PATTERNS
from device.panel.patterns import of_fault as light_of
from device.soundcard.room import Room
from device.soundcard.settings import RoomSettings

LONG = {Earcon.ANNOUNCE, Earcon.CLAIM}
"""Those that nobody waits for."""


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_is_heard(fault: Fault) -> None:
    assert of_fault(fault) in {Earcon.ERROR, *(earcon for earcon in Earcon if earcon.startswith("fault"))}
    assert (of_fault(fault) is Earcon.ERROR) is (fault in {Fault.OTHER, Fault.SOUND})


@pytest.mark.parametrize("fault", sorted(set(Fault) - {Fault.OTHER, Fault.SOUND}))
def test_a_fault_is_struck_as_its_light_blinks_after_a_low_beat(fault: Fault) -> None:
    assert of_fault(fault) == f"fault-{fault}"
    beat, strikes = _SCORES[of_fault(fault)][1][:2], _SCORES[of_fault(fault)][1][2:]
    assert {(at, pitch) for at, pitch, _ in beat} == {(0.0, -9.0), (0.0, -8.0)}
    blinks = takewhile(lambda step: step.seconds < 1.0, PATTERNS[light_of(fault)](lambda: None))
    assert [decay > 0.1 for _, _, decay in strikes] == [step.seconds > 0.3 for step in blinks if step.brightness]
    assert len({pitch for _, pitch, _ in strikes}) == 1


OPENS = {Earcon.LIVE, Earcon.UNMUTED, Earcon.ON_AIR, Earcon.ANNOUNCE, Earcon.CLAIM}
CLOSES = {Earcon.END, Earcon.MUTED, Earcon.OFF_AIR, Earcon.CUT}


@pytest.mark.parametrize("earcon", sorted(OPENS | CLOSES))
def test_what_opens_goes_up_and_what_closes_goes_down(earcon: Earcon) -> None:
    pitches = [pitch for _, pitch, _ in _SCORES[earcon][1]]
    assert pitches == sorted(pitches, reverse=earcon in CLOSES)
    assert pitches[0] != pitches[-1]


@pytest.mark.parametrize("earcon", Earcon)
def test_length_and_loudness(earcon: Earcon) -> None:
    samples = sound(earcon)
    assert samples.dtype == np.int16
    assert samples.ndim == 1
    assert len(samples) / RATE < (1.5 if earcon in LONG or earcon.startswith("fault") else 0.7)
    peak = 20 * np.log10(np.abs(samples.astype(float)).max() / 32768)
    assert peak == pytest.approx(-18.0, abs=0.1)


@pytest.mark.parametrize("earcon", Earcon)
def test_no_clicks(earcon: Earcon) -> None:
    samples = sound(earcon).astype(float)
    assert abs(samples[0]) <= 1
    assert abs(samples[-1]) <= 1
    peak = np.abs(samples).max()
    assert np.abs(samples[: RATE // 2000]).max() < 0.2 * peak, "the first half millisecond is soft"
    bends = np.abs(np.diff(samples, n=2))
    assert bends.max() < 0.6 * peak, "no step that the overtones do not explain"


def test_a_press_is_heard_at_once() -> None:
    samples = np.abs(sound(Earcon.START).astype(float))
    assert samples[: RATE // 100].max() > 0.5 * samples.max()


@pytest.mark.parametrize(("one", "other"), list(combinations(Earcon, 2)))
def test_they_differ_from_each_other(one: Earcon, other: Earcon) -> None:
    a, b = sound(one).astype(float), sound(other).astype(float)
    size = len(a) + len(b)
    crossing = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)))
    likeness = np.abs(crossing).max() / np.sqrt(np.sum(a**2) * np.sum(b**2))
    assert likeness < 0.85


def test_echo_control_learns_the_room_from_them() -> None:
    room, echo = Room(RoomSettings(), BLOCK), Aec3()
    silence = np.zeros(RATE // 2 // BLOCK * BLOCK, np.int16)
    played = np.concatenate([part for earcon in Earcon for part in (sound(earcon), silence)])
    left = [
        rms_dbfs(echo.process(room.hear(block, SILENCE), block))
        for block in np.split(played[: len(played) // BLOCK * BLOCK], len(played) // BLOCK)
    ]
    assert max(left) < -45, "louder than this, and a listener takes it for a word"


def test_cannot_be_spoilt_by_who_plays_it() -> None:
    with pytest.raises(ValueError, match="read-only"):
        sound(Earcon.LIVE)[0] = 1
    assert sound(Earcon.LIVE) is sound(Earcon.LIVE)
