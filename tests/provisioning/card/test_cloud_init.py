"""The files of a card have the form that cloud-init and netplan document, and hold no passphrase and no claim."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
import yaml
from msgspec import Meta

from device.errors import SettingsError
from provisioning.card.cloud_init import BOOT, UNIT, meta_data, network_config, user_data, wifi


class Documented(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename=lambda name: name.replace("_", "-")):
    """Base of what is documented with dashes in its names."""


class Auth(Documented):
    key_management: Literal["sae"]
    password: str


class AccessPoint(Documented):
    password: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | None = None
    hidden: bool = False
    auth: Auth | None = None


class Cable(Documented):
    dhcp4: bool
    optional: bool


class Radio(Documented):
    dhcp4: bool
    optional: bool
    regulatory_domain: Annotated[str, Meta(pattern="^[A-Z]{2}$")]
    access_points: dict[str, AccessPoint]


class Network(Documented):
    """netplan.readthedocs.io, "YAML configuration"."""

    version: int
    ethernets: dict[str, Cable]
    wifis: dict[str, Radio] = {}


class Account(msgspec.Struct, forbid_unknown_fields=True):
    """cloudinit.readthedocs.io, module "Users and Groups"."""

    name: str
    gecos: str
    groups: list[str]
    sudo: str
    shell: str
    lock_passwd: bool
    ssh_authorized_keys: Annotated[list[str], Meta(min_length=1)] | None = None


class File(msgspec.Struct, forbid_unknown_fields=True):
    """The same, module "Write Files"."""

    path: str
    content: str


class CloudConfig(msgspec.Struct, forbid_unknown_fields=True):
    hostname: str
    manage_etc_hosts: bool
    ssh_pwauth: bool
    users: list[Account]
    write_files: list[File]
    runcmd: list[list[str]]
    timezone: str | None = None


class MetaData(Documented):
    dsmode: str
    instance_id: str
    local_hostname: str


def loaded(text: str) -> Any:
    return yaml.safe_load(text)


@pytest.mark.parametrize(
    "ssid", ["house", "Café: ☕", 'a "b" #c', "0123", "null", "- x", " a ", "back\\slash", "会話　ロボット", "{}", "!y"]
)
def test_the_network_is_as_netplan_wants_it(ssid: str) -> None:
    text = network_config(wifi(ssid, "open sesame", "jp"))
    network = msgspec.convert(loaded(text)["network"], Network)
    assert network.version == 2
    assert network.wifis["wlan0"].regulatory_domain == "JP"
    assert list(network.wifis["wlan0"].access_points) == [ssid]
    # a start without one of them is not held up
    assert (network.ethernets["eth0"].optional, network.wifis["wlan0"].optional) == (True, True)
    assert "sesame" not in text


@pytest.mark.parametrize("passphrase", ["open sesame", 'a"b\\c #: {}', "  spaces  ", "12345678"])
def test_wpa3_needs_the_passphrase_itself(passphrase: str) -> None:
    network = wifi("house", passphrase, "JP", wpa3=True)
    point = msgspec.convert(loaded(network_config(network))["network"], Network).wifis["wlan0"].access_points["house"]
    assert point == AccessPoint(auth=Auth(key_management="sae", password=passphrase))
    assert passphrase not in repr(network)


def test_a_network_that_hides_is_asked_for() -> None:
    network = wifi("house", "open sesame", "JP", hidden=True)
    point = msgspec.convert(loaded(network_config(network))["network"], Network).wifis["wlan0"].access_points["house"]
    assert point == AccessPoint(password=network.secret, hidden=True)
    assert network.secret not in repr(network)


def test_a_key_is_made_of_the_passphrase_as_the_standard_says() -> None:
    # IEEE 802.11i, annex H.4.3, test case 1
    key = "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"
    assert wifi("IEEE", "password", "US").secret == key


def test_an_open_network_has_no_key_and_a_cable_needs_none() -> None:
    network = msgspec.convert(loaded(network_config(wifi("open", "", "GB")))["network"], Network)
    assert network.wifis["wlan0"].access_points == {"open": AccessPoint()}
    assert msgspec.convert(loaded(network_config(None))["network"], Network).wifis == {}


@pytest.mark.parametrize(
    ("ssid", "passphrase", "country"),
    [
        ("", "12345678", "JP"),
        ("x" * 33, "12345678", "JP"),
        ("☕" * 11, "12345678", "JP"),
        ("a\nb", "12345678", "JP"),
        ("house", "1234567", "JP"),
        ("house", "x" * 64, "JP"),
        ("house", "pässword", "JP"),
        ("house", "12345678", "Japan"),
        ("house", "12345678", ""),
    ],
)
def test_what_cannot_be_is_named(ssid: str, passphrase: str, country: str) -> None:
    with pytest.raises(SettingsError):
        wifi(ssid, passphrase, country)


@pytest.mark.parametrize("sign", ["\x00", "\x7f", "\x85", "\u2028", "\u200b", "\t"])
def test_a_name_holds_no_sign_that_controls(sign: str) -> None:
    with pytest.raises(SettingsError, match="1 to 32 bytes"):
        wifi(f"house{sign}", "12345678", "JP")


def test_wpa3_is_never_open() -> None:
    with pytest.raises(SettingsError, match="has a passphrase"):
        wifi("house", "", "JP", wpa3=True)


def test_the_radio_is_switched_on_before_the_first_boot_goes_on_and_only_where_there_is_wifi() -> None:
    commands = msgspec.convert(loaded(user_data("robot-1", radio=True)), CloudConfig).runcmd
    assert commands[0] == ["rfkill", "unblock", "wifi"]
    assert commands[1:] == msgspec.convert(loaded(user_data("robot-1")), CloudConfig).runcmd


@pytest.mark.parametrize(("zone", "written"), [("Asia/Tokyo", "Asia/Tokyo"), ("", None)])
def test_the_time_zone_is_where_the_robot_stands(zone: str, written: str | None) -> None:
    assert msgspec.convert(loaded(user_data("robot-1", time_zone=zone)), CloudConfig).timezone == written


def test_the_first_boot_starts_our_service_and_lets_nobody_in() -> None:
    text = user_data("robot-1")
    assert text.startswith("#cloud-config\n")
    config = msgspec.convert(loaded(text), CloudConfig)
    (account,) = config.users
    assert (account.lock_passwd, account.ssh_authorized_keys) == (True, None)
    assert (config.hostname, config.ssh_pwauth) == ("robot-1", False)
    assert config.runcmd[-1] == ["systemctl", "enable", "--now", "--no-block", UNIT]
    (unit,) = config.write_files
    assert unit.path == f"/etc/systemd/system/{UNIT}"
    lines = unit.content.splitlines()
    assert f"ExecStart=/bin/sh {BOOT}/kaiwa/first-boot" in lines
    # the claim is gone before all is done: what is missing is waited for without it, also after a power cut
    assert f"ConditionPathExists={BOOT}/kaiwa/first-boot" in lines
    assert {"Restart=on-failure", "StartLimitIntervalSec=0", "WantedBy=multi-user.target"} <= set(lines)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_understands_our_service(tmp_path: Path) -> None:
    (unit,) = msgspec.convert(loaded(user_data("robot-1")), CloudConfig).write_files
    (tmp_path / UNIT).write_text(unit.content)
    verify = ["systemd-analyze", "verify", str(tmp_path / UNIT)]
    assert subprocess.run(verify, check=True, capture_output=True, text=True, timeout=60).stderr == ""


def test_whoever_has_the_key_may_log_in_and_nobody_by_password() -> None:
    key = "ssh-ed25519 AAAAC3Nz me@here: #1"
    config = msgspec.convert(loaded(user_data("robot-1", [key])), CloudConfig)
    (account,) = config.users
    assert (account.ssh_authorized_keys, account.lock_passwd) == ([key], True)
    assert ["systemctl", "enable", "--now", "ssh.service"] in config.runcmd


def test_a_new_instance_is_a_first_boot() -> None:
    data = msgspec.convert(loaded(meta_data("robot-1", "robot-1-0a1b")), MetaData)
    assert (data.dsmode, data.instance_id, data.local_hostname) == ("local", "robot-1-0a1b", "robot-1")
