"""The broker connection: what is said again, what is dropped, and that it always comes back."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from device import mqtt
from device.messages.enrolment import BrokerAddress
from device.mqtt import OUTBOX, Broker, Incoming, Presence, refusals
from provisioning.authority import Authority
from provisioning.keyfiles import p256_key
from provisioning.link import BrokerEndpoint
from tests.faults import RECOVERY, Recorded
from tests.mosquitto import Board, Fleet

STATE = "kaiwa/v1/robot/state"
EVENT = "kaiwa/v1/robot/evt"
COMMAND = "kaiwa/v1/robot/cmd"


class Robot:
    """A broker connection with all that came of it."""

    def __init__(self, board: Board) -> None:
        presence = Presence(
            address=BrokerAddress(host=board.broker.host, port=board.broker.port),
            identity=board.name,
            tls=board.tls,
            will_topic=STATE,
            will=b"lost",
            subscriptions=(COMMAND,),
        )
        self.broker = Broker(presence)
        self.heard: asyncio.Queue[Incoming] = asyncio.Queue()
        self.changes: asyncio.Queue[bool] = asyncio.Queue()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.broker.run(self.heard.put_nowait, self.changes.put_nowait))
        try:
            async with asyncio.timeout(20):
                yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def robot(fleet: Fleet) -> Robot:
    return Robot(fleet.board("robot"))


@asynccontextmanager
async def listening(fleet: Fleet) -> AsyncIterator[aiomqtt.Client]:
    """A connection that hears everything robots report."""
    async with fleet.service() as client:
        await client.subscribe("kaiwa/v1/+/state", qos=1)
        await client.subscribe("kaiwa/v1/+/evt", qos=1)
        yield client


async def heard(client: aiomqtt.Client) -> tuple[str, bytes]:
    async with asyncio.timeout(10):
        message = await anext(client.messages)
    assert isinstance(message.payload, bytes)
    return str(message.topic), message.payload


async def test_what_was_said_while_away_is_said_on_arrival_state_first(fleet: Fleet, robot: Robot) -> None:
    robot.broker.publish(EVENT, b"event")
    robot.broker.publish(STATE, b"first", retain=True)
    robot.broker.publish(STATE, b"last", retain=True)
    async with listening(fleet) as client, robot.running():
        assert await heard(client) == (STATE, b"last")
        assert await heard(client) == (EVENT, b"event")


async def test_what_is_worthless_by_now_is_not_sent(fleet: Fleet, robot: Robot) -> None:
    robot.broker.publish(EVENT, b"too late", within=-1.0)
    robot.broker.publish(EVENT, b"meter", qos=0)
    robot.broker.publish(EVENT, b"still good", within=60.0)
    async with listening(fleet) as client, robot.running():
        assert await heard(client) == (EVENT, b"still good")
    assert robot.broker.dropped == 1


def test_the_outbox_is_bounded_and_the_oldest_go(robot: Robot) -> None:
    for number in range(OUTBOX + 3):
        robot.broker.publish(EVENT, str(number).encode())
    assert robot.broker.dropped == 3


async def test_it_comes_back_after_the_broker_was_away_and_says_its_state_again(
    fleet: Fleet, robot: Robot, record_property: Recorded
) -> None:
    robot.broker.publish(STATE, b"here", retain=True)
    async with robot.running():
        assert await robot.changes.get() is True
        await fleet.broker.restart()
        began = time.monotonic()
        assert await robot.changes.get() is False
        assert not robot.broker.online
        assert await robot.changes.get() is True
        record_property(RECOVERY, time.monotonic() - began)
        async with listening(fleet) as client:
            assert await heard(client) == (STATE, b"here")


async def test_a_broker_that_takes_nothing_any_more_is_left_and_what_it_did_not_take_is_said_again(
    fleet: Fleet, robot: Robot, monkeypatch: pytest.MonkeyPatch, record_property: Recorded
) -> None:
    monkeypatch.setattr(mqtt, "CONNECT_SECONDS", 0.5)
    async with robot.running():
        assert await robot.changes.get() is True
        with paused(fleet):
            robot.broker.publish(EVENT, b"event")
            assert await robot.changes.get() is False
        back = time.monotonic()
        async with listening(fleet) as client:
            assert await robot.changes.get() is True
            assert await heard(client) == (EVENT, b"event")
            record_property(RECOVERY, time.monotonic() - back)


async def test_the_last_state_is_the_last_one_said_after_an_outage(
    fleet: Fleet, robot: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "CONNECT_SECONDS", 0.5)
    async with robot.running():
        assert await robot.changes.get() is True
        with paused(fleet):
            robot.broker.publish(EVENT, b"in the way")
            robot.broker.publish(STATE, b"first", retain=True)
            assert await robot.changes.get() is False
            robot.broker.publish(STATE, b"last", retain=True)
        assert await robot.changes.get() is True
        await robot.broker.drain(5.0)
        async with listening(fleet) as client:
            assert await heard(client) == (STATE, b"last")


def test_what_a_broker_grants_and_what_it_refuses() -> None:
    """Mosquitto 2.0 grants every subscription and delivers nothing; other brokers say so."""
    granted, refused = (ReasonCode(PacketTypes.SUBACK, identifier=number) for number in (1, 0x87))
    assert refusals([granted, 0, 2]) == []
    assert refusals([granted, refused]) == ["Not authorized"]
    assert refusals([0x80]) == ["128"]


@contextmanager
def paused(fleet: Fleet) -> Iterator[None]:
    """Let the broker stand still: connected, and deaf."""
    assert fleet.broker._process is not None
    fleet.broker._process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        fleet.broker._process.send_signal(signal.SIGCONT)


async def test_the_last_will_is_told_when_it_vanishes(fleet: Fleet, robot: Robot) -> None:
    async with listening(fleet) as client, robot.running():
        assert await robot.changes.get() is True
        async with fleet.board("robot").connect():  # takes the place of the first, which the broker cuts off
            assert await heard(client) == (STATE, b"lost")


@pytest.mark.parametrize(("lasted", "waited"), [(60.0, [1.0, 2.0, 4.0]), (0.0, [1.0, 1.0, 1.0])])
async def test_two_robots_with_one_identity_do_not_fight_for_the_connection_for_ever(
    fleet: Fleet, robot: Robot, monkeypatch: pytest.MonkeyPatch, lasted: float, waited: list[float]
) -> None:
    """As when a card was copied: each takes the other's place, and the broker lets both in."""
    ceilings = list[float]()

    def at_once(low: float, high: float) -> float:
        ceilings.append(high)
        return low

    monkeypatch.setattr("device.backoff.LASTED", lasted)
    monkeypatch.setattr("device.mqtt.random.uniform", at_once)
    async with robot.running():
        assert await robot.changes.get() is True
        for _ in range(3):
            async with fleet.board("robot").connect():
                assert [await robot.changes.get() for _ in range(2)] == [False, True]
    assert ceilings == waited


async def test_an_order_arrives_and_says_whether_it_was_retained(fleet: Fleet, robot: Robot) -> None:
    async with robot.running():
        assert await robot.changes.get() is True
        async with fleet.operator("test") as client:
            await client.publish(COMMAND, b"order", qos=1)
        assert await robot.heard.get() == Incoming(COMMAND, b"order", retained=False)


async def test_a_certificate_that_has_run_out_is_named_when_there_is_no_connection(robot: Robot) -> None:
    over = replace(robot.broker._presence, address=BrokerAddress(host="127.0.0.1", port=1), expires_at=86_400.0)
    robot.broker = Broker(over)
    async with robot.running():
        while not robot.broker.trouble:
            await asyncio.sleep(0.01)  # a first try that fails tells nobody
    assert robot.broker.trouble.startswith("the certificate of this robot ran out on 1970-01-02; enrol it")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("certificate verify failed: certificate has expired", "certificate verify failed: certificate has expired"),
        ("hung up without a word", "the certificate of this robot ran out on 1970-01-02"),
    ],
)
def test_where_the_cloud_s_certificate_seems_to_be_over_as_well_it_is_the_clock(
    robot: Robot, said: str, told: str
) -> None:
    broker = Broker(replace(robot.broker._presence, expires_at=86_400.0))
    broker.trouble = broker._reason(OSError(said), 100_000.0)
    assert broker.trouble.startswith(told)
    assert broker.fault == ("clock" if "expired" in said else "broker")


@pytest.mark.filterwarnings(
    "ignore:.*unclosed <ssl.SSLSocket:ResourceWarning",  # paho leaves the socket of a handshake that failed to the collector
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
@pytest.mark.parametrize("days", [400, -400])
async def test_a_clock_that_is_wrong_is_told_from_a_network_that_is_gone(tmp_path: Path, days: int) -> None:
    authority = Authority.open(tmp_path, ("127.0.0.1",), time.time() + days * 86_400)
    files = authority.impersonate("robot", tmp_path, time.time())
    server = await asyncio.start_server(
        lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=authority.server_context()
    )
    endpoint = BrokerEndpoint("127.0.0.1", server.sockets[0].getsockname()[1])
    robot = Robot(Board("robot", p256_key(files.key), 1, authority.client_context(files), endpoint))
    async with server, robot.running():
        while not robot.broker.trouble:
            await asyncio.sleep(0.01)
    assert robot.broker.fault == "clock", robot.broker.trouble


async def test_it_changes_to_another_certificate_without_its_last_will_being_told(fleet: Fleet, robot: Robot) -> None:
    async with listening(fleet) as client, robot.running():
        robot.broker.publish(STATE, b"here", retain=True)
        assert await heard(client) == (STATE, b"here")
        renewed = replace(robot.broker._presence, tls=fleet.board("robot").tls)
        assert await robot.broker.change(renewed)
        assert robot.broker._presence is renewed
        robot.broker.publish(EVENT, b"event")
        assert await heard(client) == (STATE, b"here")  # said again, as on every return
        assert await heard(client) == (EVENT, b"event")
        assert [robot.changes.get_nowait() for _ in range(3)] == [True, False, True]


async def test_a_certificate_that_is_not_let_in_leaves_the_one_before_in_force(
    fleet: Fleet, robot: Robot, tmp_path: Path
) -> None:
    stranger = Authority.open(tmp_path / "stranger", ("localhost",), time.time())
    files = stranger.impersonate("robot", tmp_path, time.time())
    tls = fleet.authority.client_context(files)
    async with listening(fleet) as client, robot.running():
        assert await robot.changes.get() is True
        before = robot.broker._presence
        assert not await robot.broker.change(replace(before, tls=tls))
        assert robot.broker._presence is before
        robot.broker.publish(EVENT, b"event")
        assert await heard(client) == (EVENT, b"event")


async def test_waiting_for_the_connection_ends_either_way(robot: Robot) -> None:
    assert not await robot.broker.connected(0.0)
    async with robot.running():
        assert await robot.broker.connected(10.0)
