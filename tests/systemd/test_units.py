"""The units are hardened, are understood by systemd, and fit the program and the package."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from device.__main__ import EXIT_NOT_ENROLLED, EXIT_USAGE, parser
from device.config import DEFAULT_PATH, DeviceSettings

SYSTEMD = Path(__file__).parents[2] / "systemd"
UNITS = sorted(SYSTEMD.glob("*.service"))
MOST_EXPOSED = 20
"""Tenths of the score of `systemd-analyze security`."""

each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments],  # noqa: S607 - a Debian program found by PATH like every other
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def service(name: str) -> configparser.SectionProxy:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # as configparser's documentation does
    unit.read(SYSTEMD / name)
    return unit["Service"]


@needs_systemd
@each_unit
def test_it_is_hardened(unit: Path) -> None:
    done = analyze("security", "--offline=yes", f"--threshold={MOST_EXPOSED}", str(unit))
    assert done.returncode == 0, done.stdout[-200:]


@needs_systemd
def test_the_gate_can_fail(tmp_path: Path) -> None:
    soft = tmp_path / "kaiwa-soft.service"
    text = (SYSTEMD / "kaiwa-device.service").read_text()
    soft.write_text(re.sub(r"^(Protect|SystemCall|Capability|DynamicUser|NoNew).*\n", "", text, flags=re.MULTILINE))
    assert analyze("security", "--offline=yes", f"--threshold={MOST_EXPOSED}", str(soft)).returncode != 0


@needs_systemd
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    for unit in UNITS:
        (tmp_path / unit.name).write_text(
            re.sub(r"^ExecStart=/opt/\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE)
        )
    assert (analyze("verify", *map(str, sorted(tmp_path.iterdir()))).stderr) == ""
    wrong = tmp_path / "kaiwa-device.service"
    wrong.write_text(wrong.read_text().replace("WatchdogSec=20", "WatchdogSeconds=20"))
    assert "WatchdogSeconds" in analyze("verify", str(wrong)).stderr


@pytest.mark.parametrize("name", ["kaiwa-device.service", "kaiwa-device-fault.service"])
def test_the_program_knows_the_command(name: str) -> None:
    program, *arguments = service(name)["ExecStart"].split()
    assert program == "/opt/kaiwa-device/current/bin/kaiwa-device"
    assert parser().parse_args(arguments).config == DEFAULT_PATH


def test_the_state_is_where_the_settings_look() -> None:
    device = service("kaiwa-device.service")
    assert f"/var/lib/{device['StateDirectory']}" == DeviceSettings().state_dir
    assert device["StateDirectoryMode"] == "0700"


def test_what_a_restart_does_not_mend_is_not_restarted() -> None:
    prevented = service("kaiwa-device.service")["RestartPreventExitStatus"].split()
    assert prevented == [str(EXIT_USAGE), str(EXIT_NOT_ENROLLED)]


def test_giving_up_is_seen_and_ends() -> None:
    text = (SYSTEMD / "kaiwa-device.service").read_text()
    fault = (SYSTEMD / "kaiwa-device-fault.service").read_text()
    assert "OnFailure=kaiwa-device-fault.service" in text
    assert "OnSuccess=kaiwa-device.service" in fault
    limit = int(re.findall(r"^StartLimitIntervalSec=(\d+)", text, re.MULTILINE)[0])
    shown = int(re.findall(r"--seconds (\d+)", fault)[0])
    assert shown > limit, "the robot would be refused its next start"
    assert int(service("kaiwa-device-fault.service")["RuntimeMaxSec"]) > shown


def test_the_keys_of_the_cloud_are_credentials() -> None:
    assert service("kaiwa-cloud.service")["LoadCredential"] == "cloud:/etc/kaiwa/credentials"
    page = (SYSTEMD.parent / "docs" / "install.md").read_text()
    assert 'api_key_file = "cloud_openai"' in page
    assert 'token_file = "cloud_imageflux"' in page
