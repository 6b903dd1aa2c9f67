from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from device import succession
from device.errors import EnrolmentError
from device.identity import Identity, keep_enrolment, keep_key
from device.messages.enrolment import BrokerAddress, Enrolment
from device.messages.envelope import COMMAND, MINT_REQUEST, open_envelope, seal_envelope
from device.succession import in_doubt
from provisioning.authority import Authority

NOW = time.time()
DAY = 86_400.0


def enrolment(cloud: Authority, key: ec.EllipticCurvePrivateKey, device: str = "robot-1") -> Enrolment:
    cloud.operator("anna", NOW)
    certificate = cloud.issue_device(key.public_key(), device, NOW, 30)
    return Enrolment(
        device=device,
        certificate=cloud.chained(certificate).decode(),
        authority=cloud.root_pem,
        broker=BrokerAddress(host="127.0.0.1", port=8883),
        mint_kid=cloud.mint_signer.kid,
        mint_key=cloud.mint_pem,
        operators=cloud.operator_keys(),
        server_time=NOW,
    )


@pytest.fixture
def cloud(tmp_path: Path) -> Authority:
    return Authority.open(tmp_path / "cloud", ("127.0.0.1",), NOW)


@pytest.fixture
def board(cloud: Authority, tmp_path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    keep_key(tmp_path / "board", key)
    keep_enrolment(tmp_path / "board", enrolment(cloud, key))
    return tmp_path / "board"


def test_an_identity_signs_with_the_key_of_its_certificate(board: Path) -> None:
    identity = Identity.load(board, NOW)
    assert identity.device == identity.signer.kid == "robot-1"
    assert identity.broker == BrokerAddress(host="127.0.0.1", port=8883)
    assert identity.expires_at == pytest.approx(NOW + 30 * DAY, abs=1)
    public = identity.files.load_key().public_key()
    envelope = seal_envelope(MINT_REQUEST, {"x": 1}, identity.signer)
    assert open_envelope(MINT_REQUEST, envelope, lambda _: public) == b'{"x":1}'


def test_only_the_minter_and_known_operators_are_believed(board: Path, cloud: Authority) -> None:
    identity = Identity.load(board, NOW)
    _, anna = cloud.operator("anna", NOW)
    command = seal_envelope(COMMAND, {}, anna)
    assert open_envelope(COMMAND, command, identity.operator_key) == b"{}"
    assert identity.operator_key("operator-eve") is None
    assert identity.operator_key(cloud.mint_signer.kid) is None
    assert identity.mint_key(cloud.mint_signer.kid) is not None
    assert identity.mint_key("operator-anna") is None


def test_nobody_else_can_read_what_is_kept(board: Path) -> None:
    assert {stat.S_IMODE(path.stat().st_mode) for path in board.iterdir()} == {0o600}
    assert stat.S_IMODE(board.stat().st_mode) == 0o700


def test_a_board_that_was_never_enrolled_is_told_how(tmp_path: Path) -> None:
    with pytest.raises(EnrolmentError, match=r"not enrolled.*kaiwa-device enrol"):
        Identity.load(tmp_path, NOW)


def test_a_certificate_that_has_run_out_is_named_with_its_day(board: Path) -> None:
    Identity.load(board, NOW + 29 * DAY)
    with pytest.raises(EnrolmentError, match=r"robot-1 ran out on \d{4}-\d\d-\d\d; enrol it"):
        Identity.load(board, NOW + 31 * DAY)


@pytest.mark.parametrize(("synchronized", "doubted"), [(False, True), (True, False), (None, False)])
def test_a_clock_that_was_never_set_is_not_believed_against_a_certificate(
    board: Path, synchronized: bool | None, doubted: bool
) -> None:
    assert in_doubt(board, synchronized) is doubted
    assert succession.load(board, 0.0).device == "robot-1"


def test_a_board_that_was_never_enrolled_is_not_in_doubt(tmp_path: Path) -> None:
    assert not in_doubt(tmp_path, synchronized=False)


def test_damaged_files_are_named(board: Path) -> None:
    key = Identity.load(board, NOW).files.key
    good = key.read_bytes()
    key.write_text("nonsense")
    with pytest.raises(EnrolmentError, match=r"the key .* cannot be read"):
        Identity.load(board, NOW)
    key.write_bytes(good)
    (board / "enrolment.json").write_text("{}")
    with pytest.raises(EnrolmentError, match=r"enrolment\.json cannot be used"):
        Identity.load(board, NOW)


def test_a_power_cut_before_the_last_step_leaves_the_old_identity(board: Path, cloud: Authority) -> None:
    fresh = ec.generate_private_key(ec.SECP256R1())
    keep_key(board, fresh)
    assert Identity.load(board, NOW).device == "robot-1"
    keep_enrolment(board, enrolment(cloud, fresh, "robot-2"))
    assert Identity.load(board, NOW).device == "robot-2"
    assert len(list(board.glob("*.key"))) == 1


def test_an_enrolment_for_a_key_that_is_not_ours_is_refused(board: Path, cloud: Authority) -> None:
    foreign = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(EnrolmentError, match="the key"):
        keep_enrolment(board, enrolment(cloud, foreign, "robot-2"))
    assert Identity.load(board, NOW).device == "robot-1"
