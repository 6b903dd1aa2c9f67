"""The whole robot in this process: what systemd hears of it, and what becomes of one in which something stands still."""

from __future__ import annotations

import asyncio
import configparser
import gc
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from device import app, supervision
from device import heartbeat as heartbeat_module
from device.audio.block import Samples
from device.command import Exit
from device.config import DeviceSettings
from device.heartbeat import PATIENCE
from device.identity import keep_enrolment, keep_key
from device.messages.enrolment import BrokerAddress, Enrolment
from device.panel.faults import Fault
from device.panel.phrases import spoken
from device.panel.settings import PanelSettings
from device.soundcard.settings import SoundSettings
from device.supervision import LOOK_SECONDS, PASSING_SECONDS
from device.timing import Timing
from device.voice import VoicePath
from provisioning.authority import Authority

UNIT = Path(__file__).parents[2] / "systemd" / "kaiwa-device.service"


@pytest.fixture
def settings(tmp_path: Path) -> DeviceSettings:
    """A robot that was enrolled, with a broker that cannot be reached."""
    authority, now = Authority.open(tmp_path / "cloud", ("localhost",), time.time()), time.time()
    key, state = ec.generate_private_key(ec.SECP256R1()), tmp_path / "state"
    enrolment = Enrolment(
        device="robot",
        certificate=authority.chained(authority.issue_device(key.public_key(), "robot", now, 60)).decode(),
        authority=authority.root_pem,
        broker=BrokerAddress(host="127.0.0.1", port=1),
        mint_kid=authority.mint_signer.kid,
        mint_key=authority.mint_pem,
        operators={},
        server_time=now,
    )
    keep_key(state, key)
    keep_enrolment(state, enrolment)
    return DeviceSettings(
        state_dir=str(state), language="ja", panel=PanelSettings(factory="mock"), sound=SoundSettings(card="room")
    )


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    """A robot freezes what is there when it is ready; this process lives on."""
    yield
    gc.unfreeze()


@pytest.fixture
async def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[asyncio.Queue[str]]:
    """The lines that systemd is told, one after the other."""
    heard, loop = asyncio.Queue[str](), asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))

        def take() -> None:
            for line in listening.recv(4096).decode().splitlines():
                heard.put_nowait(line)

        loop.add_reader(listening, take)
        yield heard
        loop.remove_reader(listening)


async def told(heard: asyncio.Queue[str], line: str) -> None:
    async with asyncio.timeout(20):
        while await heard.get() != line:
            pass


async def test_systemd_is_told_that_it_is_ready_again_and_again_that_it_lives_and_that_it_stops(
    settings: DeviceSettings, systemd: asyncio.Queue[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "LOOK_SECONDS", 3600.0)
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    running = asyncio.create_task(app.run(settings))
    await told(systemd, "READY=1")
    for _ in range(3):
        await told(systemd, "WATCHDOG=1")
    os.kill(os.getpid(), signal.SIGTERM)
    await told(systemd, "STOPPING=1")
    assert await running == Exit()


async def test_a_robot_in_which_something_stands_still_ends_as_failed_and_waits_for_nothing_that_hangs(
    settings: DeviceSettings, systemd: asyncio.Queue[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat_module, "PATIENCE", dict.fromkeys(PATIENCE, 0.0))
    monkeypatch.setattr(supervision, "PASSING_SECONDS", 0.0)
    monkeypatch.setattr(app, "Timing", partial(Timing, standstill=0.0))
    bounds = list[float]()
    monkeypatch.setattr(app, "end_within", bounds.append)
    said = list[Samples]()
    monkeypatch.setattr(VoicePath, "say_after", lambda _voice, samples: said.append(samples))
    async with asyncio.timeout(20):
        assert await app.run(settings) == Exit(failed=True)
    assert bounds == [app.GIVE_UP_SECONDS]
    assert said == [spoken(Fault.OTHER, "ja")], "in the language of the house"
    await told(systemd, "STATUS=nothing is captured or played any more")


def test_what_stands_still_is_shown_before_systemd_ends_it() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep capitals
    unit.read_string(UNIT.read_text(encoding="utf-8"))
    patience = float(unit["Service"]["WatchdogSec"])
    sound = max(PATIENCE["captured"], PATIENCE["played"])
    assert patience / 4 > LOOK_SECONDS, "one that was not heard costs no life"
    assert 2 * LOOK_SECONDS + PASSING_SECONDS + Timing().standstill < patience
    assert sound + PASSING_SECONDS + 2 * LOOK_SECONDS < 15.0, "nobody waits longer before a robot that is dead"
