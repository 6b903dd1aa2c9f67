"""The cloud as one thing: what it is made of, in the order in which it is started, and ended in reverse."""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import aiohttp

from device.errors import BrokerError, SettingsError
from device.messages import topics
from device.messages.enrolment import BrokerAddress
from device.messages.minting import Limits
from provisioning.alarms import Alarms
from provisioning.authority import MINTER, Authority
from provisioning.broadcasting import Broadcasts
from provisioning.captioning import Captioning
from provisioning.enrolment import Enrolments
from provisioning.enrolment_http import enrolment_app
from provisioning.imageflux import ImageFlux
from provisioning.leash import Leash
from provisioning.link import BrokerEndpoint, Link
from provisioning.listener import Listener
from provisioning.listening import listening
from provisioning.mint_service import MintService
from provisioning.minting import Minter, Terms
from provisioning.mosquitto import MosquittoProcess
from provisioning.notes import NoteAudit
from provisioning.observer.feed import Feed
from provisioning.observer.web import create_app
from provisioning.observer.word_filter import WordFilter
from provisioning.openai import OpenAI
from provisioning.order_audit import OrderAudit
from provisioning.playlists import Playlists
from provisioning.policy import Allowance
from provisioning.presence import Presence
from provisioning.profile import prompts
from provisioning.renewal import Renewals
from provisioning.reports import TOPICS, Reports
from provisioning.revocation import follow, publish_revocations
from provisioning.settings import CloudSettings, LimitSettings, reachable
from provisioning.stops import Stops
from provisioning.store import Store
from provisioning.upkeep import Upkeep

_log = logging.getLogger(__name__)

DEFAULT_OPERATOR: Final = "admin"
"""The operator every fleet begins with; robots learn operators' keys when they are enrolled."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """A running cloud, and where it is reached."""

    store: Store
    authority: Authority
    feed: Feed
    broker: BrokerEndpoint
    child: MosquittoProcess | None
    """The broker, if it is ours."""
    connected: asyncio.Event
    """Set while the broker is connected."""
    enrolments: Enrolments
    enrol_address: str
    """HOST:PORT, as it goes into claims."""
    web_url: str

    async def claim(self, *, device: str | None = None, ttl: float = 3600.0) -> str:
        """Return the text of a new claim, good for `ttl` seconds."""
        now = time.time()
        made = await self.enrolments.new_claim(self.enrol_address, now, ttl, device=device, operator=DEFAULT_OPERATOR)
        return str(made)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What everything else stands on."""

    settings: CloudSettings
    authority: Authority
    store: Store
    openai: OpenAI
    broadcasts: Broadcasts
    broker: BrokerEndpoint
    child: MosquittoProcess | None


def open_authority(settings: CloudSettings, now: float) -> Authority:
    """Open the authority, and make what every fleet has: the minter's identity and a first operator.

    Raises:
        SettingsError: the state directory cannot be used.
    """
    authority = Authority.open(Path(settings.state_dir), settings.names, now)
    authority.service(MINTER, now)
    authority.operator(DEFAULT_OPERATOR, now)
    return authority


def claim_address(settings: CloudSettings, port: int) -> str:
    """Return HOST:PORT as boards reach the enrolment server that listens on `port`."""
    return f"{settings.enrol.public_host or settings.enrol.host}:{settings.enrol.public_port or port}"


def broker_address(settings: CloudSettings, port: int) -> BrokerAddress:
    """Return where boards reach the broker that listens on `port`."""
    broker = settings.broker
    return BrokerAddress(host=broker.public_host or broker.host, port=broker.public_port or port)


@asynccontextmanager
async def running(settings: CloudSettings, watchers: Sequence[Listener] = ()) -> AsyncIterator[Cloud]:
    """Run the whole cloud while the context is open; the connection to the broker may still be coming up.

    `watchers` are told of everything that the observers' feed is told of.

    Raises:
        KaiwaError: something cannot be started; one of its kinds, with the reason.
        ExceptionGroup: something ended that must not end, such as the broker that we own.
    """
    async with AsyncExitStack() as stack:
        ground = await _ground(settings, stack)
        enrolments = Enrolments(
            ground.store,
            ground.authority,
            broker_address(settings, ground.broker.port),
            settings.enrol.certificate_days,
        )
        showing = ground.authority.server_context()
        enrol_port = await _serve_enrolments(ground, enrolments, showing, stack)
        captioning = Captioning(ground.broadcasts)
        feed = Feed(words=WordFilter(settings.web.hidden_words), captioned=captioning.say)
        web_url = await _serve_page(settings, feed, stack)
        connected = await _work(ground, (feed, *watchers), captioning, web_url, showing, stack)
        yield Cloud(
            store=ground.store,
            authority=ground.authority,
            feed=feed,
            broker=ground.broker,
            child=ground.child,
            connected=connected,
            enrolments=enrolments,
            enrol_address=claim_address(settings, enrol_port),
            web_url=web_url,
        )


async def serve(settings: CloudSettings, announce: Callable[[Cloud], None]) -> None:
    """Run the cloud until SIGTERM or SIGINT; `announce` is told when it has started.

    Raises:
        KaiwaError: it cannot be started.
        ExceptionGroup: a part of it has failed.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with running(settings) as cloud:
        announce(cloud)
        await stopped.wait()
        _log.info("stopping")


async def _ground(settings: CloudSettings, stack: AsyncExitStack) -> _Ground:
    authority = open_authority(settings, time.time())
    store = await stack.enter_async_context(Store(settings.store_url))
    await publish_revocations(store, authority, time.time())
    http = await stack.enter_async_context(aiohttp.ClientSession())
    openai = await stack.enter_async_context(OpenAI(settings.openai))
    account = settings.imageflux
    imageflux = ImageFlux(http, account.url, account.token) if account.token else None
    broadcasts = Broadcasts(store, imageflux, account.channel, video=account.video)
    child = await _child(settings, authority, stack)
    broker = child.endpoint if child else BrokerEndpoint(reachable(settings.broker.host), settings.broker.port)
    return _Ground(settings, authority, store, openai, broadcasts, broker, child)


async def _child(settings: CloudSettings, authority: Authority, stack: AsyncExitStack) -> MosquittoProcess | None:
    where = settings.broker
    if where.spawn:
        folder = Path(settings.state_dir) / "broker"
        return await stack.enter_async_context(MosquittoProcess(authority, folder, where.host, where.port, where.user))
    if not where.port:
        raise SettingsError("[broker]", "a free port can be taken with spawn = true only", key="port")
    return None


async def _serve_enrolments(
    ground: _Ground, enrolments: Enrolments, showing: ssl.SSLContext, stack: AsyncExitStack
) -> int:
    app = enrolment_app(enrolments, ground.authority)
    where = ground.settings.enrol
    return await stack.enter_async_context(listening(app, where.host, where.port, showing))


async def _serve_page(settings: CloudSettings, feed: Feed, stack: AsyncExitStack) -> str:
    app = create_app(feed, media_origins=settings.web.media_origins, public_url=settings.web.public_url)
    port = await stack.enter_async_context(listening(app, settings.web.host, settings.web.port))
    return settings.web.public_url or f"http://{settings.web.host}:{port}"


async def _work(
    ground: _Ground,
    watchers: Sequence[Listener],
    captioning: Captioning,
    web_url: str,
    showing: ssl.SSLContext,
    stack: AsyncExitStack,
) -> asyncio.Event:
    """Start what goes on all the time; return what is set while the broker is connected.

    `showing` is what the enrolment server shows its certificate with.
    """
    settings, store, authority = ground.settings, ground.store, ground.authority
    leash = Leash(store, ground.openai, ground.broadcasts, settings.limits.grace_seconds)
    presence, alarms, note_audit = Presence(store), Alarms(store), NoteAudit(store)
    playlists = Playlists(store, ground.broadcasts, watchers)
    reports = Reports([leash, presence, alarms, playlists, note_audit, *watchers])
    order_audit = OrderAudit(store)
    stops = Stops(authority.operator_keys(), leash.stop, order_audit.heard)
    minter = Minter(
        store,
        authority.mint_signer,
        ground.openai,
        ground.broadcasts,
        terms(settings, web_url),
        leash.granted,
        leash.settled,
    )

    renewals = Renewals(store, authority, settings.enrol.certificate_days)
    mint, renew = MintService(minter), MintService(renewals, topics.renewal_answer)
    minter_files = authority.service(MINTER, time.time())
    tls = authority.client_context(minter_files)
    upkeep = Upkeep(authority, ((showing, authority.server), (tls, minter_files)), partial(_reload, ground))
    handlers = {
        topics.MINTERS: mint.deliver,
        topics.RENEWERS: renew.deliver,
        topics.command("+"): stops.deliver,
    }
    handlers |= dict.fromkeys(TOPICS, reports.deliver)
    link = Link(ground.broker, MINTER, tls, handlers)
    group = await stack.enter_async_context(asyncio.TaskGroup())
    own = (
        leash.run(),
        presence.run(),
        alarms.run(),
        playlists.run(),
        captioning.run(),
        note_audit.run(),
        order_audit.run(),
    )
    keeping = (renewals.run(), upkeep.run(), _follow(ground), _guard(ground))
    answering = (mint.run(link.publish), renew.run(link.publish), link.run())
    for work in (*own, *keeping, *answering):
        stack.callback(group.create_task(work).cancel)
    return link.connected


async def _follow(ground: _Ground) -> None:
    await follow(ground.store, ground.authority, ground.broker, partial(_reload, ground))


async def _reload(ground: _Ground) -> None:
    """Have the broker read certificates and revocations again, or say that somebody must."""
    if ground.child is not None:
        await ground.child.reload()
    else:
        _log.warning(
            "certificates were revoked or renewed: have the broker read its files again "
            "(kaiwa-cloud broker-config, systemctl reload mosquitto)"
        )


async def _guard(ground: _Ground) -> None:
    if ground.child is not None:
        raise BrokerError(f"the broker has ended: {await ground.child.ended()}")


def terms(settings: CloudSettings, web_url: str) -> Terms:
    """Return what every grant says, and what every device may use."""
    limits: LimitSettings = settings.limits
    return Terms(
        Allowance(limits.session_seconds, limits.sessions_per_day, limits.requests_per_minute),
        Limits(longest=limits.session_seconds, idle=limits.idle_seconds, single_turn=settings.openai.single_turn),
        settings.openai.language,
        web_url + "/r/{device}",
        settings.openai.tools,
        prompts(settings.openai),
    )
