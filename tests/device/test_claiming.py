"""A robot without a keyboard gets a new identity from a claim that lies about; the authority is the real one."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import msgspec
import pytest

from device.__main__ import EXIT_NOT_ENROLLED, main
from device.claiming import AGAIN_SECONDS, Claims, Speaker, claimed_at_start, wait_for_claim
from device.config import ClaimSettings, DeviceSettings
from device.enrol import enrol
from device.identity import Identity
from device.panel.board import Panel
from device.panel.earcons import Earcon
from device.panel.patterns import Light
from device.panel.settings import PanelSettings
from device.soundcard.settings import SoundSettings
from tests.enrolment import EnrolmentServer, enrolment_server

Change = Callable[..., DeviceSettings]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EnrolmentServer]:
    (tmp_path / "cloud").mkdir()
    async with enrolment_server(tmp_path / "cloud") as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path) -> DeviceSettings:
    (tmp_path / "robot").mkdir()
    return DeviceSettings(
        state_dir=str(tmp_path / "robot"),
        panel=PanelSettings(factory="mock"),
        sound=SoundSettings(card="room"),
        claim=ClaimSettings(files=(f"{tmp_path}/*/kaiwa-claim.txt",), look_seconds=0.05, wait_seconds=10),
    )


class Watched:
    """What a waiting robot shows and plays."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shown: list[str] = []
        self.played: list[Earcon] = []
        self.panels: list[Panel] = []
        self._more = asyncio.Event()
        show = Panel.show

        def seen(panel: Panel, light: Light | str) -> None:
            show(panel, light)
            self.shown.append(light)
            self.panels.append(panel)
            self._more.set()

        def heard(_speaker: Speaker, earcon: Earcon) -> None:
            self.played.append(earcon)
            self._more.set()

        monkeypatch.setattr(Panel, "show", seen)
        monkeypatch.setattr(Speaker, "play", heard)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self._more.clear()
                await self._more.wait()


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(monkeypatch)


def lay(tmp_path: Path, text: str) -> Path:
    """Put a claim on the card, as Windows would write it."""
    folder = tmp_path / "firmware"
    folder.mkdir(exist_ok=True)
    file = folder / "kaiwa-claim.txt"
    file.write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\r\n")
    return file


def device_of(settings: DeviceSettings) -> str:
    return Identity.load(Path(settings.state_dir), time.time()).device


async def test_a_claim_on_the_card_makes_a_new_robot_and_is_used_once(
    server: EnrolmentServer, settings: DeviceSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert not await claimed_at_start(settings)
    claim = await server.claim("hana")
    lay(tmp_path, claim)
    caplog.set_level(logging.INFO)
    assert await claimed_at_start(settings)
    assert device_of(settings) == "hana"
    assert not await claimed_at_start(settings), "one that has been used is not tried again"
    assert claim.split("#", maxsplit=1)[0].rsplit("/", maxsplit=1)[1] not in caplog.text
    assert claim not in (Path(settings.state_dir) / "claims.used").read_text()


async def test_a_robot_that_waits_shows_it_takes_what_it_finds_and_is_another(
    server: EnrolmentServer, settings: DeviceSettings, tmp_path: Path, watched: Watched
) -> None:
    lay(tmp_path, await server.claim("hana"))
    await claimed_at_start(settings)
    waiting = asyncio.create_task(wait_for_claim(settings))
    await watched.until(lambda: Earcon.CLAIM in watched.played)
    assert watched.shown == [Light.CLAIMING]
    assert device_of(settings) == "hana", "nothing is forgotten by waiting"
    lay(tmp_path, "kaiwa:127.0.0.1:1/ABCDEFGH#" + "0" * 64)
    await watched.until(lambda: Earcon.FAULT_REFUSED in watched.played)
    assert device_of(settings) == "hana"
    lay(tmp_path, await server.claim("ken"))
    assert await waiting
    assert device_of(settings) == "ken"
    assert watched.played == [Earcon.CLAIM, Earcon.FAULT_REFUSED, Earcon.LIVE]


async def test_an_enrolment_by_hand_ends_the_wait(
    server: EnrolmentServer, settings: DeviceSettings, watched: Watched
) -> None:
    waiting = asyncio.create_task(wait_for_claim(settings))
    await watched.until(lambda: Earcon.CLAIM in watched.played)
    async with aiohttp.ClientSession() as http:
        await enrol(await server.claim("hana"), Path(settings.state_dir), http)
    assert await waiting


async def test_a_press_ends_the_wait(settings: DeviceSettings, watched: Watched) -> None:
    waiting = asyncio.create_task(wait_for_claim(settings))
    await watched.until(lambda: Earcon.CLAIM in watched.played)
    watched.panels[0].press()
    assert not await waiting
    assert watched.played == [Earcon.CLAIM, Earcon.END]


async def test_the_wait_ends_by_itself(settings: DeviceSettings, watched: Watched) -> None:
    brief = msgspec.structs.replace(settings, claim=msgspec.structs.replace(settings.claim, wait_seconds=0.1))
    assert not await wait_for_claim(brief)
    assert watched.played[-1] is Earcon.END


def test_a_claim_that_could_not_be_used_is_tried_again_after_a_while(tmp_path: Path) -> None:
    lay(tmp_path, "kaiwa:somewhere")
    claims = Claims((f"{tmp_path}/*/kaiwa-claim.txt",), tmp_path)
    assert list(claims.found(100.0)) == ["kaiwa:somewhere"]
    assert list(claims.found(101.0)) == []
    assert list(claims.found(100.0 + AGAIN_SECONDS)) == ["kaiwa:somewhere"]


def test_what_is_no_text_is_no_claim(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lay(tmp_path, "").write_bytes(b"\xff\xfe\x00")
    assert list(Claims((f"{tmp_path}/*/kaiwa-claim.txt",), tmp_path).found(0.0)) == []
    assert "cannot be read" in caplog.text


def test_a_board_that_was_never_enrolled_looks_for_a_claim_before_it_gives_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    lay(tmp_path, "kaiwa:nonsense")
    path = tmp_path / "device.toml"
    path.write_text(f'state_dir = "{tmp_path}/robot"\n[claim]\nfiles = ["{tmp_path}/*/kaiwa-claim.txt"]\n')
    assert main(["run", "--config", str(path)]) == EXIT_NOT_ENROLLED
    assert "is not enrolled" in capsys.readouterr().err
    assert "not a claim code" in caplog.text


async def test_the_watchdog_is_fed_while_it_waits(
    settings: DeviceSettings, watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        waiting = asyncio.create_task(wait_for_claim(settings))
        async with asyncio.timeout(5):
            assert b"WATCHDOG=1" in await asyncio.get_running_loop().sock_recv(systemd, 4096)
        await watched.until(lambda: bool(watched.panels))
        watched.panels[0].press()
        assert not await waiting
