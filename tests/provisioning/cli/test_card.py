"""`kaiwa-cloud card`, and that a board is enrolled by what it has written."""

from __future__ import annotations

import asyncio
import json
import stat
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from device.errors import EnrolmentError, SettingsError
from device.messages.enrolment import Claim
from provisioning.__main__ import app
from provisioning.cli.card import FOLDERS
from provisioning.cli.invocation import ExitCode
from provisioning.codes import hash_code
from provisioning.settings import load_settings
from provisioning.store import Store

PASSPHRASE = "open sesame"


class Desk:
    """A place with settings, a package, and a card."""

    def __init__(self, folder: Path) -> None:
        self.config, self.card = folder / "cloud.toml", folder / "bootfs"
        self.package = folder / "kaiwa-device_0.1.0_arm64.deb"
        self.config.write_text(f'state_dir = "{folder}/state"\n[enrol]\npublic_host = "cloud.example.com"\n')
        self.package.write_bytes(b"!<arch>\nand so on")
        self.card.mkdir()

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
    assert list(desk.card.iterdir()) == []


def test_every_build_has_its_folder() -> None:
    hardware = Path(__file__).parents[3] / "hardware"
    assert {path.parent.name for path in hardware.glob("*/device.toml")} == set(FOLDERS.values())
