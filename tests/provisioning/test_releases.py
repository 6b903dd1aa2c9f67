"""Releasing: what is signed, and what is refused to be."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from device.errors import BadSignatureError, SettingsError
from device.messages.commands import Command, Verb
from device.messages.envelope import load_public_pem
from device.messages.mandates import Mandate
from device.messages.releases import key_id, open_release, order_of
from provisioning.__main__ import app
from provisioning.cli.invocation import ExitCode
from provisioning.order_audit import told
from provisioning.releases import beside, described, read
from tests.device.update.board import Board


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, words)])


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return Board(tmp_path).package("0.2.0")


def test_a_key_is_made_once_and_signs_what_only_it_opens(tmp_path: Path, package: Path) -> None:
    made = run("release", "new-key", "--out", tmp_path / "mine", "--json")
    kid = json.loads(made.stdout)["kid"]
    assert (tmp_path / "mine.key").stat().st_mode & 0o777 == 0o600
    assert isinstance(run("release", "new-key", "--out", tmp_path / "mine").exception, SettingsError)
    signed = run("release", "sign", package, "--key", tmp_path / "mine.key", "--back-from", "0.3.0", "--json")
    assert signed.exit_code == ExitCode.OK, signed.output
    public = load_public_pem((tmp_path / "mine.pem").read_text())
    assert key_id(public) == kid
    release = open_release(beside(package).read_bytes(), {kid: public})
    assert (release.version, release.size, release.back_from) == ("0.2.0", package.stat().st_size, "0.3.0")
    with pytest.raises(BadSignatureError):
        open_release(beside(package).read_bytes(), {"release-other": public})
    shown = json.loads(run("release", "show", beside(package), "--json").stdout)
    assert (shown["kid"], shown["sha256"]) == (kid, release.sha256)
    assert "0.2.0" in run("release", "show", beside(package)).stdout


def test_no_key_is_made_by_signing(tmp_path: Path, package: Path) -> None:
    result = run("release", "sign", package, "--key", tmp_path / "none.key")
    assert isinstance(result.exception, SettingsError)
    assert not (tmp_path / "none.key").exists()


@pytest.mark.parametrize("text", ["1", "1.2.", "v1.2", "1.2.3-rc1", "1..2", "1.2.3.4.5", "1.9999999", "1.2\n"])
def test_what_is_no_version_is_refused(tmp_path: Path, package: Path, text: str) -> None:
    run("release", "new-key", "--out", tmp_path / "mine")
    assert isinstance(
        run("release", "sign", package, "--key", tmp_path / "mine.key", "--back-from", text).exception, SettingsError
    )


@pytest.mark.parametrize("data", [b"", b"nonsense", b"!<arch>\n", b"!<arch>\n" + b"x" * 100])
def test_what_is_no_package_is_not_signed(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "it.deb").write_bytes(data)
    with pytest.raises(SettingsError, match="is no package"):
        described(tmp_path / "it.deb", 0.0)
    with pytest.raises(SettingsError, match="is no release"):
        read(tmp_path / "it.deb")


@pytest.mark.parametrize(("older", "newer"), [("0.9", "0.10"), ("0.9.9", "1.0"), ("1.2", "1.2.1"), ("0.0", "0.0.1")])
def test_versions_are_numbers(older: str, newer: str) -> None:
    assert order_of(older) < order_of(newer)
    assert order_of(older) == order_of(f"{older}.0")


def test_an_order_needs_the_right_and_the_audit_knows_the_version(package: Path) -> None:
    sealed, _ = read(beside(package))
    now = time.time()
    args = {"release": sealed, "url": "https://a/b"}
    command = Command(
        id="a1", device="hall", verb=Verb.UPDATE, issuer="operator-anna", issued_at=now, expires_at=now + 15, args=args
    )
    assert told(command, "") == {"id": "a1", "verb": "update", "version": "0.2.0"}
    mandate = Mandate(
        operator="operator-anna",
        key="",
        robots=["hall"],
        per_minute=1,
        issued_at=now,
        expires_at=now + 60,
        may=[Verb.START, Verb.STOP, Verb.USE],
    )
    assert mandate.objection(command, now) == "operator-anna may not update, only: start, stop, use"
    may = Mandate(
        operator="operator-anna",
        key="",
        robots=["hall"],
        per_minute=1,
        issued_at=now,
        expires_at=now + 60,
        may=[Verb.UPDATE],
    )
    assert may.objection(command, now) == ""


@pytest.mark.parametrize("args", [{}, {"release": "nonsense", "url": "https://a/b"}, {"release": 1}])
def test_an_order_that_names_no_version_is_in_the_audit_all_the_same(args: dict[str, object]) -> None:
    command = Command(id="a1", device="hall", verb=Verb.UPDATE, issuer="x", issued_at=0.0, expires_at=15.0, args=args)
    assert told(command, "") == {"id": "a1", "verb": "update"}


@pytest.mark.parametrize("url", ["http://a/b", "ftp://a", "a", "https://"])
def test_only_an_address_over_https_is_ordered(package: Path, url: str) -> None:
    result = run("update", "hall", "--release", beside(package), "--from", url)
    assert isinstance(result.exception, SettingsError)
    assert "url" in str(result.exception)
