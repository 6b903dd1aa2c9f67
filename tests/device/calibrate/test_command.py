"""Calibrating whole cards: the simulated room, and PulseAudio with a loopback for a room."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from device.__main__ import EXIT_NO_SOUND, EXIT_USAGE, main
from device.audio.echo import EchoMode
from device.calibrate import command, words
from device.calibrate.perform import perform
from device.calibrate.stimulus import Plan
from device.calibrate.verdict import Verdict
from device.config import DeviceSettings, load
from device.errors import SoundError
from device.instance import only_one
from device.soundcard.settings import RoomSettings, SoundSettings
from tests.pulse import PulseServer

PLAN = Plan(quiet=0.4, chirps=3, spacing=0.35, noise=1.2, tail=0.4)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "Plan", lambda: PLAN)


def settings_file(tmp_path: Path, sound: str) -> Path:
    path = tmp_path / "device.toml"
    path.write_text(f'# mine\nstate_dir = "{tmp_path}"\n[sound]\n{sound}\n')
    return path


@pytest.mark.usefixtures("short")
def test_the_simulated_room_is_measured_and_the_mode_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = settings_file(tmp_path, 'card = "room"\n[sound.room]\ndelay = 0.12\necho_loss = 12.0')
    assert main(["calibrate", "--config", str(path), "--write", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    values = {key: value for finding in report["findings"] for key, value in finding["values"].items()}
    assert values["delay"] == pytest.approx(120.0, abs=20.0)  # the tap lags by one call and some slack
    assert values["loss"] == pytest.approx(12.0, abs=3.0)
    assert values["floor"] == pytest.approx(-65.0, abs=1.0)
    assert abs(values["drift"]) < 5.0
    assert load(path).echo.mode == "aec3"
    assert path.read_text().startswith("# mine\n")
    assert "# calibrated 20" in path.read_text()


@pytest.mark.usefixtures("pulse_environment")
async def test_pulseaudio_with_a_loopback_is_measured(pulse: PulseServer) -> None:
    settings = DeviceSettings(sound=SoundSettings(card="pyaudio"))
    with pulse.echo_path(60):
        verdict, note = await command.calibrated(settings, PLAN)
    values = {key: value for finding in verdict.findings for key, value in finding.values.items()}
    assert values["card"] == "default and default"
    assert 40.0 < float(values["delay"]) < 400.0
    assert float(values["loss"]) == pytest.approx(0.0, abs=3.0)  # a wire, not a room
    assert verdict.mode is not EchoMode.NONE
    assert "delay" in note


TORN = Verdict(None, [words.VAGUE_DRIFT(drift=40.0, error=130.0), words.UNDECIDED()])
SAFE = Verdict(EchoMode.AEC3, [words.SAFE(mode="aec3")])
MUTED = Verdict(None, [words.VAGUE_DRIFT(drift=40.0, error=130.0), words.MUTED(card="Phone")])


@pytest.mark.parametrize(
    ("verdicts", "times"),
    [
        ([SAFE], 1),
        ([TORN, SAFE], 2),
        ([TORN, TORN, SAFE], 3),
        ([TORN, TORN, TORN], 3),
        ([MUTED], 1),
        ([TORN, MUTED], 2),
    ],
)
async def test_what_is_torn_is_measured_again_and_nothing_else(verdicts: list[Verdict], times: int) -> None:
    left, again = iter(verdicts), list[int]()

    async def once() -> tuple[Verdict, str]:
        return next(left), "note"

    assert await command.whole(once, lambda: again.append(1)) == (verdicts[-1], "note")
    assert len(again) == times - 1
    assert next(left, None) is None


@pytest.mark.usefixtures("pulse_environment", "short")
def test_what_cannot_be_believed_is_told_by_the_exit_code_and_written_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing stands between speaker and microphone, which therefore gives digital silence."""
    path = settings_file(tmp_path, 'card = "pyaudio"')
    before = path.read_text()
    assert main(["calibrate", "--config", str(path), "--write", "--json"]) == command.EXIT_UNKNOWN
    report = json.loads(capsys.readouterr().out)
    assert [finding["code"] for finding in report["findings"]] == ["calibrate.muted", "calibrate.undecided"]
    assert report["outcome"] == "failure"
    assert report["findings"][0]["fix"]
    assert path.read_text() == before


def test_beside_a_robot_that_runs_nothing_is_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "perform", lambda *_: pytest.fail("it plays"))
    path = settings_file(tmp_path, 'card = "room"')
    with only_one(tmp_path):
        assert main(["calibrate", "--config", str(path)]) == 1


async def test_a_room_that_stands_in_for_a_missing_card_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_SERVER", "unix:/nowhere")
    with pytest.raises(SoundError):
        await perform(SoundSettings(card="auto", input="none such", output="none such"), PLAN)


@pytest.mark.parametrize(
    ("sound", "code", "says"),
    [
        ('card = "room"\nroom = { microphone_wav = "/nowhere/mic.wav" }', EXIT_NO_SOUND, "sound.unusable"),
        ("card = 7", EXIT_USAGE, "settings.unusable"),
    ],
)
def test_without_card_or_settings_there_is_a_finding_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sound: str, code: int, says: str
) -> None:
    path = settings_file(tmp_path, sound)
    assert main(["calibrate", "--config", str(path), "--json", "--lang", "ja"]) == code
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["code"], finding["outcome"]) == (says, "failure")


async def test_a_card_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    room = RoomSettings(microphone_wav=str(tmp_path / "none" / "mic.wav"))
    with pytest.raises(SoundError):
        await perform(SoundSettings(card="room", room=room), PLAN)
