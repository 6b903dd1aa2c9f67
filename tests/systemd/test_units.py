"""The units are hardened, are understood by systemd, and fit the program and the package."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from device import updater
from device.__main__ import EXIT_NOT_ENROLLED, EXIT_UPDATE, EXIT_USAGE, parser
from device.config import DEFAULT_PATH, DeviceSettings
from device.doctor.gather.pins import FAULT_LIGHT
from device.heartbeat import PATIENCE
from device.supervision import LOOK_SECONDS, PASSING_SECONDS
from device.update.guard import STARTS
from device.update.request import FOLDER

SYSTEMD = Path(__file__).parents[2] / "systemd"
UNITS = sorted(SYSTEMD.glob("*.service"))
MOST_EXPOSED = 20
"""Tenths of the score of `systemd-analyze security`."""

SLOW_TO_FAIL = 45
"""Seconds that a start may take before it fails: an emulated board answered 18 to 38 s after its power came (docs/board.md)."""

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
    for unit in [*UNITS, *SYSTEMD.glob("*.path")]:
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


def test_a_request_is_heard_where_the_robot_leaves_it_and_root_reads_it_with_the_robot_s_own_program() -> None:
    path = configparser.ConfigParser(interpolation=None)
    path.read(SYSTEMD / "kaiwa-device-update.path")
    state = DeviceSettings().state_dir.replace("/var/lib/", "/var/lib/private/")
    assert path["Path"]["PathChanged"] == f"{state}/{FOLDER}/request"
    assert path["Path"]["Unit"] == "kaiwa-device-update.service"
    assert service("kaiwa-device-update.service")["ExecStart"].split() == [
        *("/opt/kaiwa-device/current/bin/python", "-I", "-m", updater.__name__, str(DEFAULT_PATH))
    ]
    runtime = service("kaiwa-device-update.service")["RuntimeDirectory"]
    assert DeviceSettings().update.progress == f"/run/{runtime}/progress"


def test_every_start_asks_the_guard_first_and_wants_what_watches_over_a_trial() -> None:
    text = (SYSTEMD / "kaiwa-device.service").read_text()
    assert text.index("guard.py start") < text.index("ExecStart=/opt")
    assert "Wants=kaiwa-device-update.path kaiwa-device-trial.service" in text
    device = service("kaiwa-device.service")
    assert device["RestartForceExitStatus"] == device["SuccessExitStatus"] == str(EXIT_UPDATE)
    trial = (SYSTEMD / "kaiwa-device-trial.service").read_text()
    home = DeviceSettings().update.home
    conditions = re.findall(r"^ConditionPathExists=\|(.*)$", trial, re.MULTILINE)
    assert conditions == [f"{home}/staged", f"{home}/trial"]


def test_only_the_folder_of_the_versions_can_be_written_by_root_s_units() -> None:
    for name in ("kaiwa-device-update.service", "kaiwa-device-trial.service"):
        unit = service(name)
        assert (unit["ProtectSystem"], unit["ReadWritePaths"]) == ("strict", DeviceSettings().update.home)
        assert unit["CapabilityBoundingSet"] == "CAP_DAC_READ_SEARCH"


@pytest.mark.parametrize("name", ["kaiwa-device-fault.service", "kaiwa-device-update.service"])
def test_what_loads_the_library_of_the_pins_has_a_folder_of_its_own_also_on_a_read_only_system(name: str) -> None:
    unit = service(name)
    place = f"/run/{unit['RuntimeDirectory']}"
    assert unit["WorkingDirectory"] == place
    assert f"HOME={place}" in unit["Environment"].split()


def test_the_doctor_knows_when_the_fault_light_is_shown() -> None:
    assert f"run/{service('kaiwa-device-fault.service')['RuntimeDirectory']}" == FAULT_LIGHT


@pytest.mark.parametrize("name", sorted(path.name for path in SYSTEMD.glob("kaiwa-device*.service")))
def test_no_unit_of_the_board_needs_a_tmp_that_can_be_written_to(name: str) -> None:
    unit = service(name)
    assert "PrivateDevices" not in unit  # systemd 252 makes it in /tmp
    assert unit["DevicePolicy"] == "closed"
    assert not unit["WorkingDirectory"].startswith("/tmp")  # noqa: S108


def test_whatever_watches_over_a_trial_looks_for_one_before_the_robot_s_start_changes_it() -> None:
    trial = (SYSTEMD / "kaiwa-device-trial.service").read_text()
    assert re.findall(r"^Before=(.*)$", trial, re.MULTILINE) == ["kaiwa-device.service"]


def test_a_version_that_crashes_is_given_up_before_the_robot_is() -> None:
    text = (SYSTEMD / "kaiwa-device.service").read_text()
    burst = int(re.findall(r"^StartLimitBurst=(\d+)", text, re.MULTILINE)[0])
    assert burst > STARTS + 1, "the start that goes back would be refused"


def test_the_state_is_where_the_settings_look() -> None:
    device = service("kaiwa-device.service")
    assert f"/var/lib/{device['StateDirectory']}" == DeviceSettings().state_dir
    assert device["StateDirectoryMode"] == "0700"


def test_what_a_restart_does_not_mend_is_not_restarted() -> None:
    prevented = service("kaiwa-device.service")["RestartPreventExitStatus"].split()
    assert prevented == [str(EXIT_USAGE), str(EXIT_NOT_ENROLLED)]


def test_systemd_waits_until_it_is_ready_and_ends_it_when_it_is_stuck() -> None:
    device = service("kaiwa-device.service")
    assert (device["Type"], device["NotifyAccess"], device["Restart"]) == ("notify", "main", "on-failure")
    assert float(device["WatchdogSec"]) > LOOK_SECONDS + max(PATIENCE["captured"], PATIENCE["played"])
    assert float(device["WatchdogSec"]) > PASSING_SECONDS, "what passes by itself is not ended"


@each_unit
def test_the_journal_has_it_under_its_name(unit: Path) -> None:
    assert service(unit.name)["SyslogIdentifier"] == unit.stem


def test_giving_up_is_seen_and_ends() -> None:
    text = (SYSTEMD / "kaiwa-device.service").read_text()
    fault = (SYSTEMD / "kaiwa-device-fault.service").read_text()
    assert "OnFailure=kaiwa-device-fault.service" in text
    assert all(f"\n{line}=kaiwa-device.service\n" in fault for line in ("Conflicts", "Before", "StopPropagatedFrom"))
    last = re.findall(r"^ExecStopPost=(.*)$", fault, re.MULTILINE)[-2:]
    assert last[0].endswith("systemctl reset-failed kaiwa-device.service"), "systemd would refuse the next start"
    assert "start kaiwa-device.service" in last[1]
    shown = int(re.findall(r"--seconds (\d+)", fault)[0])
    assert int(service("kaiwa-device-fault.service")["RuntimeMaxSec"]) > shown


def test_a_robot_that_is_slow_to_fail_is_given_up_too() -> None:
    text = (SYSTEMD / "kaiwa-device.service").read_text()
    limit, burst = (
        int(re.findall(rf"^StartLimit{what}=(\d+)", text, re.MULTILINE)[0]) for what in ("IntervalSec", "Burst")
    )
    restart = int(service("kaiwa-device.service")["RestartSec"])
    assert burst * (SLOW_TO_FAIL + restart) < limit, "five failures would never come within the limit"


def test_the_keys_of_the_cloud_are_credentials() -> None:
    assert service("kaiwa-cloud.service")["LoadCredential"] == "cloud:/etc/kaiwa/credentials"
    page = (SYSTEMD.parent / "docs" / "install.md").read_text()
    assert 'api_key_file = "cloud_openai"' in page
    assert 'token_file = "cloud_imageflux"' in page


def test_the_cloud_has_few_heaps_wherever_it_runs_and_the_day_is_lived_with_as_many() -> None:
    heaps = "MALLOC_ARENA_MAX=2"
    top = SYSTEMD.parent
    assert heaps in service("kaiwa-cloud.service")["Environment"].split()
    assert f"ENV {heaps}\n" in (top / "packaging/container/Containerfile").read_text()
    assert f"@{heaps} .venv/bin/python -m tests.day" in (top / "Makefile").read_text()
