"""PURE. The three files of cloud-init on a card's boot partition, which Raspberry Pi OS reads since 24 November 2025.

Their form after cloudinit.readthedocs.io (modules; network configuration, version 2; NoCloud) and netplan.io.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from device.errors import SettingsError

BOOT: Final = "/boot/firmware"
"""Where the boot partition is on the board."""

FOLDER: Final = "kaiwa"
"""The folder there that holds what is ours."""

UNIT: Final = "kaiwa-first-boot.service"

MARK: Final = "# Written by kaiwa-cloud card."
"""A line of the files that may hold somebody's settings: with it, they are ours, and are replaced without asking."""

_PSK_ROUNDS: Final = 4096
"""Of PBKDF2, in IEEE 802.11i, annex H.4."""

_UNIT: Final = f"""\
[Unit]
Description=Kaiwa, making this board a robot
Wants=network-online.target time-sync.target
After=network-online.target time-sync.target
RequiresMountsFor={BOOT}/{FOLDER}
ConditionPathExists={BOOT}/{FOLDER}/first-boot
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
    """A network: its name, what opens it (nothing, if it is open), the country whose rules hold.

    `secret` is the key made of the passphrase; with `wpa3` the passphrase itself, for WPA3 makes another key each time.
    `hidden`: it does not tell its name, and is asked for it.
    """

    ssid: str
    secret: str = field(repr=False)
    country: str
    wpa3: bool = False
    hidden: bool = False


def wifi(ssid: str, passphrase: str, country: str, *, wpa3: bool = False, hidden: bool = False) -> Wifi:
    """Return a network whose passphrase (nothing for an open one) is kept as a key only, but with `wpa3`.

    Raises:
        SettingsError: not a name, a passphrase or a country that there can be.
    """
    if not 1 <= len(ssid.encode()) <= 32 or not all(map(_visible, ssid)):
        raise SettingsError("--wifi", "a network's name has 1 to 32 bytes")
    if passphrase and not (8 <= len(passphrase) <= 63 and passphrase.isascii() and passphrase.isprintable()):
        raise SettingsError("the passphrase", "has 8 to 63 printable ASCII characters")
    if wpa3 and not passphrase:
        raise SettingsError("--wpa3", "a network with WPA3 has a passphrase")
    if not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise SettingsError(
            "--country", "a country is two letters (ISO 3166-1), such as JP: without it, Wi-Fi stays off"
        )
    return Wifi(ssid, passphrase if wpa3 else _key(passphrase, ssid), country.upper(), wpa3, hidden)


def _visible(sign: str) -> bool:
    """Tell a sign from what controls; spaces other than ASCII's, such as the ideographic one, are in no other way printable."""
    return sign.isprintable() or unicodedata.category(sign) == "Zs"


def _key(passphrase: str, ssid: str) -> str:
    if not passphrase:
        return ""
    return hashlib.pbkdf2_hmac("sha1", passphrase.encode(), ssid.encode(), _PSK_ROUNDS, 32).hex()


def user_data(host: str, ssh_keys: Sequence[str] = (), *, time_zone: str = "", radio: bool = False) -> str:
    """Return what is done at the first boot: a host name, our service, and an account that `ssh_keys` open.

    `time_zone` is of the IANA's names, or the image's stays; with `radio`, Wi-Fi is switched on, which a new system may
    keep off until it knows the country. Nothing in the text is secret.
    """
    unit = "".join(f"      {line}\n" for line in _UNIT.splitlines())
    zone = f"timezone: {_quoted(time_zone)}\n" if time_zone else ""
    commands = "".join(f"  - {_quoted(words)}\n" for words in _commands(ssh_keys, radio=radio))
    return (
        "#cloud-config\n"
        f"{MARK}\n"
        f"hostname: {_quoted(host)}\n"
        "manage_etc_hosts: true\n"
        f"{zone}"
        "ssh_pwauth: false\n"
        f"{_account(ssh_keys)}"
        "write_files:\n"
        f"  - path: /etc/systemd/system/{UNIT}\n"
        "    content: |\n"
        f"{unit}"
        f"runcmd:\n{commands}"
    )


def _commands(ssh_keys: Sequence[str], *, radio: bool) -> list[list[str]]:
    commands = [["rfkill", "unblock", "wifi"]] if radio else []
    commands += [["systemctl", "daemon-reload"], ["systemctl", "enable", "--now", "--no-block", UNIT]]
    return [*commands, ["systemctl", "enable", "--now", "ssh.service"]] if ssh_keys else commands


def _account(ssh_keys: Sequence[str]) -> str:
    """Return the one account: no password opens it, and whatever the image would have made besides is not made.

    That there is one ends Raspberry Pi OS' question for a name (`raspberry_pi_os.py` of cloud-init), which would wait for a
    keyboard and hold up everything that is started last.
    """
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
    text = f"{MARK}\nnetwork:\n  version: 2\n  ethernets:\n    eth0:\n      dhcp4: true\n      optional: true\n"
    if network is None:
        return text
    return text + (
        "  wifis:\n"
        "    wlan0:\n"
        "      dhcp4: true\n"
        "      optional: true\n"
        f"      regulatory-domain: {_quoted(network.country)}\n"
        "      access-points:\n"
        f"        {_quoted(network.ssid)}: {_quoted(_access(network))}\n"
    )


def _access(network: Wifi) -> dict[str, object]:
    """Return what netplan wants to know of an access point; `password` alone is WPA2, whatever else the point offers."""
    access: dict[str, object] = {"hidden": True} if network.hidden else {}
    if network.wpa3:
        return access | {"auth": {"key-management": "sae", "password": network.secret}}
    return access | ({"password": network.secret} if network.secret else {})


def meta_data(host: str, instance: str) -> str:
    """Return whose first boot it is: a new `instance` lets everything above be done anew."""
    return f"dsmode: local\ninstance-id: {_quoted(instance)}\nlocal-hostname: {_quoted(host)}\n"


def _quoted(value: object) -> str:
    """Return a value as YAML and JSON both read it."""
    return msgspec.json.encode(value).decode()
