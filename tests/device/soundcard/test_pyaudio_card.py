from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pyaudio
import pytest

from device.errors import SoundError
from device.soundcard.devices import choose, devices, has_both, open_portaudio
from device.soundcard.opening import open_card
from device.soundcard.pyaudio_card import PyAudioCard
from device.soundcard.room_card import RoomCard
from device.soundcard.settings import SoundSettings
from tests.device.soundcard.listening import Listener
from tests.pulse import PulseServer

ROOT = Path(__file__).parents[3]


@pytest.fixture
def no_device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Without any `default` in ALSA's configuration PortAudio 19.6 aborts the process (its issue 294).
    (tmp_path / "alsa.conf").write_text("pcm.null { type null }\npcm.!default { type hw card 99 }\n")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "alsa.conf"))
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")


@pytest.fixture
def no_server(pulse: PulseServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALSA_CONFIG_PATH", pulse.environment["ALSA_CONFIG_PATH"])
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nowhere")


@pytest.mark.parametrize("where", ["no_device", "no_server"])
async def test_without_a_device_there_is_a_clear_error(where: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(where)
    assert not has_both()
    assert devices() == []
    with pytest.raises(SoundError, match="no speaker; this computer shows none at all"):
        async with PyAudioCard(SoundSettings(), Listener()):
            pass
    async with open_card(SoundSettings(card="auto"), Listener()) as card:
        assert isinstance(card, RoomCard)


@pytest.mark.usefixtures("pulse_environment")
async def test_auto_takes_the_microphone_and_the_speaker_that_are_there() -> None:
    listener = Listener()
    async with open_card(SoundSettings(card="auto"), listener) as card:
        assert isinstance(card, PyAudioCard)
        assert not card.stood_in
        assert card.name == "default and default"
        await listener.count(3)
    async with open_card(SoundSettings(card="room"), listener) as card:
        assert card.stood_in


@pytest.mark.usefixtures("pulse_environment")
async def test_auto_takes_the_room_where_the_devices_cannot_be_used(caplog: pytest.LogCaptureFixture) -> None:
    unusable = SoundSettings(card="auto", input="USB Phone")
    async with open_card(unusable, Listener()) as card:
        assert isinstance(card, RoomCard)
    assert "no microphone 'USB Phone'" in caplog.text
    assert "a simulated room takes its place" in caplog.text
    with pytest.raises(SoundError, match="no microphone"):
        async with open_card(msgspec.structs.replace(unusable, card="pyaudio"), Listener()):
            pass


@pytest.mark.usefixtures("pulse_environment")
@pytest.mark.parametrize("wanted", ["PULSE", "uls", 0, "0"])
async def test_a_device_is_chosen_by_number_or_by_part_of_its_name(wanted: int | str) -> None:
    listener = Listener()
    async with PyAudioCard(SoundSettings(input=wanted, output=wanted), listener) as card:
        assert card.name == "pulse and pulse"
        await listener.count(3)


@pytest.mark.usefixtures("pulse_environment")
async def test_an_unknown_device_names_those_that_exist() -> None:
    with pytest.raises(SoundError, match="no microphone 'USB Phone'; there are: 0 pulse, 1 default"):
        async with PyAudioCard(SoundSettings(input="USB Phone"), Listener()):
            pass
    with pytest.raises(SoundError, match="no speaker 9; there are"):
        async with PyAudioCard(SoundSettings(output=9), Listener()):
            pass


class OnlyCompactDisc(pyaudio.PyAudio):  # type: ignore[misc]  # PyAudio has no types
    """A PortAudio whose devices do 44.1 kHz alone; no ALSA plugin on a machine without a card refuses a rate."""

    def is_format_supported(self, rate: int, **_asked: object) -> bool:
        if rate != 44_100:
            raise ValueError("Invalid sample rate", -9997)
        return True


@pytest.mark.usefixtures("pulse_environment")
def test_a_device_that_refuses_48_khz_tells_what_it_does() -> None:
    audio = OnlyCompactDisc()
    try:
        with pytest.raises(SoundError, match="microphone 1 default does not do 48000 Hz mono; it does 44100 Hz"):
            choose(audio, "default", "microphone")
    finally:
        audio.terminate()


@pytest.mark.usefixtures("pulse_environment")
async def test_the_event_loop_runs_on_while_the_card_opens() -> None:
    steps = 0

    async def tick() -> None:
        nonlocal steps
        while True:
            steps += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        ticking = tasks.create_task(tick())
        async with PyAudioCard(SoundSettings(), Listener()):
            assert steps > 20
        ticking.cancel()


WITHOUT = """
from device.errors import SoundError
from device.soundcard import devices, pyaudio_card
assert not devices.has_both()
try:
    devices.open_portaudio()
except SoundError as error:
    print(error)
"""


def test_without_portaudio_everything_is_loaded_and_who_opens_it_hears_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "pyaudio.py").write_text("raise ImportError('libportaudio.so.2: cannot open shared object file')")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        env=os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}"},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == (
        "PortAudio cannot be loaded: libportaudio.so.2: cannot open shared object file; sudo apt install libportaudio2\n"
    )


@pytest.mark.usefixtures("no_device")
def test_looking_for_devices_prints_nothing() -> None:
    program = "import sys; from device.soundcard.devices import has_both; has_both(); print('here', file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr == "here\n"


@pytest.mark.usefixtures("pulse_environment")
def test_lists_the_devices_there_are() -> None:
    audio = open_portaudio()
    audio.terminate()
    found = devices()
    assert [device.name for device in found] == ["pulse", "default"]
    assert all(device.serves("microphone") and device.serves("speaker") for device in found)
