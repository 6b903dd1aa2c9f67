"""The doctor's hands, on real sockets, a real broker and minter, and folders that look like a board's."""

from __future__ import annotations

import asyncio
import ssl
import time
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from cryptography import x509

from device.audio.block import BLOCK, RATE
from device.audio.echo import EchoMode
from device.audio.level import rms_dbfs
from device.audio.opus import OpusSettings
from device.doctor.checks.broker import check as check_broker
from device.doctor.checks.tools import ToolFacts
from device.doctor.checks.tools import check as check_tools
from device.doctor.gather import broker, network, pins, sound, tools
from device.doctor.gather.computer import gather_cpu, gather_disk, gather_power
from device.doctor.gather.picture import gather_picture
from device.doctor.gather.sound import Wish
from device.identity import Identity, keep_enrolment, keep_key
from device.messages import topics
from device.messages.enrolment import BrokerAddress, Enrolment
from device.messages.envelope import MINT_ANSWER, seal_envelope
from device.messages.minting import MintAnswer, Refusal
from device.panel.settings import PanelSettings
from device.realtime.settings import RealtimeSettings
from device.sora.settings import BroadcastSettings
from device.soundcard.opening import open_card
from device.soundcard.settings import RoomSettings, SoundSettings
from device.tools.settings import OutputSettings, ToolsSettings
from provisioning.authority import MINTER, Authority
from provisioning.link import connection
from provisioning.mosquitto import MosquittoProcess
from tests.provisioning.minting_bench import Bench, minting_bench
from tests.pulse import PulseServer


class Stun(asyncio.DatagramProtocol):
    """Answers binding requests, from the second one on."""

    def __init__(self) -> None:
        self.seen = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # as asyncio does
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.seen += 1
        self._transport.sendto(b"\x01\x01\x00\x00" + bytes(16), address)  # for somebody else
        if self.seen > 1:
            self._transport.sendto(b"\x01\x01\x00\x00" + data[4:20], address)


@asynccontextmanager
async def stun_server(server: Callable[[], Stun] = Stun) -> AsyncIterator[int]:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(server, local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


async def test_udp_comes_back_although_a_datagram_was_lost() -> None:
    stun = Stun()
    async with stun_server(lambda: stun) as port:
        probe = await network.probe_udp("127.0.0.1", port)
    assert not probe.error
    assert stun.seen == 2, "an answer to somebody else is none"
    assert 0.0 < probe.seconds < 1.0


async def test_udp_that_nobody_answers_is_told() -> None:
    async with stun_server() as port:
        pass
    assert (await network.probe_udp("127.0.0.1", port)).error == "Connection refused"
    assert (await network.probe_udp("no.such.host.invalid", 3478)).stage == "name"


async def test_tls_that_is_not_trusted_is_told(tmp_path: Path) -> None:
    async with bench(tmp_path) as ready:
        context = ssl.create_default_context()
        port = ready.broker.endpoint.port
        assert (await network.probe_tls("127.0.0.1", port, context)).stage == "trust"
    assert (await network.probe_tls("127.0.0.1", port, context)).stage == "reach"
    assert (await network.probe_tls("no.such.host.invalid", 443, context)).stage == "name"


class Cloud:
    """A broker, a minter, and one board that both know."""

    ahead = 100.0
    """Seconds by which its clock is ahead of the board's."""

    def __init__(self, minting: Bench, server: MosquittoProcess, folder: Path) -> None:
        self.minting, self.broker, self._folder = minting, server, folder

    async def board(self, name: str = "robot-1", port: int = 0) -> Identity:
        robot = await self.minting.robot(name, now=time.time())
        authority = self.minting.authority
        certificate = authority.issue_device(robot.key.public_key(), name, time.time(), 30)
        folder = self._folder / name
        keep_key(folder, robot.key)
        keep_enrolment(
            folder,
            Enrolment(
                device=name,
                certificate=authority.chained(certificate).decode(),
                authority=authority.root_pem,
                broker=BrokerAddress(host="127.0.0.1", port=port or self.broker.endpoint.port),
                mint_kid=robot.mint_kid,
                mint_key=robot.mint_key,
                operators={},
                server_time=time.time(),
            ),
        )
        return Identity.load(folder, time.time())

    async def mint(self) -> None:
        """Answer one request, after a stale answer."""
        authority = self.minting.authority
        tls = authority.client_context(authority.service(MINTER, time.time()))
        async with connection(self.broker.endpoint, MINTER, tls) as client:
            await client.subscribe(topics.MINTERS, qos=1)
            self.ready.set()
            async for message in client.messages:
                device = topics.device_of(message.topic.value)
                stale = MintAnswer(device=device, nonce="0" * 32, server_time=0.0, refusal=Refusal.QUOTA)
                sealed = seal_envelope(MINT_ANSWER, stale, authority.mint_signer)
                await client.publish(topics.mint_answer(device), sealed, qos=1)
                answer = await self.minting.minter.answer(message.payload, device, time.time() + self.ahead)
                assert answer is not None
                await client.publish(topics.mint_answer(device), answer, qos=1)
                return

    async def examined(self, identity: Identity) -> broker.CloudFacts:
        """Return what the doctor sees while the minter serves."""
        self.ready = asyncio.Event()
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            minting = tasks.create_task(self.mint())
            await self.ready.wait()
            facts = await broker.gather(identity, running=False)
            minting.cancel()
        return facts


@asynccontextmanager
async def bench(folder: Path) -> AsyncIterator[Cloud]:
    async with minting_bench(folder) as minting:
        minting.authority.service(MINTER, time.time())
        async with MosquittoProcess(minting.authority, folder / "broker") as server:
            yield Cloud(minting, server, folder / "boards")


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[Cloud]:
    async with bench(tmp_path) as ready:
        yield ready


def codes(facts: broker.CloudFacts) -> list[str]:
    return [finding.phrase.code for finding in check_broker(facts.broker)]


@pytest.mark.parametrize("ahead", [100.0, 0.0])
async def test_a_dry_run_reaches_the_minter_tells_the_time_and_books_nothing(cloud: Cloud, ahead: float) -> None:
    cloud.ahead = ahead
    facts = await cloud.examined(await cloud.board())
    assert codes(facts) == ["broker.good", "mint.good"]
    assert facts.offset == pytest.approx(ahead, abs=facts.uncertainty + 0.5)
    assert cloud.minting.granted == []
    assert cloud.minting.realtime.requests == []
    async with cloud.minting.store.transaction() as t:
        counts = await t.sessions.counts("robot-1", time.time())
    assert (counts.live, counts.today, counts.minute) == (0, 0, 0)


async def test_an_answer_with_another_signature_is_not_believed(cloud: Cloud, tmp_path: Path) -> None:
    identity = await cloud.board()
    other = Authority.open(tmp_path / "other", ("127.0.0.1",), time.time())
    mistaken = msgspec.structs.replace(identity.enrolment, mint_key=other.mint_pem)
    assert codes(await cloud.examined(replace(identity, enrolment=mistaken))) == ["broker.good", "mint.forged"]


async def test_a_minter_that_is_away_is_told(cloud: Cloud) -> None:
    facts = await broker.gather(await cloud.board(), running=False, wait=0.3)
    assert codes(facts) == ["broker.good", "mint.silent"]
    assert facts.offset is None


async def test_a_revoked_board_is_told(cloud: Cloud) -> None:
    identity = await cloud.board()
    serial = x509.load_pem_x509_certificate(identity.enrolment.certificate.encode()).serial_number
    cloud.minting.authority.revoke([(serial, time.time())], time.time())
    await cloud.broker.reload()
    assert codes(await broker.gather(identity, running=False)) == ["broker.refused"]


async def test_a_broker_that_is_away_or_a_stranger_is_told(cloud: Cloud, tmp_path: Path) -> None:
    identity = await cloud.board()
    async with bench(tmp_path / "other") as other:
        stranger = await cloud.board("robot-2", port=other.broker.endpoint.port)
        assert codes(await broker.gather(stranger, running=False)) == ["broker.stranger"]
        foreign = await other.board("robot-3", port=cloud.broker.endpoint.port)
    trusting = msgspec.structs.replace(foreign.enrolment, authority=identity.enrolment.authority)
    assert codes(await broker.gather(replace(foreign, enrolment=trusting), running=False)) == ["broker.refused"]
    gone = await cloud.board("robot-4", port=other.broker.endpoint.port)
    assert codes(await broker.gather(gone, running=False)) == ["broker.unreachable"]


async def test_a_running_robot_is_not_thrown_off(cloud: Cloud) -> None:
    assert codes(await broker.gather(await cloud.board(), running=True)) == ["broker.running"]
    assert codes(await broker.gather(None, running=False)) == ["broker.no_identity"]


async def test_every_pin_of_the_panel_is_looked_at() -> None:
    facts = await pins.gather(PanelSettings(factory="mock", mute=5, green=6, blue=13))
    assert facts.used == {"button": 23, "mute": 5, "light": 24, "green": 6, "blue": 13, "on_air": 25}


async def test_pins_of_a_computer_without_any() -> None:
    facts = await pins.gather(PanelSettings(factory="mock"))
    assert facts.stood_in
    assert not facts.pressed
    assert not facts.showing
    assert facts.used == {"button": 23, "light": 24, "on_air": 25}
    assert facts.user


async def test_outputs_are_pins_too() -> None:
    lamp = OutputSettings(name="lamp", pin=23, description="A lamp.")
    facts = await pins.gather(PanelSettings(factory="mock"), outputs=[lamp])
    assert facts.used == {"button": 23, "light": 24, "on_air": 25, "lamp": 23}
    assert "lamp on GPIO 23 cannot be used" in facts.error


def said(facts: ToolFacts) -> list[str]:
    return [finding.phrase.code for finding in check_tools(facts)]


def test_tools_are_looked_at_by_making_them(tmp_path: Path) -> None:
    lamp = OutputSettings(name="lamp", pin=17, description="A lamp.")
    assert said(tools.gather(ToolsSettings())) == ["tools.none"]
    (tmp_path / "bell.py").write_text(
        'from device.tools import tool\n\n\n@tool\ndef ring() -> None:\n    """Ring."""\n', encoding="utf-8"
    )
    facts = tools.gather(ToolsSettings(folder=str(tmp_path), outputs=(lamp,)))
    assert (facts.names, said(facts)) == (("lamp", "ring"), ["tools.good"])
    (tmp_path / "bell.py").write_text("\n1 / 0\n", encoding="utf-8")
    facts = tools.gather(ToolsSettings(folder=str(tmp_path)))
    assert said(facts) == ["tools.broken"]
    assert facts.error == f"{tmp_path}/bell.py:2: ZeroDivisionError: division by zero"
    clash = msgspec.structs.replace(lamp, name="volume")
    assert "two tools of one name: volume" in tools.gather(ToolsSettings(outputs=(clash,))).error
    assert "no time zone" in tools.gather(ToolsSettings(time_zone="Mars")).error


async def test_the_board_is_read_from_its_files(tmp_path: Path) -> None:
    for name, text in {
        "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
        "dev/gpiochip0": "",
        "run/kaiwa-device-fault/.gpio": "",
        "boot/firmware/config.txt": "dtoverlay=googlevoicehat-soundcard\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    facts = await pins.gather(PanelSettings(factory="mock"), tmp_path)
    assert facts.model == "Raspberry Pi 5 Model B Rev 1.0"
    assert [chip.usable for chip in facts.chips] == [True]
    assert facts.i2s
    assert facts.showing


def test_power_is_read_from_the_kernel(tmp_path: Path) -> None:
    empty = gather_power(tmp_path / "nothing")
    assert (empty.under_voltage, empty.temperature) == (None, None)
    for name, text in {
        "sys/devices/platform/soc/soc:firmware/get_throttled": "50005\n",
        "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1\n",
        "sys/class/thermal/thermal_zone0/temp": "51540\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    facts = gather_power(tmp_path)
    assert (facts.throttled, facts.under_voltage, facts.temperature) == (0x50005, True, 51.54)


def test_power_is_asked_of_the_firmware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "vcgencmd"
    program.write_text('#!/bin/sh\n[ "$1" = get_throttled ] && echo throttled=0x80008\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert gather_power(tmp_path).throttled == 0x80008


def test_the_processor_is_measured() -> None:
    facts = gather_cpu(EchoMode.NONE, RealtimeSettings(), BroadcastSettings())
    assert facts.cores >= 1
    assert 0.0 < facts.voice_path < 5.0
    assert 0.0 < facts.yardstick < 5.0
    assert facts.packets == 100.0
    assert facts.picture == 0.0
    long = RealtimeSettings(opus=OpusSettings(packet_ms=40))
    assert gather_cpu(EchoMode.NONE, long, BroadcastSettings(enabled=False)).packets == 25.0
    words, character = (gather_picture(BroadcastSettings(picture=kind)) for kind in ("captions", "character"))
    assert 0.0 < words < 2.0
    assert 0.0 < character < 2.0
    assert gather_picture(BroadcastSettings(picture="character", enabled=False)) == 0.0


def test_the_disk_is_tried_where_the_state_will_be(tmp_path: Path) -> None:
    facts = gather_disk(tmp_path / "not" / "yet")
    assert (facts.path, facts.error) == (str(tmp_path), "")
    assert facts.free > 0
    assert gather_disk(Path("/proc/1")).error


async def test_the_simulated_room_is_heard() -> None:
    facts = await sound.gather(SoundSettings(card="room"), Wish(0.4), running=False)
    assert facts.heard is not None
    assert facts.heard.stood_in
    assert facts.heard.blocks == 20
    assert facts.heard.average == pytest.approx(-65.0, abs=1.0)
    assert facts.heard.peak > facts.heard.average


async def test_levels_are_those_of_the_last_moment_of_all_and_of_the_highest() -> None:
    blocks = [np.full(BLOCK, 100, np.int16)] * 10 + [np.full(BLOCK, 10_000, np.int16)] * 8
    blocks += [np.full(BLOCK, -32_768, np.int16), np.full(BLOCK, 32_767, np.int16)]
    async with open_card(SoundSettings(card="room"), lambda _: None) as card:
        heard = sound._heard(card, blocks, 0.4, 3)
        quiet = sound._heard(card, blocks[:10] * 2, 0.4, 0)
    assert heard.now == pytest.approx(-5.6, abs=0.1)
    assert heard.average == pytest.approx(heard.now - 3.0, abs=0.1)
    assert heard.peak == pytest.approx(0.0, abs=0.01)
    assert (heard.clipped, heard.xruns, heard.blocks) == (2, 3, 20)
    assert quiet.now == quiet.average == pytest.approx(quiet.peak)


async def test_what_was_recorded_is_heard_from_the_speaker(tmp_path: Path) -> None:
    played = tmp_path / "speaker.wav"
    room = RoomSettings(loudspeaker_wav=str(played), noise=-40.0)
    facts = await sound.gather(SoundSettings(card="room", room=room), Wish(0.02, record=0.2), running=False)
    assert facts.played_back is not None
    with wave.open(str(played)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    sounding = samples[np.flatnonzero(samples)[0] :][: round(0.15 * RATE)]
    assert rms_dbfs(sounding) == pytest.approx(-40.0, abs=1.0)


async def test_a_running_robot_keeps_its_card() -> None:
    facts = await sound.gather(SoundSettings(card="room"), Wish(0.2), running=True)
    assert (facts.heard, facts.error) == (None, "")


@pytest.mark.usefixtures("pulse_environment")
async def test_devices_are_told_with_their_rates_and_recording_is_played_back(pulse: PulseServer) -> None:
    with pulse.echo_path():
        facts = await sound.gather(SoundSettings(card="pyaudio"), Wish(0.2, record=0.3), running=False)
    assert [device.name for device in facts.devices] == ["pulse", "default"]
    assert all(48_000 in device.microphone and 48_000 in device.speaker for device in facts.devices)
    assert facts.heard is not None
    assert not facts.heard.stood_in
    assert facts.played_back is not None
    assert facts.played_back.blocks == 15


@pytest.mark.usefixtures("pulse_environment")
async def test_a_card_that_is_not_there_is_told() -> None:
    facts = await sound.gather(SoundSettings(card="pyaudio", input="Jabra"), Wish(0.2), running=False)
    assert facts.heard is None
    assert "no microphone 'Jabra'" in facts.error
