"""Orders: who may order what, when, and how often."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.clock import WallClock
from device.errors import BadSignatureError, MalformedMessageError, MessageError, MisaddressedError, StaleMessageError
from device.messages.commands import Command, CommandStatus, Step, Update, Verb
from device.messages.envelope import COMMAND, MINT_REQUEST, KeySigner, PublicKey, public_pem, seal_envelope
from device.messages.mandates import MANDATE, Mandate, seal_order
from device.orders import KEPT, Journal, Orders, Pace
from device.phase import StartOrdered, StopOrdered, ToolOrdered, UpdateOrdered

NOW = 1_800_000_000.0
KEY = Ed25519PrivateKey.generate()
SIGNER = KeySigner("operator-a", KEY)


def find(kid: str) -> PublicKey | None:
    return KEY.public_key() if kid == "operator-a" else None


def order(verb: Verb = Verb.START, **changes: object) -> Command:
    fields: dict[str, object] = {
        "id": "a1",
        "device": "robot",
        "verb": verb,
        "issuer": "operator-a",
        "issued_at": NOW,
        "expires_at": NOW + 10,
    }
    return Command(**(fields | changes))  # type: ignore[arg-type]  # the fields are given by name


def signed(command: Command, signer: KeySigner = SIGNER, purpose: str = COMMAND) -> bytes:
    return seal_envelope(purpose, command, signer)


@pytest.fixture
def orders(tmp_path: Path) -> Orders:
    return Orders("robot", find, Journal(tmp_path / "orders"))


def test_a_signed_order_becomes_an_event(orders: Orders) -> None:
    assert orders.take(signed(order()), NOW, retained=False) == StartOrdered("a1", "operator-a")
    assert orders.take(signed(order(Verb.STOP, id="a2")), NOW, retained=False) == StopOrdered("a2", "operator-a")


@pytest.mark.parametrize("jump", [-NOW, -95.0, 86_400.0 * 365])
def test_a_system_clock_that_jumps_neither_ends_an_order_nor_revives_one(
    orders: Orders, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    clock = WallClock()
    clock.correct(NOW)
    monkeypatch.setattr(time, "time", lambda: NOW + jump)
    assert orders.take(signed(order()), clock.now(), retained=False) == StartOrdered("a1", "operator-a")
    over = orders.take(signed(order(id="a2", issued_at=NOW - 100, expires_at=NOW - 90)), clock.now(), retained=False)
    assert isinstance(over, CommandStatus)
    assert over.step is Step.EXPIRED
    assert over.at == pytest.approx(NOW, abs=5)


def test_an_order_to_use_a_tool_carries_its_name_and_arguments(orders: Orders) -> None:
    args = {"tool": "lamp", "arguments": {"on": True}}
    event = orders.take(signed(order(Verb.USE, args=args)), NOW, retained=False)
    assert event == ToolOrdered("a1", "operator-a", "lamp", '{"on":true}')
    bare = orders.take(signed(order(Verb.USE, id="a2", args={"tool": "hush"})), NOW, retained=False)
    assert bare == ToolOrdered("a2", "operator-a", "hush", "{}")


@pytest.mark.parametrize(
    "args", [{}, {"tool": "not a name"}, {"tool": "lamp", "arguments": [1]}, {"tool": "a", "b": 1}]
)
def test_an_order_that_names_no_tool_is_rejected(orders: Orders, args: dict[str, object]) -> None:
    status = orders.take(signed(order(Verb.USE, args=args)), NOW, retained=False)
    assert isinstance(status, CommandStatus)
    assert status.step is Step.REJECTED
    assert "names no tool" in status.reason


def test_an_order_is_obeyed_once_even_after_a_restart(orders: Orders, tmp_path: Path) -> None:
    payload = signed(order())
    orders.take(payload, NOW, retained=False)
    for again in (orders, Orders("robot", find, Journal(tmp_path / "orders"))):
        status = again.take(payload, NOW, retained=False)
        assert isinstance(status, CommandStatus)
        assert status.step is Step.DUPLICATE


def test_an_order_whose_time_is_over_expires_and_leaves_no_trace(orders: Orders, tmp_path: Path) -> None:
    status = orders.take(signed(order()), NOW + 11, retained=False)
    assert isinstance(status, CommandStatus)
    assert status.step is Step.EXPIRED
    assert not (tmp_path / "orders").exists()


def test_an_order_valid_for_longer_than_allowed_expires(orders: Orders) -> None:
    status = orders.take(signed(order(expires_at=NOW + 3600)), NOW, retained=False)
    assert isinstance(status, CommandStatus)
    assert status.step is Step.EXPIRED


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (signed(order(device="other")), MisaddressedError),
        (signed(order(), KeySigner("operator-b", KEY)), BadSignatureError),
        (signed(order(), KeySigner("operator-a", Ed25519PrivateKey.generate())), BadSignatureError),
        (signed(order(), purpose=MINT_REQUEST), BadSignatureError),
        (signed(order(issuer="operator-b")), MalformedMessageError),
        (signed(order(id="../../etc")), MalformedMessageError),
        (signed(order(id="é1")), MalformedMessageError),
        (b"{}", MalformedMessageError),
    ],
)
def test_what_is_not_an_order_to_us_is_not_even_answered(
    orders: Orders, payload: bytes, error: type[MessageError]
) -> None:
    with pytest.raises(error):
        orders.take(payload, NOW, retained=False)


def test_a_retained_order_is_never_obeyed(orders: Orders) -> None:
    with pytest.raises(StaleMessageError):
        orders.take(signed(order()), NOW, retained=True)


def test_the_journal_stays_bounded(tmp_path: Path) -> None:
    path = tmp_path / "orders"
    path.write_text("\n".join(f"x{n}" for n in range(KEPT + 500)), encoding="ascii")
    journal = Journal(path)
    assert journal.record("new")
    assert not journal.record(f"x{KEPT + 499}")
    assert len(path.read_text(encoding="ascii").split()) == KEPT


def test_what_cannot_be_written_down_is_not_obeyed_and_can_be_ordered_again(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.write_text("a file in the place of the folder", encoding="ascii")
    orders = Orders("robot", find, Journal(folder / "orders"))
    status = orders.take(signed(order()), NOW, retained=False)
    assert isinstance(status, CommandStatus)
    assert status.step is Step.REJECTED
    assert "cannot be written down" in status.reason
    folder.unlink()
    assert orders.take(signed(order()), NOW, retained=False) == StartOrdered("a1", "operator-a")


def test_a_damaged_journal_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "orders"
    path.write_bytes(b"a1\n\xff\xfe")
    assert Journal(path).record("a2")
    assert (tmp_path / "orders.damaged").read_bytes() == b"a1\n\xff\xfe"
    assert path.read_text(encoding="ascii") == "a2"


ANNA = Ed25519PrivateKey.generate()


def mandated(number: int, now: float = NOW, verb: Verb = Verb.STOP) -> bytes:
    """Return an order of an operator whom this robot does not know, with a mandate for two stops a minute."""
    mandate = Mandate(
        operator="operator-anna",
        key=public_pem(ANNA.public_key()),
        may=[Verb.STOP],
        robots=["robot"],
        per_minute=2,
        issued_at=NOW,
        expires_at=NOW + 3600,
    )
    command = order(verb, id=f"m{number}", issuer="operator-anna", issued_at=now, expires_at=now + 10)
    return seal_order(command, KeySigner("operator-anna", ANNA), seal_envelope(MANDATE, mandate, SIGNER))


def rejection(orders: Orders, payload: bytes, now: float = NOW) -> str:
    status = orders.take(payload, now, retained=False)
    assert isinstance(status, CommandStatus)
    assert status.step is Step.REJECTED
    return status.reason


def test_who_is_mandated_by_an_operator_whom_it_knows_is_obeyed_within_their_rights(
    orders: Orders, tmp_path: Path
) -> None:
    assert "may not start" in rejection(orders, mandated(0, verb=Verb.START))
    assert not (tmp_path / "orders").exists(), "what is not allowed is not even written down"
    assert orders.take(mandated(1), NOW, retained=False) == StopOrdered("m1", "operator-anna")
    assert "not in force" in rejection(orders, mandated(2, NOW + 3600), NOW + 3600)


def test_who_has_ordered_nothing_for_a_minute_is_forgotten() -> None:
    pace = Pace()
    mandates = [
        Mandate(operator=f"o{n}", key="", robots=["*"], per_minute=2, issued_at=NOW, expires_at=NOW + 9e5)
        for n in range(50)
    ]
    for second, mandate in enumerate(mandates):
        assert pace.allows(mandate, NOW + 10 * second)
        pace.count(mandate, NOW + 10 * second)
    assert len(pace._times) <= 7, "months of operators who come and go leave nothing"
    pace.count(mandates[0], NOW - 9e6)
    assert list(pace._times) == ["o0"], "nor does a clock that was set back"


def test_the_limit_of_a_mandate_holds_for_a_minute_and_for_nobody_else(orders: Orders) -> None:
    for number in (1, 2):
        assert isinstance(orders.take(mandated(number), NOW, retained=False), StopOrdered)
    assert rejection(orders, mandated(3)) == "operator-anna may order 2 times a minute, and has"
    assert isinstance(orders.take(signed(order(Verb.STOP)), NOW, retained=False), StopOrdered)
    assert isinstance(orders.take(mandated(4, NOW + 60), NOW + 60, retained=False), StopOrdered)


def test_an_order_to_update_carries_the_release_and_where_it_lies(orders: Orders) -> None:
    args = {"release": "sealed", "url": "https://a/b"}
    event = orders.take(signed(order(Verb.UPDATE, args=args)), NOW, retained=False)
    assert event == UpdateOrdered("a1", "operator-a", Update(release="sealed", url="https://a/b"))


@pytest.mark.parametrize(
    "args",
    [{}, {"release": "a"}, {"release": "a", "url": "http://a/b"}, {"release": "a" * 5000, "url": "https://a/b"}],
)
def test_an_order_to_update_that_names_no_version_is_rejected(orders: Orders, args: dict[str, object]) -> None:
    status = orders.take(signed(order(Verb.UPDATE, args=args)), NOW, retained=False)
    assert isinstance(status, CommandStatus)
    assert status.step is Step.REJECTED
    assert "names no version" in status.reason
