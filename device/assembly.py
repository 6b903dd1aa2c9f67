"""One robot put together: its owners, made from the settings, each given what it needs of the others."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import aiohttp

from device.agent import Inbox
from device.broadcast.air import Air
from device.clock import WallClock
from device.config import DeviceSettings
from device.console import Console
from device.equipment import Equipment
from device.identity import Identity
from device.mail import Mail
from device.messages import topics
from device.messages.reports import OperatorNote
from device.mint import MintClient
from device.mqtt import Broker, Presence
from device.orders import Journal, Orders
from device.outlet import Outlet, last_will
from device.panel.board import Panel
from device.record.chronicle import Chronicle
from device.record.recorder import Recorder
from device.renewal import Renewal, RenewalClient
from device.sora.picture import studio
from device.soundcard.card import OpenCard
from device.succession import ReplaceableSigner, Succession
from device.supervision import lacking
from device.tools.built_in import BuiltIn, Reach
from device.tools.kit import local_time, toolbox
from device.tools.outputs import Outputs
from device.update.attending import Updates
from device.voice import VoicePath


@dataclass(frozen=True, slots=True)
class Body:
    """What can be touched, seen and heard."""

    panel: Panel
    card: OpenCard
    voice: VoicePath
    outputs: Outputs


@dataclass(frozen=True, slots=True)
class Robot:
    """The owners of one running robot."""

    body: Body
    inbox: Inbox
    broker: Broker
    outlet: Outlet
    mail: Mail
    equipment: Equipment
    console: Console
    renewal: Renewal
    updates: Updates
    at_rest: asyncio.Event
    """Set while no session goes on."""


@dataclass(frozen=True, slots=True)
class _Line:
    """What speaks with the cloud in this robot's name."""

    identity: Identity
    clock: WallClock
    signer: ReplaceableSigner
    broker: Broker
    outlet: Outlet
    minter: MintClient
    renewals: RenewalClient
    at_rest: asyncio.Event = field(default_factory=asyncio.Event)


def assembled(
    settings: DeviceSettings,
    identity: Identity,
    inbox: Inbox,
    body: Body,
    http: aiohttp.ClientSession,
    recorder: Recorder | None,
) -> Robot:
    """Return the robot of these settings; nothing of it runs yet.

    Raises:
        ToolError, SettingsError: a tool of the settings, or the time zone, is no good.
    """
    line = _line(settings, identity)
    equipment = _equipment(settings, line, inbox, body, http, recorder)
    updates = _updates(settings, line, inbox, body)
    return Robot(
        body=body,
        inbox=inbox,
        broker=line.broker,
        outlet=line.outlet,
        mail=_mail(settings, line, updates, inbox),
        equipment=equipment,
        console=equipment.console,
        renewal=_renewal(settings, line),
        updates=updates,
        at_rest=line.at_rest,
    )


def _line(settings: DeviceSettings, identity: Identity) -> _Line:
    clock, signer, broker = WallClock(), ReplaceableSigner(identity.signer), Broker(_presence(identity))
    return _Line(
        identity,
        clock,
        signer,
        broker,
        Outlet(identity.device, broker, clock, settings.broadcast.delay_s),
        MintClient(identity.device, signer, identity.mint_key, clock, identity.pinned_mint_key),
        RenewalClient(identity.device, identity.mint_key, clock),
    )


def _equipment(
    settings: DeviceSettings,
    line: _Line,
    inbox: Inbox,
    body: Body,
    http: aiohttp.ClientSession,
    recorder: Recorder | None,
) -> Equipment:
    device, voice = line.identity.device, body.voice
    air = Air(voice, line.outlet, settings.broadcast.delay_s, partial(studio, settings.broadcast, device))
    console = Console(line.outlet, voice.lively_levels)
    built_in = BuiltIn(_reach(settings, inbox, body, line.outlet, air, console))
    voice.witness = chronicle = Chronicle(settings.record, recorder, device, line.clock.of_monotonic)
    return Equipment(
        voice=voice,
        minter=line.minter,
        broker=line.broker,
        outlet=line.outlet,
        http=http,
        call=settings.realtime,
        broadcast=settings.broadcast,
        toolbox=toolbox(settings.tools, [*built_in.tools(), *chronicle.tools(), *body.outputs.tools()]),
        built_in=built_in,
        air=air,
        console=console,
        chronicle=chronicle,
    )


def _reach(settings: DeviceSettings, inbox: Inbox, body: Body, outlet: Outlet, air: Air, console: Console) -> Reach:
    def note(session: str, text: str) -> None:
        outlet.event(OperatorNote(session=session, at=outlet.now(), text=text))

    zone = settings.tools.time_zone

    def now() -> datetime:
        return local_time(outlet.now(), zone)

    now()  # and not in the middle of a talk is the time to hear that there is no such zone
    return Reach(body.voice, body.panel, inbox.post, note, now, air.cut, console.watch)


def _updates(settings: DeviceSettings, line: _Line, inbox: Inbox, body: Body) -> Updates:
    return Updates(
        settings.update,
        Path(settings.state_dir),
        line.identity.enrolment.authority,
        line.outlet,
        inbox.post,
        line.at_rest,
        lacking(body.voice, body.card, lambda: line.broker.online),
    )


def _mail(settings: DeviceSettings, line: _Line, updates: Updates, inbox: Inbox) -> Mail:
    identity = line.identity
    orders = Orders(identity.device, identity.operator_key, Journal(Path(settings.state_dir) / "orders"))
    answers = {
        topics.mint_answer(identity.device): line.minter.take,
        topics.renewal_answer(identity.device): line.renewals.take,
    }
    return Mail(answers, orders, updates, line.outlet, line.clock, inbox)


def _renewal(settings: DeviceSettings, line: _Line) -> Renewal:
    async def change(successor: Identity) -> bool:
        return await line.broker.change(_presence(successor))

    files = Succession(Path(settings.state_dir))
    return Renewal(line.identity, line.signer, files, line.renewals, line.broker, change, line.at_rest, line.clock)


def _presence(identity: Identity) -> Presence:
    return Presence(
        address=identity.broker,
        identity=identity.device,
        tls=identity.tls_context(),
        will_topic=topics.state(identity.device),
        will=last_will(identity.device),
        subscriptions=(
            topics.mint_answer(identity.device),
            topics.renewal_answer(identity.device),
            topics.command(identity.device),
        ),
        expires_at=identity.expires_at,
    )
