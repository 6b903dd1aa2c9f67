"""The parts of the cloud: what each listens to and does all the time, whether they share a process or not."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from device.errors import BrokerError
from device.messages import topics
from device.messages.minting import Limits
from provisioning.alarms import Alarms
from provisioning.authority import Authority
from provisioning.broadcasting import Broadcasts
from provisioning.captioning import Captioning
from provisioning.duty import Duty
from provisioning.endings import Endings
from provisioning.expulsion import Expulsion
from provisioning.figures import FigureBook
from provisioning.granting import Terms
from provisioning.homeassistant.bridge import Bridge
from provisioning.leash import Leash, Reins
from provisioning.link import BrokerEndpoint, Handler, Link
from provisioning.listener import Listener
from provisioning.listening import listening
from provisioning.metrics import Metrics
from provisioning.mint_service import MintService
from provisioning.minting import Minter
from provisioning.monitor import Counted, Gauge, Monitor
from provisioning.mosquitto import MosquittoProcess
from provisioning.notes import NoteAudit
from provisioning.observer.feed import Feed
from provisioning.openai import OpenAI
from provisioning.order_audit import OrderAudit
from provisioning.playlists import Playlists
from provisioning.policy import Allowance
from provisioning.presence import Presence
from provisioning.profiles.choosing import Chooser
from provisioning.renewal import Renewals
from provisioning.reports import TOPICS, Reports
from provisioning.revocation import end_connection, follow
from provisioning.roles import Place, Role
from provisioning.sessions import Session
from provisioning.settings import CloudSettings, LimitSettings
from provisioning.stops import Stops
from provisioning.store import Store
from provisioning.upkeep import InUse, Upkeep
from provisioning.veil import Veil

_log = logging.getLogger(__name__)

Task = Callable[[], Coroutine[Any, Any, None]]
"""Something that goes on until it is cancelled."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What everything else stands on."""

    settings: CloudSettings
    authority: Authority
    store: Store
    openai: OpenAI
    broadcasts: Broadcasts
    broker: BrokerEndpoint
    child: MosquittoProcess | None


class Work:
    """What one process does all the time: who takes what comes over the broker, who is told, and what runs."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.listeners: list[Listener] = []
        self.running: list[Task] = []
        self.metrics = Metrics()
        self.gauges: dict[str, Gauge] = {}
        self.shown: list[InUse] = []
        """What certificates of our own are shown with, besides the connection to the broker."""
        self.connected: asyncio.Event | None = None
        """Set while the broker is connected; none before all of it has begun."""

    def hears(self) -> bool:
        """Tell whether what devices say would come here now."""
        return self.connected is not None and self.connected.is_set()

    def listen(self, *listeners: Listener) -> None:
        """Tell these of what devices report, after those before."""
        self.listeners += listeners

    def run(self, *works: Task) -> None:
        """Run these, too."""
        self.running += works


def hold(ground: Ground, work: Work, *, apart: bool) -> Leash:
    """Add what ends sessions and keeps the books."""
    store = ground.store
    limits = ground.settings.limits
    reins = Reins(limits.grace_seconds, limits.silent_seconds, ground.settings.rules)
    leash = Leash(store, ground.openai, ground.broadcasts, reins, work.hears)
    presence, alarms, note_audit, order_audit = Presence(store), Alarms(store), NoteAudit(store), OrderAudit(store)
    figures = FigureBook(store)
    stops = Stops(ground.authority.operator_keys(), leash.stop, order_audit.heard)
    work.handlers[topics.command("+")] = stops.deliver
    work.listen(leash, presence, alarms, note_audit, figures)
    work.run(partial(leash.run, apart=apart), presence.run, alarms.run, note_audit.run, order_audit.run, figures.run)
    work.run(partial(_follow, ground, _expel(ground, work)), partial(_guard, ground))
    if ground.settings.home_assistant.enabled:
        _bridge(ground, work)
    return leash


def _expel(ground: Ground, work: Work) -> Callable[[], None]:
    """Add what keeps revoked robots off a broker that is not ours; return what tells it that somebody was revoked.

    Ours has read the list before anybody's connection is ended, and lets nobody back in.
    """
    if ground.child is not None:
        return _nothing
    expulsion = Expulsion(ground.store, partial(end_connection, ground.authority, ground.broker))
    work.listen(expulsion)
    work.run(expulsion.run)
    return expulsion.look_again


def _nothing() -> None:
    pass


def _bridge(ground: Ground, work: Work) -> None:
    """Add the bridge to Home Assistant, which there is once, as there is one leash."""
    bridge = Bridge(ground.settings, ground.authority, ground.store, ground.broker)
    work.listen(bridge)
    work.run(bridge.run)
    work.shown += bridge.in_use


def mint(ground: Ground, work: Work, web_url: str, leash: Leash | None, duty: Duty) -> tuple[MintService, MintService]:
    """Add what answers robots; without a leash here, one elsewhere finds the sessions in the store."""
    settings, authority = ground.settings, ground.authority
    granted: Callable[[Session], None] = _ignore if leash is None else leash.granted
    endings = Endings(ground.store)
    if leash is None:
        work.listen(endings)
        work.run(ground.broadcasts.keep_clean)
    minter = Minter(
        ground.store,
        authority.mint_signer,
        ground.openai,
        ground.broadcasts,
        terms(settings, web_url),
        granted,
        endings.settled if leash is None else leash.settled,
        duty,
    )
    renewals = Renewals(ground.store, authority, settings.enrol.certificate_days)
    minting, renewing = MintService(Counted(minter, work.metrics)), MintService(renewals, topics.renewal_answer)
    work.handlers |= {topics.MINTERS: minting.deliver, topics.RENEWERS: renewing.deliver}
    work.gauges["kaiwa_mint_requests_dropped"] = ("Requests that found the queue full.", lambda: minting.dropped)
    work.run(renewals.run, duty.keep)
    return minting, renewing


def _ignore(_session: Session) -> None:
    pass


def show(ground: Ground, work: Work, captioning: Captioning, feed: Feed, others: Sequence[Listener] = ()) -> None:
    """Add what observers are told by; `others` are told of the same."""
    veil = Veil(ground.store, ground.settings.openai.hidden_words, (feed, *others))
    playlists = Playlists(ground.store, ground.broadcasts, [veil])
    work.listen(playlists, veil)
    work.gauges["kaiwa_pages_open"] = ("Observers' pages that are open.", lambda: feed.pages)
    work.run(playlists.run, captioning.run, veil.run)


async def begin(
    ground: Ground,
    place: Place,
    work: Work,
    answering: Sequence[MintService],
    shown: Sequence[InUse],
    stack: AsyncExitStack,
) -> asyncio.Event:
    """Connect to the broker and start all of it; return what is set while the broker is connected.

    `shown` is what our own certificates are shown with, besides the connection to the broker.
    """
    files = ground.authority.service(place.identity, time.time())
    tls = ground.authority.client_context(files)
    upkeep = Upkeep(ground.authority, (*shown, *work.shown, (tls, files)), partial(_reload, ground))
    reports = TOPICS if place.role is not Role.MINT else (topics.EVERY_EVENT,)
    handlers = work.handlers | dict.fromkeys(reports, Reports(work.listeners).deliver)
    link = Link(ground.broker, place.identity, tls, handlers)
    work.connected = link.connected
    group = await stack.enter_async_context(asyncio.TaskGroup())
    works: list[Task] = [*work.running, upkeep.run, *(partial(each.run, link.publish) for each in answering), link.run]
    for start in works:
        stack.callback(group.create_task(start()).cancel)
    await _monitor(ground, work, link.connected, stack)
    return link.connected


async def _monitor(ground: Ground, work: Work, connected: asyncio.Event, stack: AsyncExitStack) -> None:
    where = ground.settings.monitor
    if where.port:
        app = Monitor(ground.store, connected, work.metrics, work.gauges).app()
        await stack.enter_async_context(listening(app, where.host, where.port))


async def _follow(ground: Ground, revoked: Callable[[], None]) -> None:
    async def reload() -> None:
        revoked()
        await _reload(ground)

    await follow(ground.store, ground.authority, ground.broker, reload)


async def _reload(ground: Ground) -> None:
    """Have the broker read certificates and revocations again, or say that somebody must."""
    if ground.child is not None:
        await ground.child.reload()
    else:
        _log.warning(
            "certificates were revoked or renewed: have the broker read its files again (kaiwa-cloud broker-config, "
            "systemctl reload mosquitto); until then revoked robots are thrown out whenever they are heard"
        )


async def _guard(ground: Ground) -> None:
    if ground.child is not None:
        raise BrokerError(f"the broker has ended: {await ground.child.ended()}")


def chooser(settings: CloudSettings) -> Chooser:
    """Return what chooses the profile of each session."""
    most = settings.limits
    limits = Limits(longest=most.session_seconds, idle=most.idle_seconds, call=most.call_seconds)
    return Chooser(settings.openai, limits, settings.mcp_secrets, settings.prices)


def terms(settings: CloudSettings, web_url: str) -> Terms:
    """Return what every grant says, and what every device may use."""
    limits: LimitSettings = settings.limits
    return Terms(
        Allowance(limits.session_seconds, limits.sessions_per_day, limits.requests_per_minute),
        chooser(settings),
        web_url + "/r/{device}",
        limits.grace_seconds,
        settings.rules,
        limits.failures_in_a_row,
        settings.web.hidden_words,
    )
