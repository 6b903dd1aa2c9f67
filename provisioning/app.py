"""The cloud as one thing: what it is made of, in the order in which it is started, and ended in reverse."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from device.errors import SettingsError
from device.messages.enrolment import BrokerAddress
from device.messages.word_filter import WordFilter
from provisioning.alone import alone
from provisioning.authority import MINTER, Authority
from provisioning.broadcasting import Broadcasts
from provisioning.captioning import Captioning
from provisioning.duty import on_duty
from provisioning.enrolment import Enrolments
from provisioning.enrolment_http import enrolment_app
from provisioning.imageflux import ImageFlux
from provisioning.link import BrokerEndpoint
from provisioning.listener import Listener
from provisioning.listening import listening
from provisioning.mint_service import MintService
from provisioning.monitor import standing_by
from provisioning.mosquitto import MosquittoProcess
from provisioning.observer.feed import Feed
from provisioning.observer.web import create_app
from provisioning.openai import OpenAI
from provisioning.parts import Ground, Task, Work, begin, hold, mint, show
from provisioning.revocation import publish_revocations
from provisioning.roles import Place, Role
from provisioning.settings import CloudSettings, reachable
from provisioning.store import Store
from provisioning.upkeep import InUse

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
async def running(
    settings: CloudSettings, watchers: Sequence[Listener] = (), keeping: Sequence[Task] = ()
) -> AsyncIterator[Cloud]:
    """Run the whole cloud while the context is open; the connection to the broker may still be coming up.

    `watchers` are told of everything that the observers' feed is told of; `keeping` runs beside it.

    Raises:
        KaiwaError: something cannot be started; one of its kinds, with the reason.
        ExceptionGroup: something ended that must not end, such as the broker that we own.
    """
    async with AsyncExitStack() as stack:
        ground, work, place = await _ground(settings, stack, own_broker=True), Work(), Place()
        work.run(*keeping)
        public = await _public(ground, stack)
        leash = hold(ground, work, apart=False)
        duty = await stack.enter_async_context(on_duty(settings.store_url, Path(settings.state_dir)))
        answering = mint(ground, work, public.web_url, leash, duty)
        show(ground, work, public.captioning, public.feed, watchers)
        connected = await begin(ground, place, work, answering, [public.shown], stack)
        yield Cloud(
            store=ground.store,
            authority=ground.authority,
            feed=public.feed,
            broker=ground.broker,
            child=ground.child,
            connected=connected,
            enrolments=public.enrolments,
            enrol_address=public.enrol_address,
            web_url=public.web_url,
        )


@asynccontextmanager
async def running_part(settings: CloudSettings, place: Place, *keeping: Task) -> AsyncIterator[asyncio.Event]:
    """Run one part of the cloud while the context is open; yields what is set while the broker is connected.

    `keeping` runs beside it, and ends it by failing.

    Raises:
        KaiwaError, ExceptionGroup: as for the whole.
    """
    async with AsyncExitStack() as stack:
        work, shown, answering = Work(), list[InUse](), list[MintService]()
        work.run(*keeping)
        ground = await _ground(settings, stack, own_broker=place.role is Role.LEASH)
        match place.role:
            case Role.LEASH:
                hold(ground, work, apart=True)
            case Role.MINT:
                duty = await stack.enter_async_context(on_duty(settings.store_url, Path(settings.state_dir)))
                answering += mint(ground, work, page_url(settings, settings.web.port), None, duty)
            case Role.WEB:
                public = await _public(ground, stack)
                show(ground, work, public.captioning, public.feed)
                shown.append(public.shown)
        yield await begin(ground, place, work, answering, shown, stack)


async def serve(settings: CloudSettings, place: Place, announce: Callable[[Cloud | Place], None]) -> None:
    """Run the cloud, or one part of it, until SIGTERM or SIGINT; `announce` is told when it has started.

    Raises:
        KaiwaError: it cannot be started.
        ExceptionGroup: a part of it has failed.
    """
    async with AsyncExitStack() as stack:
        keeping = await _turn(settings, place, stack)
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        if place.role is Role.ALL:
            announce(await stack.enter_async_context(running(settings, keeping=keeping)))
        else:
            await stack.enter_async_context(running_part(settings, place, *keeping))
            announce(place)
        await stopped.wait()
        _log.info("stopping")


async def _turn(settings: CloudSettings, place: Place, stack: AsyncExitStack) -> list[Task]:
    """Wait until there is no other leash, if this is one; a signal just ends who waits, for they hold nothing yet."""
    if not place.has(Role.LEASH):
        return []
    async with standing_by(settings.monitor):
        return [await stack.enter_async_context(alone(settings.store_url, Path(settings.state_dir)))]


async def _ground(settings: CloudSettings, stack: AsyncExitStack, *, own_broker: bool) -> Ground:
    authority = open_authority(settings, time.time())
    store = await stack.enter_async_context(Store(settings.store_url))
    await publish_revocations(store, authority, time.time())
    http = await stack.enter_async_context(aiohttp.ClientSession())
    openai = await stack.enter_async_context(OpenAI(settings.openai))
    account = settings.imageflux
    imageflux = ImageFlux(http, account.url, account.token) if account.token else None
    broadcasts = Broadcasts(store, imageflux, account.channel, video=account.video, sole_user=account.sole_user)
    child = await _child(settings, authority, stack) if own_broker else None
    if child is None and not settings.broker.port:
        raise SettingsError(
            "[broker]", "a free port can be taken with spawn = true only, by whoever spawns the broker", key="port"
        )
    broker = child.endpoint if child else BrokerEndpoint(reachable(settings.broker.host), settings.broker.port)
    return Ground(settings, authority, store, openai, broadcasts, broker, child)


async def _child(settings: CloudSettings, authority: Authority, stack: AsyncExitStack) -> MosquittoProcess | None:
    where = settings.broker
    if where.spawn:
        folder = Path(settings.state_dir) / "broker"
        child = MosquittoProcess(authority, folder, where.host, where.port, where.user, settings.clients)
        return await stack.enter_async_context(child)
    return None


@dataclass(frozen=True, slots=True)
class _Public:
    """What listens for boards and observers."""

    enrolments: Enrolments
    enrol_address: str
    shown: InUse
    captioning: Captioning
    feed: Feed
    web_url: str


async def _public(ground: Ground, stack: AsyncExitStack) -> _Public:
    settings, authority = ground.settings, ground.authority
    address = broker_address(settings, ground.broker.port)
    enrolments = Enrolments(ground.store, authority, address, settings.enrol.certificate_days)
    showing, where = authority.server_context(), settings.enrol
    app = enrolment_app(enrolments, authority)
    enrol_port = await stack.enter_async_context(listening(app, where.host, where.port, showing))
    captioning = Captioning(ground.broadcasts)
    feed = Feed(words=WordFilter(settings.web.hidden_words), captioned=captioning.say)
    web_url = await _serve_page(settings, feed, stack)
    shown = (showing, authority.server)
    return _Public(enrolments, claim_address(settings, enrol_port), shown, captioning, feed, web_url)


async def _serve_page(settings: CloudSettings, feed: Feed, stack: AsyncExitStack) -> str:
    app = create_app(feed, media_origins=settings.web.media_origins, public_url=settings.web.public_url)
    port = await stack.enter_async_context(listening(app, settings.web.host, settings.web.port))
    return page_url(settings, port)


def page_url(settings: CloudSettings, port: int) -> str:
    """Return where observers reach the page that listens on `port`."""
    return settings.web.public_url or f"http://{settings.web.host}:{port}"
