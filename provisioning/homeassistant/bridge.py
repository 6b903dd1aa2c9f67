"""The bridge: shows the robots to Home Assistant, and has carried out what is wished for there."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from importlib.metadata import version
from typing import Final

from device.errors import BrokerError, MalformedMessageError, SettingsError, StoreError, first_of
from device.messages.mandates import Mandate
from device.messages.reports import DeviceState, Event
from device.messages.tools import ANY
from provisioning.authority import Authority
from provisioning.homeassistant import discovery as ha
from provisioning.homeassistant.home import Home
from provisioning.homeassistant.nearby import check_near
from provisioning.homeassistant.notices import Notices
from provisioning.homeassistant.ordering import Ordering
from provisioning.homeassistant.wishes import TOPICS, Wish, wish
from provisioning.link import BrokerEndpoint
from provisioning.listener import PartialListener
from provisioning.operators import mandate_of
from provisioning.overview import Glance, Overview
from provisioning.policy import Status, midnight
from provisioning.registry import Device
from provisioning.settings import CloudSettings
from provisioning.spending.caps import Spent, day_of
from provisioning.store import Store, Transaction
from provisioning.upkeep import InUse

_log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 30.0
"""How often robots and what they have spent are looked up."""

MOST_ROBOTS: Final = 200
"""That are shown: this is for a house, not for a fleet."""

MOST_ORDERS: Final = 20
"""That are on their way at a time; what is wished for beyond is dropped, for a wish must not come true later."""

GOODBYE_SECONDS: Final = 1.0


class Bridge(PartialListener):
    """A listener to what robots report. `run()` it in a task.

    Raises:
        SettingsError: the operator in whose name it orders is not there, or has no mandate of its own.
    """

    def __init__(self, settings: CloudSettings, authority: Authority, store: Store, broker: BrokerEndpoint) -> None:
        where = settings.home_assistant
        self._store, self._robots = store, _mandate(authority, where.operator).robots
        self._about = ha.About(version("kaiwa"), settings.prices.currency, settings.web.public_url)
        self._notices = Notices()
        self._notices.put(ha.BRIDGE, ha.ONLINE.encode())
        self._home = Home(where, authority, broker)
        handlers = {ha.BIRTH: self._born, **dict.fromkeys(TOPICS, self._wished)}
        self._link = self._home.link(handlers, TOPICS, self._notices.again)
        self._ordering = Ordering(authority, where.operator, self._robots, broker)
        self._overview, self._seen = Overview(), dict[str, Glance]()
        self._versions: dict[str, str] = {}
        self._shown: set[str] = set()
        self._met: set[str] = set()
        """Robots that were not shown when they were heard; each is looked up at once, the first time."""
        self._look_now = asyncio.Event()
        self._wishes: asyncio.Queue[Wish] = asyncio.Queue()
        self._under_way = 0

    @property
    def in_use(self) -> list[InUse]:
        """What certificates of the authority are shown with."""
        return [*self._home.in_use, self._ordering.in_use]

    def on_state(self, state: DeviceState) -> None:
        """Take a robot's card."""
        self._versions[state.device] = state.version
        self._keep(self._overview.on_state(state))

    def on_event(self, device: str, event: Event) -> None:
        """Take one thing that happened at a robot."""
        self._keep(self._overview.on_event(device, event))

    async def run(self) -> None:
        """Show, and have carried out what is wished for, until cancelled; then say that nobody does any more.

        Where the broker is no longer near, the bridge ends, and the fleet goes on without.

        Raises:
            SettingsError: the broker is not near to begin with.
        """
        await check_near(self._home.where.host)
        try:
            await self._bridged()
        except* SettingsError as ended:
            _log.error("the bridge to Home Assistant ends: %s", first_of(ended))

    async def _bridged(self) -> None:
        async with asyncio.TaskGroup() as outer:
            linked = outer.create_task(self._link.run(), name="home assistant")
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._look(), name="home assistant, robots")
                    group.create_task(self._notices.run(self._link), name="home assistant, notices")
                    group.create_task(self._ordering.run(), name="home assistant, operator")
                    group.create_task(self._obey(group), name="home assistant, wishes")
            finally:
                await self._say_goodbye()
                linked.cancel()

    async def _say_goodbye(self) -> None:
        try:
            await self._link.publish(ha.BRIDGE, ha.OFFLINE.encode(), retain=True, within=GOODBYE_SECONDS)
        except BrokerError as error:
            _log.info("Home Assistant is not told that the bridge ends: %s", error)

    async def _look(self) -> None:
        while True:
            self._look_now.clear()
            try:
                await self._refresh(time.time())
            except StoreError as error:
                _log.warning("Home Assistant sees what was before: %s", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._look_now.wait()
            await check_near(self._home.where.host)

    async def _refresh(self, now: float) -> None:
        async with self._store.transaction() as t:
            found = await self._devices(t)
            day = day_of(now)
            spent = await t.ledger.totals([day], [f"device:{device.id}" for device in found])
        for device in found:
            if device.status is Status.REVOKED:
                self._hide(device.id)
                continue
            if device.id in self._shown and device.id not in self._seen:
                self._notices.put(ha.topic(device.id, "state"), ha.state(Glance(device.id, phase="offline")))
            self._shown.add(device.id)
            self._show(device.id)
            account = spent.get((f"device:{device.id}", day), Spent())
            self._notices.put(ha.topic(device.id, "spend"), ha.spend(account.settled, midnight(now)))

    async def _devices(self, t: Transaction) -> list[Device]:
        if ANY in self._robots:
            return (await t.devices.all())[:MOST_ROBOTS]
        return [found for name in self._robots[:MOST_ROBOTS] if (found := await t.devices.find(name))]

    def _keep(self, glance: Glance | None) -> None:
        if glance is None:
            return
        self._seen[glance.device] = glance
        if glance.device in self._shown:
            self._show(glance.device)
        elif glance.device not in self._met:
            self._met.add(glance.device)
            self._look_now.set()

    def _show(self, robot: str) -> None:
        self._notices.put(ha.config_topic(robot), ha.discovery(robot, self._versions.get(robot, ""), self._about))
        if robot in self._seen:
            self._notices.put(ha.topic(robot, "state"), ha.state(self._seen[robot]))

    def _hide(self, robot: str) -> None:
        self._shown.discard(robot)
        for topic in (ha.config_topic(robot), *(ha.topic(robot, what) for what in ("state", "spend", "order"))):
            self._notices.put(topic, b"")

    def _born(self, _topic: str, payload: bytes) -> None:
        if payload == ha.ONLINE.encode():
            self._notices.again()

    def _wished(self, topic: str, payload: bytes) -> None:
        try:
            asked = wish(topic, payload)
        except MalformedMessageError as error:
            _log.warning("Home Assistant: %s", error)
            return
        if asked.robot not in self._shown or self._under_way >= MOST_ORDERS:
            _log.warning("Home Assistant: %s of %s is not ordered", asked.word, asked.robot[:40])
            return
        self._under_way += 1
        self._wishes.put_nowait(asked)

    async def _obey(self, group: asyncio.TaskGroup) -> None:
        while True:
            asked = await self._wishes.get()
            group.create_task(self._give(asked), name=f"home assistant, {asked.word}")

    async def _give(self, asked: Wish) -> None:
        try:
            step, reason = await self._ordering.give(asked, time.time())
        finally:
            self._under_way -= 1
        _log.info("Home Assistant: %s of %s: %s %s", asked.word, asked.robot, step, reason)
        self._notices.put(ha.topic(asked.robot, "order"), ha.outcome(asked.word, step, reason, time.time()))


def _mandate(authority: Authority, operator: str) -> Mandate:
    found = mandate_of(authority, operator) if operator in authority.operators else None
    if found is None:
        raise SettingsError(
            "[home_assistant]",
            f"needs an operator of its own: kaiwa-cloud operator new {operator} --all --may start,stop,mute,unmute,volume",
            key="operator",
        )
    return found
