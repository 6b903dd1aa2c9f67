"""PURE. The three files of cloud-init on a card's boot partition, which Raspberry Pi OS reads since October 2025.

Their form after cloudinit.readthedocs.io (modules; network configuration, version 2; NoCloud) and netplan.io.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from device.errors import SettingsError

BOOT: Final = "/boot/firmware"
"""Where the boot partition is on the board."""

FOLDER: Final = "kaiwa"
"""The folder there that holds what is ours."""

UNIT: Final = "kaiwa-first-boot.service"

_PSK_ROUNDS: Final = 4096
"""Of PBKDF2, in IEEE 802.11i, annex H.4."""

_UNIT: Final = f"""\
[Unit]
Description=Kaiwa, making this board a robot
Wants=network-online.target time-sync.target
After=network-online.target time-sync.target
RequiresMountsFor={BOOT}/{FOLDER}
ConditionPathExists={BOOT}/{FOLDER}/claim
StartLimitIntervalSec=0
[Service]
Type=oneshot
ExecStart=/bin/sh {BOOT}/{FOLDER}/first-boot
Restart=on-failure
RestartSec=30
[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True)
class Wifi:
    """A network: its name, the key made of its passphrase (empty for an open one), the country whose rules hold."""

    ssid: str
    key: str
    country: str


def wifi(ssid: str, passphrase: str, country: str) -> Wifi:
    """Return a network whose passphrase (WPA2, nothing for an open one) is kept as a key only.

    Raises:
        SettingsError: not a name, a passphrase or a country that there can be.
    """
    if not 1 <= len(ssid.encode()) <= 32 or not ssid.isprintable():
        raise SettingsError("--wifi", "a network's name has 1 to 32 bytes")
    if passphrase and not (8 <= len(passphrase) <= 63 and passphrase.isascii() and passphrase.isprintable()):
        raise SettingsError("the passphrase", "has 8 to 63 printable ASCII characters")
    if not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise SettingsError(
            "--country", "a country is two letters (ISO 3166-1), such as JP: without it, Wi-Fi stays off"
        )
    key = hashlib.pbkdf2_hmac("sha1", passphrase.encode(), ssid.encode(), _PSK_ROUNDS, 32).hex() if passphrase else ""
    return Wifi(ssid, key, country.upper())


def user_data(host: str, ssh_keys: Sequence[str] = ()) -> str:
    """Return what is done at the first boot: a host name, our service, and an account that `ssh_keys` open.

    Nothing in it is secret.
    """
    start = [["systemctl", "daemon-reload"], ["systemctl", "enable", "--now", "--no-block", UNIT]]
    if ssh_keys:
        start.append(["systemctl", "enable", "--now", "ssh.service"])
    unit = "".join(f"      {line}\n" for line in _UNIT.splitlines())
    return (
        "#cloud-config\n"
        f"hostname: {_quoted(host)}\n"
        "manage_etc_hosts: true\n"
        "ssh_pwauth: false\n"
        f"{_account(ssh_keys)}"
        "write_files:\n"
        f"  - path: /etc/systemd/system/{UNIT}\n"
        "    content: |\n"
        f"{unit}"
        "runcmd:\n"
    ) + "".join(f"  - {_quoted(words)}\n" for words in start)


def _account(ssh_keys: Sequence[str]) -> str:
    """Return the one account: no password opens it, and whatever the image would have made besides is not made."""
    text = (
        "users:\n"
        "  - name: kaiwa\n"
        "    gecos: looks after this robot\n"
        "    groups: [adm, audio, gpio, sudo]\n"
        '    sudo: "ALL=(ALL) NOPASSWD:ALL"\n'
        "    shell: /bin/bash\n"
        "    lock_passwd: true\n"
    )
    keys = "".join(f"      - {_quoted(key)}\n" for key in ssh_keys)
    return text + (f"    ssh_authorized_keys:\n{keys}" if keys else "")


def network_config(network: Wifi | None) -> str:
    """Return how the board comes onto the network: by cable, and by Wi-Fi if there is one."""
    text = "network:\n  version: 2\n  ethernets:\n    eth0:\n      dhcp4: true\n      optional: true\n"
    if network is None:
        return text
    access = f"\n          password: {_quoted(network.key)}" if network.key else " {}"
    return text + (
        "  wifis:\n"
        "    wlan0:\n"
        "      dhcp4: true\n"
        "      optional: true\n"
        f"      regulatory-domain: {_quoted(network.country)}\n"
        "      access-points:\n"
        f"        {_quoted(network.ssid)}:{access}\n"
    )


def meta_data(host: str, instance: str) -> str:
    """Return whose first boot it is: a new `instance` lets everything above be done anew."""
    return f"dsmode: local\ninstance-id: {_quoted(instance)}\nlocal-hostname: {_quoted(host)}\n"


def _quoted(value: object) -> str:
    """Return a string or a list as YAML and JSON both read it."""
    return msgspec.json.encode(value).decode()
