"""The bridge in a whole cloud: Home Assistant's side is a client with the rights that it gets, and no more."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from device.errors import SettingsError
from device.messages import topics
from device.messages.commands import CommandStatus, Step, Verb
from device.messages.reports import Lifecycle
from device.messages.secret import Secret
from device.messages.wire import encode
from device.orders import Journal, Order, Orders
from device.phase import StartOrdered, StopOrdered, ToolOrdered
from provisioning.app import Cloud, running
from provisioning.authority import Authority
from provisioning.homeassistant import discovery as ha
from provisioning.homeassistant.bridge import Bridge
from provisioning.link import BrokerEndpoint, Login, connection
from provisioning.local.imageflux.server import ImageFluxStandIn
from provisioning.mosquitto import _free_port, _program
from provisioning.operators import Rights, make_operator
from provisioning.revocation import revoke
from provisioning.roles import HOME_ASSISTANT
from provisioning.settings import CloudSettings, HomeAssistantSettings, replaced
from provisioning.store import Store
from tests.eventually import eventually
from tests.provisioning.realtime_service import realtime_service
from tests.provisioning.site import Board, Site, cloud_settings

RIGHTS = Rights([Verb.START, Verb.STOP], ["mute"], ["*"], 5, 86_400.0)
OURS = HomeAssistantSettings(enabled=True)


def with_operator(settings: CloudSettings) -> Authority:
    authority = Authority.open(Path(settings.state_dir), settings.names, time.time())
    authority.operator("admin", time.time())
    make_operator(authority, "admin", "home-assistant", RIGHTS, time.time())
    return authority


@asynccontextmanager
async def house(folder: Path, home: HomeAssistantSettings = OURS) -> AsyncIterator[Site]:
    """Run a cloud with the bridge."""
    async with realtime_service() as realtime, ImageFluxStandIn() as stand_in:
        settings = replaced(cloud_settings(folder, realtime, stand_in), home_assistant=home)
        with_operator(settings)
        async with running(settings) as cloud:
            async with asyncio.timeout(10):
                await cloud.connected.wait()
            yield Site(cloud, realtime, stand_in, settings, folder / "boards")


class HomeAssistant:
    """What Home Assistant hears, by topic."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client

    async def hears(self, topic: str, fits: Callable[[bytes], bool] = bool) -> bytes:
        """Wait until something fitting is said there."""
        async with asyncio.timeout(10):
            async for message in self.client.messages:
                if str(message.topic) == topic and fits(message.payload):
                    return bytes(message.payload)
        raise AssertionError

    async def sees(self, topic: str, **values: Any) -> dict[str, Any]:
        """Wait until an object with these values is shown there."""

        def fits(payload: bytes) -> bool:
            return bool(payload) and values.items() <= json.loads(payload).items()

        found: dict[str, Any] = json.loads(await self.hears(topic, fits))
        return found

    async def wishes(self, robot: str, word: str, payload: str = ha.PRESS, *, retain: bool = False) -> None:
        await self.client.publish(ha.topic(robot, word), payload, qos=1, retain=retain)


@asynccontextmanager
async def home_assistant(cloud: Cloud) -> AsyncIterator[HomeAssistant]:
    """Connect to the fleet's own broker as Home Assistant does, and listen to everything."""
    files = cloud.authority.service(HOME_ASSISTANT, time.time())
    async with connection(cloud.broker, "as it likes", cloud.authority.client_context(files)) as client:
        await client.subscribe("#", qos=1)
        yield HomeAssistant(client)


class Robot:
    """Obeys as a robot does, as far as it is a matter of who may order what."""

    def __init__(self, board: Board, folder: Path) -> None:
        self.board = board
        self._orders = Orders(board.identity.device, board.identity.operator_key, Journal(folder / "orders"))

    async def obeys(self) -> Order | CommandStatus:
        """Take the next order, say that it is done, unless it was refused, and return it."""
        _, payload = await self.board.next_message()
        taken = self._orders.take(payload, time.time(), retained=False)
        device = self.board.identity.device
        status = (
            taken
            if isinstance(taken, CommandStatus)
            else CommandStatus(id=taken.command, device=device, step=Step.SUCCEEDED, at=time.time())
        )
        await self.board.client.publish(topics.command_status(device, status.id), encode(status), qos=1)
        return taken


async def ordered(here: Site) -> list[tuple[str, str]]:
    async with here.cloud.store.transaction() as t:
        return [(e.actor, e.detail) async for e in t.audit.entries() if e.action == "ordered"]


async def test_a_robot_is_shown_and_obeys_within_the_rights_of_the_bridge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioning.homeassistant.bridge.LOOK_SECONDS", 0.02)
    async with house(tmp_path) as here, here.board() as board, home_assistant(here.cloud) as home:
        robot = Robot(board, tmp_path)
        await here.enrolled("never-on")
        await home.sees(ha.topic("never-on", "state"), phase="offline", availability="offline")
        await board.state(phase="idle", version="9.9")
        told = json.loads(await home.hears(ha.config_topic("robot-1"), lambda payload: b"9.9" in payload))
        assert told["components"]["start"]["command_topic"] == ha.topic("robot-1", "start")
        await home.sees(ha.topic("robot-1", "state"), phase="idle", availability="online", muted="OFF")
        await home.wishes("robot-1", "start")
        assert isinstance(await robot.obeys(), StartOrdered)
        await home.sees(ha.topic("robot-1", "order"), order="start", step="SUCCEEDED")
        await home.wishes("robot-1", "mute", "ON")
        muted = await robot.obeys()
        assert isinstance(muted, ToolOrdered)
        assert (muted.tool, muted.issuer) == ("mute", "operator-home-assistant")
        await home.wishes("robot-1", "volume", "50")
        assert isinstance(await robot.obeys(), CommandStatus)
        refused = await home.sees(ha.topic("robot-1", "order"), step="REJECTED")
        assert refused["reason"].startswith("operator-home-assistant may not use volume")
        await spends(here)
        await home.sees(ha.topic("robot-1", "spend"), amount=1.5)
        await board.state(lifecycle=Lifecycle.DISCONNECTED)
        await home.sees(ha.topic("robot-1", "state"), availability="offline")
        written = await eventually(lambda: so_many(here, 3))
        assert {actor for actor, _ in written} == {"operator-home-assistant"}
        assert '"why":"Home Assistant"' in written[0][1]
        assert '"refused":"operator-home-assistant may not use volume' in written[2][1]
        await revoke(here.cloud.store, here.cloud.authority, "robot-1", time.time(), "admin")
        await home.hears(ha.config_topic("robot-1"), lambda payload: not payload)


async def spends(here: Site) -> None:
    async with here.cloud.store.transaction() as t:
        await t.ledger.settle("robot-1", "", 0, 1_500_000, time.time())


async def so_many(here: Site, number: int) -> list[tuple[str, str]]:
    found = await ordered(here)
    return found if len(found) == number else []


async def test_what_the_broker_has_kept_opens_no_microphone_and_nothing_else_is_within_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path) as here, here.board() as board:
        assert here.cloud.child is not None
        robot = Robot(board, tmp_path)
        await board.state()
        async with home_assistant(here.cloud) as home:
            await home.sees(ha.topic("robot-1", "state"), availability="online")
            # Its own topics are all that it hears and says.
            await home.client.publish(topics.command("robot-1"), b"forged", qos=1)
            await home.client.publish(topics.state("robot-1"), b"forged", qos=1)
            await home.wishes("robot-1", "start", retain=True)
            assert isinstance(await robot.obeys(), StartOrdered)
            await home.sees(ha.topic("robot-1", "order"), step="SUCCEEDED")
            # When it has started anew it is told again; its kept press is not heard again.
            await home.client.publish(ha.BIRTH, ha.ONLINE, qos=1)
            await home.hears(ha.config_topic("robot-1"))
            await home.wishes("robot-2", "start")
            await home.wishes("robot-1", "start", "nonsense")
            await home.wishes("robot-1", "stop")
            assert isinstance(await robot.obeys(), StopOrdered)
            # A robot that does not answer takes up the only place, and what else is wished for is dropped.
            monkeypatch.setattr("provisioning.homeassistant.bridge.MOST_ORDERS", 1)
            monkeypatch.setattr("provisioning.homeassistant.ordering.FIRST_STEP_SECONDS", 0.1)
            await home.wishes("robot-1", "mute", "ON")
            await home.wishes("robot-1", "start")
            told = await home.sees(ha.topic("robot-1", "order"), order="mute", step="UNANSWERED")
            assert "robot-1 did not answer" in told["reason"]
        written = await eventually(lambda: so_many(here, 3))
        verbs = [json.loads(detail)["verb"] for _, detail in written]
        assert verbs == ["start", "stop", "use"]


async def test_a_bridge_that_comes_back_does_not_obey_what_was_kept(tmp_path: Path, caplog: Any) -> None:
    async with elsewhere(tmp_path) as (where, login, home):
        await home.wishes("robot-1", "start", retain=True)
        async with house(tmp_path, where) as here, here.board() as board:
            await board.state()
            await home.sees(ha.topic("robot-1", "state"), availability="online")
            assert "ignored what the broker had kept of homeassistant/kaiwa/robot-1/start" in caplog.text
            await home.client.publish(ha.BIRTH, ha.ONLINE, qos=1)
            await home.hears(ha.config_topic("robot-1"))
            assert await ordered(here) == []
        assert await home.hears(ha.BRIDGE, lambda payload: payload == b"offline")
        assert login.password.reveal() not in caplog.text


def rights_by_the_page() -> str:
    """Return the access list for a broker of Home Assistant's own, as docs/home-assistant.md gives it."""
    page = (Path(__file__).parents[3] / "docs" / "home-assistant.md").read_text("utf-8")
    return "user kaiwa\n" + page.partition("```\nuser kaiwa\n")[2].partition("```")[0]


@asynccontextmanager
async def elsewhere(folder: Path) -> AsyncIterator[tuple[HomeAssistantSettings, Login, HomeAssistant]]:
    """Run a broker of Home Assistant's own, with passwords and an access list, and without TLS."""
    login, home, port = Login("kaiwa", Secret("sesame")), Login("home", Secret("poppy")), _free_port("127.0.0.1")
    passwords, rights, config = folder / "passwords", folder / "rights", folder / "home.conf"
    passwords.touch(0o600)
    for each in (login, home):
        made = ("mosquitto_passwd", "-b", str(passwords), each.user, each.password.reveal())
        assert await (await asyncio.create_subprocess_exec(*made)).wait() == 0
    rights.write_text(f"{rights_by_the_page()}\nuser home\ntopic readwrite homeassistant/#\n")
    rights.chmod(0o600)
    listening = (f"listener {port} 127.0.0.1", "allow_anonymous false", f"password_file {passwords}")
    config.write_text("\n".join(("user root", *listening, f"acl_file {rights}", "")))
    broker = await asyncio.create_subprocess_exec(_program(), "-c", str(config), stderr=asyncio.subprocess.DEVNULL)
    try:
        await eventually(lambda: listens(port))
        where = HomeAssistantSettings(
            enabled=True, host="127.0.0.1", port=port, user=login.user, password=login.password
        )
        async with connection(BrokerEndpoint("127.0.0.1", port), "home", None, login=home) as client:
            await client.subscribe("homeassistant/#", qos=1)
            yield where, login, HomeAssistant(client)
    finally:
        broker.terminate()
        await broker.wait()


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def bridge(folder: Path, home: HomeAssistantSettings) -> Bridge:
    settings = CloudSettings(state_dir=str(folder), home_assistant=home)
    return Bridge(settings, with_operator(settings), Store("unused"), BrokerEndpoint("127.0.0.1", 9))


async def test_a_broker_in_the_internet_is_not_even_tried(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    far = bridge(tmp_path, HomeAssistantSettings(enabled=True, host="8.8.8.8"))
    with pytest.raises(SettingsError, match=r"8\.8\.8\.8"):
        async with asyncio.timeout(5):
            await far.run()
    assert caplog.text == ""


async def test_a_broker_that_moves_into_the_internet_ends_the_bridge_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("provisioning.homeassistant.bridge.LOOK_SECONDS", 0.02)
    monkeypatch.setattr("provisioning.homeassistant.bridge.GOODBYE_SECONDS", 0.02)
    moving = bridge(tmp_path, HomeAssistantSettings(enabled=True, host="127.0.0.1", port=9))
    running_on = asyncio.create_task(moving.run())
    await eventually(lambda: complains(caplog))
    monkeypatch.setattr("provisioning.homeassistant.nearby.near", lambda _address: False)
    async with asyncio.timeout(5):
        await running_on
    assert "the bridge to Home Assistant ends: [home_assistant]" in caplog.text


async def complains(caplog: pytest.LogCaptureFixture) -> bool:
    return "Home Assistant sees what was before" in caplog.text


@pytest.mark.parametrize("operator", ["nobody", "admin"])
def test_without_an_operator_with_a_mandate_it_does_not_start(tmp_path: Path, operator: str) -> None:
    with pytest.raises(SettingsError, match=f"kaiwa-cloud operator new {operator}"):
        bridge(tmp_path, HomeAssistantSettings(enabled=True, operator=operator))


def test_home_assistant_has_rights_at_the_fleet_s_broker_only_when_it_is_to_come_there() -> None:
    here = CloudSettings(state_dir="/x", home_assistant=OURS)
    elsewhere = replaced(here, home_assistant=replaced(OURS, host="192.168.1.5"))
    assert [HOME_ASSISTANT in settings.clients for settings in (here, elsewhere)] == [True, False]
    assert HOME_ASSISTANT not in CloudSettings(state_dir="/x").clients
