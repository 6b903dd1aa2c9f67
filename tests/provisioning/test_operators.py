"""Operators beyond the first: made, obeyed within their rights, and taken away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import aiomqtt
import pytest

from device.errors import SettingsError
from device.messages import topics
from device.messages.commands import Command, CommandStatus, Step, Verb
from device.messages.envelope import COMMAND, load_public_pem, seal_envelope
from device.messages.mandates import open_order
from device.messages.wire import encode
from device.orders import Journal, Orders
from provisioning.app import DEFAULT_OPERATOR
from provisioning.authority import Authority
from provisioning.commands import new_command, order
from provisioning.keyfiles import write_durably
from provisioning.link import connection
from provisioning.operators import Rights, all_operators, make_operator, remove_operator, robots_of
from provisioning.order_audit import OrderAudit
from provisioning.revocation import publish_revocations
from provisioning.store import Store
from tests.eventually import eventually
from tests.mosquitto import Fleet
from tests.provisioning.site import Board, Site, site

NOW = time.time()
RIGHTS = Rights([Verb.STOP], ["mute"], ["robot-1"], 5, 86_400.0)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    opened = Authority.open(tmp_path, ("127.0.0.1", "localhost"), NOW)
    opened.operator("admin", NOW)
    return opened


def test_only_who_has_no_mandate_is_pinned_by_enrolments(authority: Authority) -> None:
    made = make_operator(authority, "admin", "anna", RIGHTS, NOW)
    assert set(authority.operator_keys()) == {"operator-admin"}
    assert [(one.name, one.mandate) for one in all_operators(authority)] == [("admin", None), ("anna", made)]
    assert robots_of(authority) == {"admin": ("*",), "anna": ["robot-1"]}
    assert not authority.renew(NOW)


def test_what_operators_cannot_be_made_or_taken_away(authority: Authority) -> None:
    make_operator(authority, "admin", "anna", RIGHTS, NOW)
    with pytest.raises(SettingsError, match="there is an operator of this name"):
        make_operator(authority, "admin", "anna", RIGHTS, NOW)
    with pytest.raises(SettingsError, match="cannot give one"):
        make_operator(authority, "anna", "berta", RIGHTS, NOW)
    with pytest.raises(SettingsError, match="begins with no -"):
        make_operator(authority, "admin", "../x", RIGHTS, NOW)
    with pytest.raises(SettingsError, match="pinned"):
        remove_operator(authority, "admin")
    with pytest.raises(SettingsError, match="there are: admin, anna"):
        remove_operator(authority, "berta")


def test_an_operator_who_was_revoked_leaves_a_serial_and_no_key(authority: Authority) -> None:
    make_operator(authority, "admin", "anna", RIGHTS, NOW)
    before = authority.operator_key("anna")
    remove_operator(authority, "anna")
    authority.revoke((), NOW)
    assert authority.revoked_serials() == set(authority.revoked_operators) != set()
    assert set(authority.revoked_operators.values()) == {"operator-anna"}
    make_operator(authority, "admin", "anna", RIGHTS, NOW)
    assert authority.operator_key("anna") != before


def test_a_spoilt_mandate_gives_no_rights_and_spoils_nobody_else_s(authority: Authority) -> None:
    make_operator(authority, "admin", "anna", RIGHTS, NOW)
    write_durably(authority.mandate_path("anna"), b"{}")
    assert robots_of(authority) == {"admin": ("*",)}
    assert set(authority.operator_keys()) == {"operator-admin"}
    with pytest.raises(SettingsError, match="no mandate of ours"):
        all_operators(authority)


async def test_the_broker_holds_operators_to_their_robots(fleet: Fleet) -> None:
    make_operator(fleet.authority, "test", "anna", RIGHTS, time.time())
    await fleet.broker.reload()
    one, other = fleet.board("robot-1"), fleet.board("robot-2")
    async with one.connect() as mine, other.connect() as theirs, fleet.operator("anna") as anna:
        for client, name in ((mine, "robot-1"), (theirs, "robot-2")):
            await client.subscribe(topics.command(name), qos=1)
        await anna.publish(topics.command("robot-2"), b"not mine", qos=1)
        await anna.publish(topics.command("robot-1"), b"mine", qos=1)
        async with asyncio.timeout(5), fleet.operator("test") as root:
            assert (await anext(mine.messages)).payload == b"mine"
            await root.publish(topics.command("robot-2"), b"by whom all may", qos=1)
            assert (await anext(theirs.messages)).payload == b"by whom all may"


class Anna:
    """An operator whom the robots do not know."""

    def __init__(self, here: Site) -> None:
        self._here, self._authority = here, here.cloud.authority

    async def make(self) -> None:
        """Make her while the cloud runs, and wait until the broker knows her."""
        make_operator(self._authority, DEFAULT_OPERATOR, "anna", RIGHTS, time.time())
        await publish_revocations(self._here.cloud.store, self._authority, time.time())

    def connect(self) -> aiomqtt.Client:
        files, signer = self._authority.operator("anna", time.time())
        return connection(self._here.cloud.broker, signer.kid, self._authority.client_context(files))

    async def order(self, client: aiomqtt.Client, verb: Verb, why: str = "") -> list[CommandStatus]:
        _, signer = self._authority.operator("anna", time.time())
        command = new_command("robot-1", verb, signer.kid, time.time(), why=why)
        return [status async for status in order(client, signer, command, self._authority.mandate("anna"))]


async def obey(board: Board, folder: Path) -> None:
    """Answer every order as a robot does, as far as it is a matter of who may order what."""
    orders = Orders("robot-1", board.identity.operator_key, Journal(folder / "orders"))
    while True:
        _, payload = await board.next_message()
        taken = orders.take(payload, time.time(), retained=False)
        if isinstance(taken, CommandStatus):
            await board.client.publish(topics.command_status("robot-1", taken.id), encode(taken), qos=1)
        else:
            done = Command(id=taken.command, device="robot-1", verb=Verb.STOP, issuer="", issued_at=0, expires_at=0)
            await board.step(done, Step.SUCCEEDED)


async def rows(store: Store) -> list[tuple[str, str, str]]:
    async with store.transaction() as t:
        return [(e.actor, e.subject, e.detail) async for e in t.audit.entries() if e.action == "ordered"]


async def test_a_robot_that_was_enrolled_before_obeys_a_new_operator_until_revoked(tmp_path: Path) -> None:
    async with site(tmp_path) as here, here.board() as board:
        anna, robot = Anna(here), asyncio.create_task(obey(board, tmp_path))
        await anna.make()
        await eventually(lambda: _knows(here, "operator-anna"))
        async with anna.connect() as client:
            assert [status.step for status in await anna.order(client, Verb.STOP, "too loud")] == [Step.SUCCEEDED]
            (refused,) = await anna.order(client, Verb.START)
            assert (refused.step, refused.reason) == (Step.REJECTED, "operator-anna may not start, only: stop, mute")
        written = await eventually(lambda: _two(here.cloud.store))
        robot.cancel()
    assert [(actor, subject) for actor, subject, _ in written] == [("operator-anna", "robot-1")] * 2
    assert '"verb":"stop","why":"too loud"' in written[0][2]
    assert '"refused":"operator-anna may not start' in written[1][2]


async def _two(store: Store) -> list[tuple[str, str, str]]:
    found = await rows(store)
    return found if len(found) == 2 else []


async def _knows(here: Site, user: str) -> bool:
    return f"user {user}" in (Path(here.settings.state_dir) / "broker" / "acl").read_text()


async def test_a_revoked_operator_falls_and_does_not_come_back(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        anna = Anna(here)
        await anna.make()
        kept = [anna.connect()]
        async with asyncio.timeout(10):
            with pytest.raises(aiomqtt.MqttError, match=r"[Dd]isconnected"):
                await _stay(anna.connect(), partial(remove, here))
            with pytest.raises(aiomqtt.MqttError, match="refuses this certificate"):
                await _stay(kept.pop(), _nothing)


async def _stay(client: aiomqtt.Client, then: Callable[[], Awaitable[None]]) -> None:
    """Connect, do something, and listen until the connection falls."""
    async with client:
        await then()
        await anext(client.messages)


async def remove(here: Site) -> None:
    remove_operator(here.cloud.authority, "anna")
    await publish_revocations(here.cloud.store, here.cloud.authority, time.time())


async def _nothing() -> None:
    pass


async def test_an_order_played_twice_is_written_down_once_and_never_its_arguments(
    authority: Authority, store_url: str
) -> None:
    _, admin = authority.operator("admin", NOW)
    pinned = load_public_pem(authority.operator_keys()["operator-admin"])
    say = {"tool": "say", "arguments": {"text": "between us"}}
    sealed = seal_envelope(COMMAND, new_command("robot-1", Verb.USE, admin.kid, NOW, say, "a test"), admin)
    heard = open_order(sealed, lambda _kid: pinned)
    async with Store(store_url) as store:
        audit = OrderAudit(store)
        working = asyncio.create_task(audit.run())
        for _ in range(2):
            audit.heard(heard, "")
        other = new_command("robot-1", Verb.STOP, admin.kid, NOW)
        audit.heard(open_order(seal_envelope(COMMAND, other, admin), lambda _kid: pinned), "")
        written = await eventually(lambda: _two(store))
        working.cancel()
    assert [detail for *_, detail in written] == [
        f'{{"id":"{heard.command.id}","verb":"use","tool":"say","why":"a test"}}',
        f'{{"id":"{other.id}","verb":"stop"}}',
    ]
