"""`kaiwa-cloud card`, and that a board is enrolled by what it has written."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from device.errors import EnrolmentError, SettingsError
from device.messages.enrolment import Claim
from provisioning.__main__ import app
from provisioning.cli.card import FOLDERS, _passphrase
from provisioning.cli.invocation import ExitCode
from provisioning.codes import hash_code
from provisioning.settings import load_settings
from provisioning.store import Store

PASSPHRASE = "open sesame"

IMAGE = {
    "cmdline.txt": "console=tty1 root=PARTUUID=1a2b3c4d-02 rootfstype=ext4 fsck.repair=yes rootwait resize\n",
    "config.txt": "dtparam=audio=on\n[all]\n",
    "user-data": "#cloud-config\n\n## Set the system's hostname.\n#hostname: raspberrypi\n",
    "network-config": "# This file contains a netplan-compatible configuration\n#network:\n#  version: 2\n",
    "meta-data": "dsmode: local\ninstance_id: rpios-image\n",
}
"""What Raspberry Pi OS has on its boot partition (pi-gen, stage1/00-boot-files and stage2/04-cloud-init), in short."""


class Desk:
    """A place with settings, a package, and a card."""

    def __init__(self, folder: Path) -> None:
        self.config, self.card = folder / "cloud.toml", folder / "bootfs"
        self.package = folder / "kaiwa-device_0.1.0_arm64.deb"
        self.config.write_text(f'state_dir = "{folder}/state"\n[enrol]\npublic_host = "cloud.example.com"\n')
        self.package.write_bytes(b"!<arch>\nand so on")
        self.card.mkdir()
        for name, text in IMAGE.items():
            (self.card / name).write_text(text)

    def run(self, *words: str, name: str = "robot-1", stdin: str = "") -> Result:
        given = ("--device-name", name, "--out", str(self.card), "--deb", str(self.package))
        return CliRunner().invoke(app, ["--config", str(self.config), "card", *given, *words], input=stdin)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_a_card_holds_a_claim_that_is_good_once_and_soon_over(desk: Desk) -> None:
    result = await _in_thread(desk, "--wifi", "house", "--country", "JP", "--build", "i2s", "--ttl", "30m")
    assert result.exit_code == ExitCode.OK, result.output
    ours = desk.card / "kaiwa"
    claim = Claim.parse((ours / "claim").read_text())
    async with Store(load_settings(desk.config).store_url) as store, store.transaction() as t:
        kept = await t.claims.find(hash_code(claim.code))
    assert kept is not None
    assert kept.device == "robot-1"
    assert kept.expires_at - time.time() == pytest.approx(1800, abs=60)
    assert (ours / desk.package.name).read_bytes() == desk.package.read_bytes()
    assert (ours / "build").read_text() == "i2s"
    for path in (ours / "claim", desk.card / "network-config", desk.card / "user-data"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert PASSPHRASE not in result.output + "".join(path.read_text() for path in desk.card.glob("*-*"))
    assert claim.code not in result.output + (desk.card / "user-data").read_text()


async def _in_thread(desk: Desk, *words: str) -> Result:
    return await asyncio.to_thread(desk.run, *words, stdin=f"{PASSPHRASE}\n")


def test_a_card_that_is_written_again_has_one_package_and_another_first_boot(desk: Desk) -> None:
    assert desk.run().exit_code == ExitCode.OK
    first = (desk.card / "meta-data").read_text()
    desk.package = desk.package.rename(desk.package.with_name("kaiwa-device_0.2.0_arm64.deb"))
    assert desk.run().exit_code == ExitCode.OK
    assert [path.name for path in (desk.card / "kaiwa").glob("*.deb")] == ["kaiwa-device_0.2.0_arm64.deb"]
    assert (desk.card / "meta-data").read_text() != first


def test_a_card_that_is_written_again_forgets_what_the_board_noted_of_the_claim_before(desk: Desk) -> None:
    assert desk.run().exit_code == ExitCode.OK
    for name in ("log.txt", "before"):
        (desk.card / "kaiwa" / name).write_text("noted")
    assert desk.run("--wifi", "house", "--country", "JP", stdin="12345678\n").exit_code == ExitCode.OK
    assert {path.name for path in (desk.card / "kaiwa").iterdir()} == {
        "build", "claim", "first-boot", "language", desk.package.name,
    }  # fmt: skip
    assert "rfkill" in (desk.card / "user-data").read_text()


def test_a_key_lets_its_owner_in(desk: Desk, tmp_path: Path) -> None:
    key = tmp_path / "id.pub"
    key.write_text("ssh-ed25519 AAAA me\n")
    assert desk.run("--ssh-key", str(key)).exit_code == ExitCode.OK
    assert json.dumps("ssh-ed25519 AAAA me") in (desk.card / "user-data").read_text()
    key.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    assert "no public key" in str(desk.run("--ssh-key", str(key)).exception)


def test_what_cannot_become_a_robot_is_named_before_a_claim_is_made(desk: Desk) -> None:
    assert isinstance(desk.run(name="X").exception, EnrolmentError)
    assert "--country JP" in str(desk.run("--wifi", "house", stdin="12345678\n").exception)
    assert "8 to 63" in str(desk.run("--wifi", "house", "--country", "JP", stdin="short\n").exception)
    desk.package.write_bytes(b"no package")
    assert isinstance(desk.run().exception, SettingsError)
    desk.package = desk.package.with_name("other.deb")
    assert "cannot be read" in str(desk.run().exception)
    assert not (desk.config.parent / "state").exists()
    assert {path.name: path.read_text() for path in desk.card.iterdir()} == IMAGE


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"config.txt": None}, "is not a card's boot partition"),
        ({"cmdline.txt": None}, "mount its first partition"),
        (dict.fromkeys(IMAGE), "is not a card's boot partition"),
        (
            {"user-data": None, "network-config": None, "meta-data": None},
            "flash Raspberry Pi OS, 64 bit, of 24 November",
        ),
        ({"cmdline.txt": "console=tty1 rootwait ds=nocloud;i=rpi-imager-1764000000000"}, "flash it again without any"),
        ({"cmdline.txt": "rootwait systemd.run=/boot/firstrun.sh"}, "flash it again without any"),
        ({"user-data": "#cloud-config\nhostname: mine\n"}, "user-data hold somebody's settings"),
        ({"network-config": "network:\n  version: 2\n"}, "or write over with --replace"),
    ],
)
def test_what_is_no_fresh_card_is_named_with_what_to_do_and_left_alone(
    desk: Desk, changed: dict[str, str | None], says: str
) -> None:
    change(desk.card, changed)
    before = {path.name: path.read_text() for path in desk.card.iterdir()}
    error = desk.run().exception
    assert isinstance(error, SettingsError)
    assert says in str(error)
    assert str(desk.card) in str(error)
    assert {path.name: path.read_text() for path in desk.card.iterdir()} == before
    assert not (desk.config.parent / "state").exists()


def test_a_card_that_is_not_mounted_is_named_with_what_to_do(desk: Desk) -> None:
    desk.card = desk.card / "not" / "there"
    assert "mount its first partition" in str(desk.run().exception)


def test_a_card_that_is_pulled_out_at_once_holds_all_of_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[int, bytes] = {}
    fsync = os.fsync

    def keep(number: int) -> None:
        status = os.fstat(number)
        if stat.S_ISREG(status.st_mode):
            kept[status.st_ino] = Path(f"/proc/self/fd/{number}").read_bytes()
        fsync(number)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", keep)
        assert desk.run().exit_code == ExitCode.OK
    written = [
        path for path in desk.card.rglob("*") if path.is_file() and path.name not in ("cmdline.txt", "config.txt")
    ]
    assert len(written) == 8
    assert [path.name for path in written if kept.get(path.stat().st_ino) != path.read_bytes()] == []


def test_a_passphrase_is_not_seen_where_it_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def prompt(text: str, **options: object) -> str:
        asked.update(options, text=text)
        return PASSPHRASE

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "prompt", prompt)
    assert _passphrase("house") == PASSPHRASE
    assert (asked["hide_input"], asked["show_default"]) == (True, False)
    assert "house" in str(asked["text"])


def change(card: Path, changed: dict[str, str | None]) -> None:
    for name, text in changed.items():
        if text is None:
            (card / name).unlink()
        else:
            (card / name).write_text(text)


def test_somebodys_settings_are_written_over_when_told_to(desk: Desk) -> None:
    (desk.card / "user-data").write_text("#cloud-config\nhostname: mine\n")
    assert desk.run("--replace").exit_code == ExitCode.OK
    assert "mine" not in (desk.card / "user-data").read_text()


def test_the_robot_speaks_and_tells_the_time_as_where_it_stands(desk: Desk) -> None:
    assert desk.run("--language", "ja", "--timezone", "Asia/Tokyo").exit_code == ExitCode.OK
    assert (desk.card / "kaiwa" / "language").read_text() == "ja"
    assert 'timezone: "Asia/Tokyo"' in (desk.card / "user-data").read_text()
    for wrong in ("Asia/Kyoto", "../etc/passwd", "Asia"):
        assert "no time zone" in str(desk.run("--timezone", wrong).exception)


def test_the_networks_secrets_are_where_they_have_to_be_and_nowhere_else(desk: Desk) -> None:
    network = ("--wifi", "house", "--country", "JP", "--hidden", "--wpa3")
    result = desk.run(*network, stdin=f"{PASSPHRASE}\n")
    assert result.exit_code == ExitCode.OK
    holding = [path.name for path in desk.card.rglob("*") if path.is_file() and PASSPHRASE in path.read_text()]
    assert holding == ["network-config"]
    assert PASSPHRASE not in result.output


def test_every_build_has_its_folder() -> None:
    hardware = Path(__file__).parents[3] / "hardware"
    assert {path.parent.name for path in hardware.glob("*/device.toml")} == set(FOLDERS.values())
