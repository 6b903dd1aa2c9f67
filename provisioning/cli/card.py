"""`kaiwa-cloud card`: a card with which a board becomes a robot by itself."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from device.errors import EnrolmentError, SettingsError
from provisioning.card.cloud_init import Wifi, wifi
from provisioning.card.partition import check_partition
from provisioning.card.writing import Card, check_package, write_card
from provisioning.cli.fleet import duration, group_name, make_claim
from provisioning.cli.invocation import Invocation, JsonFlag, Why, err, out, print_json
from provisioning.codes import is_device_name
from provisioning.running import run


class Build(StrEnum):
    """The builds in `hardware/`, by what they hear and speak with."""

    USB = "usb"
    I2S = "i2s"
    VOICE_HAT = "voice-hat"


class Language(StrEnum):
    """In which a robot can say what is wrong with it."""

    EN = "en"
    JA = "ja"


FOLDERS: Final = {Build.USB: "speakerphone", Build.I2S: "i2s", Build.VOICE_HAT: "voice-hat"}


def card_command(
    context: typer.Context,
    device: Annotated[str, typer.Option("--device-name", help="Name of the robot; one that exists is replaced.")],
    folder: Annotated[
        Path, typer.Option("--out", help="The card's boot partition, mounted (`bootfs`).", file_okay=False)
    ],
    package: Annotated[Path, typer.Option("--deb", help="kaiwa-device_VERSION_arm64.deb; it is copied onto the card.")],
    wifi_name: Annotated[
        str, typer.Option("--wifi", help="Name of the Wi-Fi; its passphrase is asked for. By cable without.")
    ] = "",
    country: Annotated[str, typer.Option(help="Where the robot stands, such as JP; Wi-Fi stays off without it.")] = "",
    build: Annotated[Build, typer.Option(help="How it is built (hardware/).")] = Build.USB,
    language: Annotated[Language, typer.Option(help="In which it says what is wrong with it.")] = Language.EN,
    time_zone: Annotated[
        str, typer.Option("--timezone", help="Where the robot stands, such as Asia/Tokyo; without, the image's.")
    ] = "",
    ssh_key: Annotated[
        Path | None, typer.Option(help="Public key of whoever may log in as `kaiwa`; nobody without.", dir_okay=False)
    ] = None,
    ttl: Annotated[str, typer.Option(help="How long its claim is good: 90s, 30m, 1h, 2d.")] = "6h",
    group: Annotated[str, typer.Option(help="The group the robot comes into.", parser=group_name)] = "",
    *,
    hidden: Annotated[bool, typer.Option("--hidden", help="The Wi-Fi does not tell its name.")] = False,
    wpa3: Annotated[
        bool, typer.Option("--wpa3", help="The Wi-Fi takes WPA3 only; its passphrase is then on the card, readable.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Write over somebody's settings on the card.")] = False,
    why: Why = "",
    json: JsonFlag = False,
) -> None:
    """Write files onto a freshly flashed card, so that its board becomes a robot of this fleet at its first boot.

    For Raspberry Pi OS (64 bit, of 24 November 2025 or later), or another system with cloud-init. The board installs the
    package, enrols itself with a claim that is good once, and shows that it is ready. Nothing was tried on a real card yet.
    """
    invocation: Invocation = context.obj
    seconds = duration(ttl)
    if not is_device_name(device):
        raise EnrolmentError(f"{device!r} cannot name a device; take 3 to 40 of a-z, 0-9 and -")
    check_package(package)
    check_partition(folder, replace=replace)
    _check_time_zone(time_zone)
    keys = _keys(ssh_key)
    network = _network(wifi_name, country, wpa3=wpa3, hidden=hidden)
    card = Card(device, FOLDERS[build], package, network, keys, language, time_zone)
    claim = run(make_claim(invocation.settings(), device, seconds, group, why))
    written = write_card(folder, card, claim)
    if json:
        print_json({"device": device, "ttl": seconds, "files": [str(path) for path in written]})
        return
    for path in written:
        out.print(path, soft_wrap=True)
    err.print(
        f"start the board with this card within {ttl}: then its claim is over, and the card is to be written anew"
    )


def _network(name: str, country: str, *, wpa3: bool, hidden: bool) -> Wifi | None:
    if not name:
        return None
    if not country:
        raise SettingsError("--country", "Wi-Fi stays off until it is known in which country: --country JP")
    return wifi(name, _passphrase(name), country, wpa3=wpa3, hidden=hidden)


def _check_time_zone(name: str) -> None:
    try:
        if name:
            ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError("--timezone", f"there is no time zone {name!r}; Asia/Tokyo is one") from None


def _passphrase(name: str) -> str:
    """Ask for the passphrase; it is read from standard input where nobody can be asked."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    asked = f"Passphrase of {name} (empty if it has none)"
    return str(typer.prompt(asked, default="", hide_input=True, show_default=False))


def _keys(path: Path | None) -> list[str]:
    if path is None:
        return []
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), f"cannot be read: {error}") from None
    if not lines or any(not line.startswith(("ssh-", "ecdsa-", "sk-")) for line in lines):
        raise SettingsError(str(path), "holds no public key, as in ~/.ssh/id_ed25519.pub")
    return lines
