"""`kaiwa-cloud local` and `demo` as a person at a terminal has them: keys, signals, words when something is wrong."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import re
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from device.errors import SettingsError
from provisioning.local.cloud import Choices
from provisioning.local.commands import Kept, run_demo

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

PROGRAM = (sys.executable, "-m", "provisioning")


class Terminal:
    """A program in a terminal of 100 columns, its keyboard, and all it has shown."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._shown = ""
        self.before = ""
        """What was shown just before what was waited for last."""
        self._more = asyncio.Event()

    def read(self) -> None:
        try:
            data = os.read(self._descriptor, 65_536)
        except OSError:  # what a terminal says when its program has ended
            asyncio.get_running_loop().remove_reader(self._descriptor)
            return
        self._shown += ESCAPES.sub("", data.decode(errors="replace"))
        self._more.set()

    def type(self, keys: str) -> None:
        os.write(self._descriptor, keys.encode())

    async def shows(self, text: str, seconds: float = 30.0) -> None:
        """Wait until `text` is shown, after what was waited for before."""
        async with asyncio.timeout(seconds):
            while text not in self._shown:
                self._more.clear()
                await self._more.wait()
        self.before, _, self._shown = self._shown.partition(text)


@asynccontextmanager
async def at_a_terminal(*arguments: str) -> AsyncIterator[tuple[Terminal, asyncio.subprocess.Process]]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, *arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | {"TERM": "xterm"}
    )
    os.close(theirs)
    terminal, loop = Terminal(ours), asyncio.get_running_loop()
    loop.add_reader(ours, terminal.read)
    try:
        yield terminal, process
    finally:
        if process.returncode is None:
            process.terminate()  # not killed: it has a broker to take along
        async with asyncio.timeout(20):
            await process.wait()
        loop.remove_reader(ours)
        os.close(ours)


async def test_the_keys_of_the_demo_do_what_they_say() -> None:
    async with at_a_terminal("demo", "--sound", "room") as (terminal, process):
        await terminal.shows("ready: press space", 60)
        terminal.type(" ")
        await terminal.shows("listening")
        terminal.type("1")
        await terminal.shows("ON AIR")
        await terminal.shows("speaking")
        terminal.type(" ")
        await terminal.shows("ready: press space")
        terminal.type("s")
        await terminal.shows("remote start announced")
        terminal.type("q")
        async with asyncio.timeout(20):
            assert await process.wait() == 0


@pytest.mark.usefixtures("no_sound_card")
async def test_a_robot_without_its_sound_card_says_so() -> None:
    async with at_a_terminal("demo", "--sound", "pyaudio") as (terminal, _):
        await terminal.shows("sound: no speaker", 60)


async def test_a_robot_whose_program_ends_leaves_its_words() -> None:
    async with at_a_terminal("demo", "--sound", "room") as (terminal, process):
        await terminal.shows("ready: press space", 60)
        [robot] = filter(is_robot, children(process.pid))
        os.kill(robot, signal.SIGKILL)
        await terminal.shows("The end of the robot's log:")
        await terminal.shows("offline -> idle on BrokerUp")
        async with asyncio.timeout(20):
            assert await process.wait() == 256 - signal.SIGKILL


@pytest.fixture
def no_sound_card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Without any `default` in ALSA's configuration PortAudio 19.6 aborts the process (its issue 294).
    (tmp_path / "alsa.conf").write_text("pcm.null { type null }\npcm.!default { type hw card 99 }\n")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "alsa.conf"))
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")


def runs(pid: int) -> bool:
    return Path(f"/proc/{pid}/exe").exists()  # nobody has read the end of a zombie, but it has no program any more


def is_robot(pid: int) -> bool:
    return b"device" in Path(f"/proc/{pid}/cmdline").read_bytes()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)]
)
async def test_a_local_cloud_takes_its_broker_along_however_it_ends(number: signal.Signals, code: int) -> None:
    async with at_a_terminal("local", "--web-port", "0") as (terminal, process):
        await terminal.shows("Ctrl-C ends", 60)
        [broker] = children(process.pid)
        process.send_signal(number)
        async with asyncio.timeout(20):
            assert await process.wait() == code
            while runs(broker):
                await asyncio.sleep(0.05)  # nobody is told of a grandchild's end


async def test_other_commands_reach_a_local_cloud(tmp_path: Path) -> None:
    async with at_a_terminal("local", "--web-port", "0", "--state", str(tmp_path)) as (terminal, _):
        await terminal.shows(f"kaiwa-cloud -c {tmp_path}/cloud.toml start ROBOT", 60)
        code, said = await spoken("-c", f"{tmp_path}/cloud.toml", "claim", "new", "--json")
        assert (code, json.loads(said)["claim"].startswith("kaiwa:127.0.0.1:")) == (0, True)
        assert await spoken("-c", f"{tmp_path}/cloud.toml", "devices", "--json") == (0, "[]\n")


async def spoken(*arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


@pytest.mark.parametrize(("service", "path"), [("openai", "/v1/realtime/client_secrets"), ("imageflux", "/")])
async def test_one_stand_in_alone(service: str, path: str) -> None:
    async with at_a_terminal("local", "--only", service) as (terminal, process):
        await terminal.shows("http://127.0.0.1:", 60)
        await terminal.shows("  ")
        port = terminal.before.partition("/")[0]
        async with aiohttp.ClientSession() as http, http.post(f"http://127.0.0.1:{port}{path}") as response:
            assert response.status == 401
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(20):
            assert await process.wait() == 128 + signal.SIGINT


async def test_a_real_service_needs_its_key() -> None:
    code, said = await spoken("demo", "--once", "--openai-url", "http://127.0.0.1:1/v1")
    assert (code, "set KAIWA_OPENAI_API_KEY" in said) == (2, True)


def test_the_script_of_the_demonstration_is_not_for_live_sessions() -> None:
    with pytest.raises(SettingsError, match="needs a terminal"):
        run_demo(Choices(live=True), "room", Kept(), once=True)
