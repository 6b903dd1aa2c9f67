"""What is said about which facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.audio.block import RATE
from device.boards import CHOICES, Board
from device.doctor.checks import board, broker, clock, computer, identity, network, pins, records, sound
from device.doctor.findings import Finding, Language
from device.panel.settings import PanelSettings

DAY = 86_400.0
USED = {"button": 23, "light": 24, "on_air": 25}
CHIP = pins.Chip("/dev/gpiochip0", usable=True)
LOCKED = pins.Chip("/dev/gpiochip0", usable=False)
HEARD = sound.Heard("USB Phone", False, 2.0, 100, -62.0, -60.0, -45.0, 0, 0)
PHONE = sound.DeviceFacts(1, "S330: USB Audio (hw:1,0)", (16_000, RATE), (RATE,), "usb:1-1.3")
TWINS = (PHONE, replace(PHONE, index=2, name="S330: USB Audio (hw:2,0)", place="usb:1-1.4"))
PROBE = network.Probe("stun.example", 3478, 0.02)
TLS = network.Probe("api.example", 443, 0.1)


def codes(found: list[Finding]) -> list[str]:
    for finding in found:
        for language in get_args(Language):
            assert "{" not in finding.text(language) + finding.fix(language)
    return [finding.phrase.code for finding in found]


PINS = pins.PinFacts("Raspberry Pi 4", (CHIP,), "pi", USED, i2s=False, stood_in=False, error="", pressed=False)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["pins.good"]),
        ({"stood_in": True}, ["pins.stood_in"]),
        ({"chips": (LOCKED,), "error": "cannot be used"}, ["pins.permission"]),
        ({"chips": (), "error": "cannot be used"}, ["pins.no_chip"]),
        ({"error": "GPIO 23 cannot be used: 'GPIO busy'"}, ["pins.busy"]),
        ({"error": "GPIO 23 cannot be used: 'GPIO busy'", "showing": True}, ["pins.showing"]),
        ({"error": "GPIO 23 cannot be used: broken"}, ["pins.unusable"]),
        ({"pressed": True}, ["pins.pressed"]),
        ({"used": {"button": 23, "light": 23, "on_air": 25}}, ["pins.same"]),
        ({"used": {"button": 20, "light": 16, "on_air": 25}}, ["pins.good"]),
        ({"used": {"button": 20, "light": 16, "on_air": 25}, "i2s": True}, ["pins.sound", "pins.sound"]),
    ],
)
def test_pins(changes: dict[str, Any], expected: list[str]) -> None:
    assert codes(pins.check(replace(PINS, **changes))) == expected


def test_the_default_pins_leave_an_i2s_card_alone() -> None:
    used = {name: value for name, value in msgspec.structs.asdict(PanelSettings()).items() if name in USED}
    assert codes(pins.check(replace(PINS, used=used, i2s=True))) == ["pins.good"]


@pytest.mark.parametrize(
    ("line", "on"),
    [
        ("dtparam=i2s=on", True),
        ("dtparam=spi=on,i2s=on", True),
        ("dtoverlay=googlevoicehat-soundcard", True),
        ("dtoverlay=wm8960-soundcard", True),
        ("#dtparam=i2s=on", False),
        ("dtparam=audio=on", False),
        ("dtparam=i2s=off", False),
        ("dtoverlay=vc4-kms-v3d", False),
    ],
)
def test_the_boot_configuration_tells_of_an_i2s_card(line: str, on: bool) -> None:
    assert pins.switches_i2s_on(f"# comment\n{line}\n[all]\n") is on


IDENTITY = identity.IdentityFacts("robot-1", 0.0, 60 * DAY, 10 * DAY, "")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "identity.good"),
        ({"now": 44 * DAY}, "identity.good"),
        ({"now": 46 * DAY}, "identity.ending"),
        ({"now": -DAY}, "identity.future"),
        ({"error": "not enrolled"}, "identity.unusable"),
    ],
)
def test_identity(changes: dict[str, Any], expected: str) -> None:
    assert codes(identity.check(replace(IDENTITY, **changes))) == [expected]


CLOCK = clock.ClockFacts(1000 * DAY, 999 * DAY, None, 0.0, None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "clock.unknown"),
        ({"synchronized": True}, "clock.ntp"),
        ({"synchronized": False}, "clock.free"),
        ({"now": 10.0}, "clock.behind"),
        ({"now": 10.0, "synchronized": False}, "clock.behind"),
        ({"offset": -1.9, "uncertainty": 0.1}, "clock.good"),
        ({"offset": 5.0, "uncertainty": 4.0}, "clock.good"),
        ({"offset": 30.0}, "clock.off"),
        ({"offset": -61.0}, "clock.far_off"),
        ({"now": 10.0, "offset": 0.5}, "clock.good"),
    ],
)
def test_clock(changes: dict[str, Any], expected: str) -> None:
    assert codes(clock.check(replace(CLOCK, **changes))) == [expected]


@pytest.mark.parametrize(
    ("udp", "tls", "expected"),
    [
        ({}, {}, ["network.udp", "network.tls"]),
        ({"seconds": 0.5}, {}, ["network.udp_slow", "network.tls"]),
        ({"error": "3 datagrams, no answer"}, {}, ["network.udp_closed", "network.tls"]),
        ({"error": "unknown", "stage": "name"}, {}, ["network.no_name", "network.tls"]),
        ({}, {"error": "self-signed", "stage": "trust"}, ["network.udp", "network.no_trust"]),
        ({}, {"error": "refused", "stage": "reach"}, ["network.udp", "network.closed"]),
        ({}, {"error": "unknown", "stage": "name"}, ["network.udp", "network.no_name"]),
    ],
)
def test_network(udp: dict[str, Any], tls: dict[str, Any], expected: list[str]) -> None:
    assert codes(network.check(network.NetworkFacts(replace(PROBE, **udp), replace(TLS, **tls)))) == expected


BROKER = broker.BrokerFacts("robot-1", "cloud:8883", False, 0.05, "", "", None)
MINT = broker.MintFacts(0.1, "CLOCK_SKEW", "expired", "")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["broker.good"]),
        ({"device": ""}, ["broker.no_identity"]),
        ({"running": True}, ["broker.running"]),
        ({"stage": "reach", "error": "refused"}, ["broker.unreachable"]),
        ({"stage": "name", "error": "unknown"}, ["broker.unreachable"]),
        ({"stage": "trust", "error": "unable to get local issuer"}, ["broker.stranger"]),
        ({"stage": "refused", "error": "sslv3 alert certificate revoked"}, ["broker.refused"]),
        ({"stage": "topics"}, ["broker.no_topics"]),
        ({"mint": MINT}, ["broker.good", "mint.good"]),
        ({"mint": replace(MINT, refusal="")}, ["broker.good", "mint.silent"]),
        ({"mint": replace(MINT, forged="bad signature")}, ["broker.good", "mint.forged"]),
        ({"mint": replace(MINT, refusal="REVOKED")}, ["broker.good", "mint.refused"]),
    ],
)
def test_broker(changes: dict[str, Any], expected: list[str]) -> None:
    assert codes(broker.check(replace(BROKER, **changes))) == expected


def test_the_choices_of_the_profile_are_told_with_their_reasons_in_both_languages() -> None:
    first, *rest = CHOICES[Board.ZERO2W]
    found = board.check(Board.ZERO2W, tuple(rest), ((first, "aec3"),))
    assert codes(found) == ["board.chosen"] * len(rest) + ["board.overruled"]
    assert found[0].text("en").startswith("the profile zero2w has realtime.opus.complexity = 1: the encoder may")
    assert "echo.mode = aec3, the profile zero2w would have half-duplex: a canceller" in found[-1].text("en")
    for finding, choice in zip(found, [*rest, first], strict=True):
        assert choice.ja in finding.text("ja")
        assert choice.key in finding.text("ja")
    assert codes(board.check(Board.OTHER, (), ())) == ["board.plain"]


@pytest.mark.parametrize(
    ("voice_path", "yardstick", "load", "expected"),
    [
        (0.08, 0.04, 0.5, ["cpu.good"]),
        (0.41, 0.04, 0.5, ["cpu.slow"]),
        (0.08, 0.09, 0.5, ["cpu.slow"]),
        (0.08, 0.04, 3.8, ["cpu.good", "cpu.busy"]),
    ],
)
def test_cpu(voice_path: float, yardstick: float, load: float, expected: list[str]) -> None:
    assert codes(computer.check_cpu(computer.CpuFacts(4, load, voice_path, yardstick))) == expected


def test_fewer_packets_take_less() -> None:
    many, few = (computer.check_cpu(computer.CpuFacts(4, 0.5, 0.2, 0.08, packets)) for packets in (100.0, 42.0))
    assert (codes(many), codes(few)) == (["cpu.slow"], ["cpu.good"])
    assert "a session takes about 65 % of one of 4 cores" in few[0].text("en")


def test_the_picture_counts_too() -> None:
    assert codes(computer.check_cpu(computer.CpuFacts(4, 0.5, 0.15, 0.03))) == ["cpu.good"]
    found = computer.check_cpu(computer.CpuFacts(4, 0.5, 0.15, 0.03, picture=0.4))
    assert codes(found) == ["cpu.slow"]
    assert "(40 % for the picture)" in found[0].text("en")


@pytest.mark.parametrize(
    ("throttled", "alarm", "temperature", "expected"),
    [
        (None, None, None, ["power.unknown"]),
        (0, None, 51.0, ["power.good"]),
        (None, False, None, ["power.good"]),
        (0x50005, None, 51.0, ["power.now"]),
        (0x50000, None, 51.0, ["power.before"]),
        (0x50000, True, 51.0, ["power.now"]),
        (0, None, 83.0, ["power.heat"]),
        (0x8, None, 85.0, ["power.now", "power.heat"]),
    ],
)
def test_power(throttled: int | None, alarm: bool | None, temperature: float | None, expected: list[str]) -> None:
    assert codes(computer.check_power(computer.PowerFacts(throttled, alarm, temperature))) == expected


def test_power_says_what_is_wrong() -> None:
    (finding,) = computer.check_power(computer.PowerFacts(0x50005, None, None))
    assert finding.text("en") == "now: under-voltage, throttled"
    assert finding.text("ja") == "現在: 電圧低下、速度の制限"


@pytest.mark.parametrize(("bit", "words"), [(bit, words[0]) for bit, words in computer.NOW.items()])
def test_each_bit_of_the_firmware_is_told_as_now_and_as_before(bit: int, words: str) -> None:
    now, before = (computer.check_power(computer.PowerFacts(1 << at, None, None)) for at in (bit, bit + 16))
    assert [finding.text("en") for finding in now] == [f"now: {words}"]
    assert [finding.text("en") for finding in before] == [f"since the start: {words}"]


@pytest.mark.parametrize(
    ("free", "error", "expected"),
    [
        (3_000_000_000, "", "disk.good"),
        (150_000_000, "", "disk.low"),
        (5_000_000, "No space left on device", "disk.full"),
        (3_000_000_000, "Read-only file system", "disk.read_only"),
    ],
)
def test_disk(free: int, error: str, expected: str) -> None:
    assert codes(computer.check_disk(computer.DiskFacts("/var/lib/kaiwa", free, error))) == [expected]


SOUND = sound.SoundFacts("pi", (), "default", "default", False, "", HEARD, None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["sound.good"]),
        ({"running": True, "heard": None}, ["sound.held"]),
        ({"heard": None, "error": "no microphone"}, ["sound.unusable"]),
        ({"heard": replace(HEARD, stood_in=True)}, ["sound.stood_in"]),
        ({"heard": replace(HEARD, peak=-100.0)}, ["sound.muted"]),
        ({"heard": replace(HEARD, average=-30.0)}, ["sound.noisy"]),
        ({"heard": replace(HEARD, clipped=3)}, ["sound.clipped"]),
        ({"heard": replace(HEARD, blocks=60)}, ["sound.lost"]),
        ({"heard": replace(HEARD, xruns=9)}, ["sound.lost"]),
        ({"played_back": HEARD}, ["sound.good", "sound.played_back"]),
        ({"devices": (PHONE,)}, ["sound.device", "sound.good"]),
        ({"devices": (PHONE,), "input": 1}, ["sound.device", "sound.by_number", "sound.good"]),
        ({"heard": replace(HEARD, blocks=0, now=-100.0, average=-100.0, peak=-100.0)}, ["sound.silent"]),
        ({"devices": TWINS, "input": "s330"}, ["sound.device", "sound.device", "sound.ambiguous", "sound.good"]),
        ({"devices": TWINS, "input": "usb:1-1.4"}, ["sound.device", "sound.device", "sound.good"]),
        ({"devices": TWINS, "output": "2"}, ["sound.device", "sound.device", "sound.by_number", "sound.good"]),
        ({"devices": (PHONE, replace(TWINS[1], name="S340")), "input": "S330"}, ["sound.device"] * 2 + ["sound.good"]),
        (
            {"devices": (PHONE, replace(TWINS[1], microphone=())), "input": "S330"},
            ["sound.device"] * 2 + ["sound.good"],
        ),
    ],
)
def test_sound(changes: dict[str, Any], expected: list[str]) -> None:
    assert codes(sound.check(replace(SOUND, **changes))) == expected


def test_a_device_is_told_with_its_rates_and_the_name_that_stays() -> None:
    device, numbered, _ = sound.check(replace(SOUND, devices=(PHONE,), input="1"))
    assert device.text("en") == "device 1 S330: USB Audio (hw:1,0): mic 16/48 kHz; speaker 48 kHz; usb:1-1.3"
    assert device.text("ja").endswith(": マイク 16/48 kHz; スピーカー 48 kHz; usb:1-1.3")
    assert numbered.fix("en") == 'Write `input = "usb:1-1.3"` instead.'


def test_a_device_that_cannot_do_what_is_needed_says_so() -> None:
    (device, _) = sound.check(replace(SOUND, devices=(replace(PHONE, microphone=(16_000,), speaker=()),)))
    assert "mic 16 kHz (not 48!);" in device.text("en")
    (device, _) = sound.check(replace(SOUND, devices=(replace(PHONE, microphone=(), speaker=()),)))
    assert "in use, or no mono" in device.text("en")


def test_two_cards_of_one_make_are_told_apart_by_their_ports() -> None:
    used = tuple(replace(phone, microphone=(), speaker=()) for phone in TWINS)  # by the robot that runs
    for devices in (TWINS, used, TWINS[::-1]):
        found = sound.check(replace(SOUND, devices=devices, output="S330"))
        (several,) = [finding for finding in found if finding.phrase.code == "sound.ambiguous"]
        assert several.text("en").startswith('[sound] output = "S330" fits 2 devices at usb:1-1.3, usb:1-1.4; ')
        assert '`output = "usb:1-1.3"`' in several.fix("ja")


floats = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)


@settings(max_examples=30)
@given(
    st.builds(
        sound.Heard,
        st.text(),
        st.booleans(),
        st.floats(0, 1e6),
        st.integers(0, 10**6),
        floats,
        floats,
        floats,
        st.integers(0, 99),
        st.integers(0, 99),
    )
)
def test_whatever_is_heard_something_is_said(heard: sound.Heard) -> None:
    assert sound.check(replace(SOUND, heard=heard))


@settings(max_examples=30)
@given(st.none() | st.integers(0, 2**32 - 1), st.none() | st.booleans(), st.none() | floats)
def test_whatever_the_power_something_is_said(word: int | None, alarm: bool | None, temperature: float | None) -> None:
    assert computer.check_power(computer.PowerFacts(word, alarm, temperature))


@settings(max_examples=30)
@given(
    st.builds(
        clock.ClockFacts, floats, st.none() | floats, st.none() | floats, st.floats(0, 100), st.none() | st.booleans()
    )
)
def test_whatever_the_clock_exactly_one_thing_is_said(facts: clock.ClockFacts) -> None:
    assert len(clock.check(facts)) == 1


@pytest.mark.parametrize(
    ("keep", "consent", "error", "expected"),
    [
        (False, "none", "", "record.off"),
        (True, "none", "", "record.no_consent"),
        (True, "posted", "", "record.on"),
        (True, "asked", "/srv/records: 10 MB free, and 300 MB must stay so", "record.no_room"),
    ],
)
def test_records(keep: bool, consent: str, error: str, expected: str) -> None:
    facts = records.RecordFacts("/srv/records", keep, consent, 30.0, 3, 12_300_000, error)
    (finding,) = records.check(facts)
    assert finding.phrase.code == expected
    if expected == "record.on":
        assert "3 records take 12 MB in /srv/records" in finding.text("en")
