"""A private PulseAudio with a speaker and a microphone that exist only in memory, for tests of the real PyAudio path.

The null sink `speaker` is the loudspeaker; what is played into the null sink `room` is what the microphone `mic` hears.
A conftest.py imports the fixtures, once for its whole folder: `from tests.pulse import pulse, pulse_environment`.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pytest

_SCRIPT: Final = """\
load-module module-native-protocol-unix auth-anonymous=1 socket={folder}/native
load-module module-null-sink sink_name=speaker rate=48000 channels=1 format=s16le
load-module module-null-sink sink_name=room rate=48000 channels=1 format=s16le
load-module module-remap-source source_name=mic master=room.monitor
set-default-sink speaker
set-default-source mic
"""

_ALSA: Final = """\
pcm.pulse { type pulse }
ctl.pulse { type pulse }
pcm.!default { type pulse }
ctl.!default { type pulse }
"""

_OPTIONS: Final = ("--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--realtime=no", "--high-priority=no")


class PulseServer:
    """One running server: the environment that leads to it, and what can be plugged together in it."""

    def __init__(self, folder: Path) -> None:
        self.environment = {
            "PULSE_SERVER": f"unix:{folder}/native",
            "PULSE_COOKIE": f"{folder}/cookie",
            "ALSA_CONFIG_PATH": f"{folder}/alsa.conf",
            "JACK_NO_START_SERVER": "1",
        }

    def control(self, *arguments: str) -> str:
        """Run `pactl` and return what it printed."""
        return subprocess.run(
            ["pactl", *arguments],  # noqa: S607 - a Debian program found by PATH like every other
            env=os.environ | self.environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=10,
        ).stdout.strip()

    @contextmanager
    def echo_path(self, milliseconds: int = 60) -> Iterator[None]:
        """Let the microphone hear the loudspeaker, about this much later."""
        module = self.control(
            "load-module",
            "module-loopback",
            "source=speaker.monitor",
            "sink=room",
            f"latency_msec={milliseconds}",
            "adjust_time=0",  # a room does not change its delay when the computer is busy
        )
        try:
            yield
        finally:
            self.control("unload-module", module)


@contextmanager
def child(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program beside the test and end it, by its process id, afterwards; it does not outlive the test run."""
    bound = ["setpriv", "--pdeathsig", "TERM", "--", *command]
    with subprocess.Popen(bound, env=os.environ | environment, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(10)


def _wait_until_ready(server: PulseServer, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < end:
        try:
            server.control("info")
        except subprocess.CalledProcessError:
            continue
        return
    raise RuntimeError("PulseAudio did not start")


def _wait_until_awake(server: PulseServer, source: str) -> None:
    command = ["parec", "--raw", "--latency-msec=20", "--rate=48000", "--channels=1", "-d", source]
    with subprocess.Popen(command, env=os.environ | server.environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(4800)
        process.terminate()


@contextmanager
def pulse_server(folder: Path, *, shared_memory: bool = False) -> Iterator[PulseServer]:
    """Run a PulseAudio whose files are all in `folder`; both sinks are kept awake by streams of silence.

    With `shared_memory` sound gets to its clients as Debian's PulseAudio hands it over, which costs them a fifth less; but
    libpulse 16.1 waits for ever if the server ends while a client holds a block that both share.

    A null sink that was idle delivers its first sound about 1.5 s late; one that is kept playing does not.
    """
    folder.chmod(0o700)
    (folder / "pulse.pa").write_text(_SCRIPT.format(folder=folder))
    (folder / "alsa.conf").write_text(_ALSA)
    private = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    server = PulseServer(folder)
    with ExitStack() as children:
        shared = f"--disable-shm={'no' if shared_memory else 'yes'}"
        command = ["pulseaudio", "-n", "-F", str(folder / "pulse.pa"), *_OPTIONS, shared]
        process = children.enter_context(child(command, private))
        _wait_until_ready(server, process)
        for sink in ("speaker", "room"):
            silence = ["pacat", "--latency-msec=20", "-d", sink, "--rate=48000", "--channels=1", "/dev/zero"]
            children.enter_context(child(silence, server.environment))
        for source in ("speaker.monitor", "mic"):
            _wait_until_awake(server, source)
        yield server


@pytest.fixture(scope="module")
def pulse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PulseServer]:
    """One for the tests of a module: it works all the time, a twentieth of a processor, whether anybody listens or not."""
    with pulse_server(tmp_path_factory.mktemp("pulse")) as server:
        yield server


@pytest.fixture
def pulse_environment(pulse: PulseServer, monkeypatch: pytest.MonkeyPatch) -> PulseServer:
    for name, value in pulse.environment.items():
        monkeypatch.setenv(name, value)
    return pulse


class Socket:
    """Where a sound card can be plugged in and pulled out: a server in `folder` that ends and begins anew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._plugged = ExitStack()

    def plug_in(self) -> PulseServer:
        return self._plugged.enter_context(pulse_server(self._folder))

    def pull_out(self) -> None:
        self._plugged.close()


@pytest.fixture
def socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Socket]:
    socket = Socket(tmp_path)
    for name, value in socket.plug_in().environment.items():
        monkeypatch.setenv(name, value)
    yield socket
    socket.pull_out()
