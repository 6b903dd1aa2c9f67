from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from device.audio.block import RATE
from device.audio.level import rms_dbfs
from device.errors import SoundError
from device.panel import phrases
from device.panel.earcons import of_fault, sound
from device.panel.faults import Fault, Remark, kind, remark
from device.panel.phrases import FOLDER, PHRASES, Language, spoken
from device.phase import STANDSTILL
from device.timing import Timing

EACH = [(said, language) for said in PHRASES for language in PHRASES[said]]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("rate_limit_exceeded", Remark.BUSY),
        ("content_filter", Remark.FILTERED),
        ("server_error", Remark.FAILED),
        ("a code of tomorrow", Remark.FAILED),
        ("max_output_tokens", None),
    ],
)
def test_what_is_said_of_an_answer_that_failed(code: str, said: Remark | None) -> None:
    assert remark(code) is said


def test_there_are_words_in_each_language_for_every_fault_that_can_be_heard() -> None:
    assert set(PHRASES) == (set(Fault) - {Fault.SOUND}) | set(Remark)
    assert all(set(words) == {"en", "ja"} for words in PHRASES.values())
    assert spoken(Fault.SOUND, "en").size == 0


def test_what_is_spoken_are_these_very_words() -> None:
    """`make phrases` notes what it said; words that were changed since would be in nobody's ears."""
    said = json.loads((FOLDER / "words.json").read_text(encoding="utf-8"))
    assert said == {phrases.path(said, language).name: PHRASES[said][language] for said, language in EACH}
    assert {file.name for file in FOLDER.glob("*.opus")} == set(said)


@pytest.mark.parametrize(("said", "language"), EACH)
def test_each_is_a_sentence_of_speech_as_loud_as_the_robot(said: Fault | Remark, language: Language) -> None:
    samples = spoken(said, language)
    assert samples.dtype == np.int16
    assert 1.0 < len(samples) / RATE < 8.0
    assert -26.0 < rms_dbfs(samples) < -17.0
    assert phrases.path(said, language).stat().st_size < 40_000


def test_a_fault_is_shown_until_it_has_been_said() -> None:
    seconds = {
        said: max(len(sound(of_fault(said))) + len(spoken(said, language)) for language in PHRASES[said]) / RATE
        for said in set(Fault) - {Fault.SOUND}
    }
    assert max(seconds.values()) < Timing().fault
    assert seconds[kind(STANDSTILL)] < Timing().standstill


def test_no_two_sound_alike() -> None:
    assert len({spoken(said, language).tobytes() for said, language in EACH}) == len(EACH)


def test_a_file_that_is_not_there_is_a_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(phrases, "FOLDER", tmp_path)
    with pytest.raises(SoundError, match=r"clock\.en\.opus cannot be played"):
        spoken.__wrapped__(Fault.CLOCK, "en")
    (tmp_path / "clock.en.opus").write_bytes(b"no sound")
    with pytest.raises(SoundError, match=r"clock\.en\.opus cannot be played"):
        spoken.__wrapped__(Fault.CLOCK, "en")
