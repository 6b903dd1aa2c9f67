"""One examination: gather the facts of every check, judge them, in the order in which a person would mend."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography import x509

from device.audio.echo import EchoMode
from device.chosen import Chosen
from device.clock import ntp_synchronized
from device.config import DeviceSettings
from device.doctor.checks import (
    board,
    broker,
    button,
    clock,
    computer,
    identity,
    network,
    pins,
    records,
    sound,
    state,
    tools,
)
from device.doctor.findings import UNLOOKED, Finding, Outcome, worst
from device.doctor.gather import broker as ask_broker
from device.doctor.gather import button as feel
from device.doctor.gather import computer as look_at
from device.doctor.gather import network as reach
from device.doctor.gather import pins as take_pins
from device.doctor.gather import sound as listen
from device.doctor.gather import state as look_into
from device.doctor.gather import tools as take_tools
from device.doctor.gather.records import gather as count_records
from device.doctor.gather.sound import Wish
from device.errors import EnrolmentError, KaiwaError
from device.identity import Identity
from device.instance import is_running
from device.record.settings import RecordSettings

STUN: Final = ("stun.cloudflare.com", 3478)
"""A public STUN server on the port that the voice service and TURN servers use, too."""
SERVICE: Final = ("api.openai.com", 443)


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may choose."""

    stun: tuple[str, int] = STUN
    service: tuple[str, int] = SERVICE
    wish: Wish = field(default_factory=Wish)
    mint_seconds: float = 6.0
    """How long to wait for the minter's answer."""
    press: float = 0.0
    """How many seconds to watch the button for, 0 for not at all; somebody must press it meanwhile."""
    chosen: Chosen | None = None
    """What the profile of this board chose, if that is to be told."""


@dataclass(frozen=True, slots=True)
class Self:
    """Who this board is, and what is known of it without asking anybody."""

    known: Identity | None
    facts: identity.IdentityFacts
    enrolled_at: float | None


async def examine(settings: DeviceSettings, options: Options) -> list[Finding]:
    """Return what is to be said about this board; takes as long as the slowest answer, mostly some seconds."""
    state_dir = Path(settings.state_dir)
    folder = await asyncio.to_thread(look_into.gather, state_dir)
    running = _running(state_dir)
    processor = await _part("cpu", _cpu(settings))  # alone, for it is measured
    kept = (
        []
        if folder.closed
        else [_part("disk", _disk(state_dir)), _part("record", _records(settings.record, state_dir))]
    )
    asked = [] if folder.closed else [_part("broker", _cloud(_self(state_dir), options.mint_seconds, running=running))]
    parts = await asyncio.gather(
        *kept,
        _part("pins", _pins(settings, options.press, running=running)),
        _part("tools", _tools(settings)),
        _part("sound", _sound(settings, options.wish, running=running)),
        _part("network", _network(options)),
        *asked,
    )
    profile = (
        []
        if options.chosen is None
        else board.check(options.chosen.board, options.chosen.kept, options.chosen.overruled)
    )
    return [*processor, *profile, *state.check(folder), *(finding for part in parts for finding in part)]


async def _part(name: str, findings: Awaitable[list[Finding]]) -> list[Finding]:
    """Return what one part found; what could not be looked at is a finding, too."""
    try:
        return await findings
    except (KaiwaError, OSError) as error:
        return [UNLOOKED(check=name, error=str(error))]


def _running(state_dir: Path) -> bool:
    try:
        return is_running(state_dir)
    except OSError:  # this user may not look; the state's check says so
        return False


def _self(state_dir: Path) -> Self:
    now = time.time()
    try:
        me = Identity.load(state_dir, now)
        me.tls_context()
    except (EnrolmentError, OSError) as error:
        return Self(None, identity.IdentityFacts("", 0.0, 0.0, now, str(error)), None)
    begins_at = x509.load_pem_x509_certificate(me.enrolment.certificate.encode()).not_valid_before_utc.timestamp()
    return Self(
        me, identity.IdentityFacts(me.device, begins_at, me.expires_at, now, ""), me.enrolment.server_time or None
    )


async def _cpu(settings: DeviceSettings) -> list[Finding]:
    mode = EchoMode(settings.echo.mode)
    cpu = await asyncio.to_thread(look_at.gather_cpu, mode, settings.realtime, settings.broadcast)
    return [*computer.check_cpu(cpu), *computer.check_power(await asyncio.to_thread(look_at.gather_power))]


async def _disk(state_dir: Path) -> list[Finding]:
    return computer.check_disk(await asyncio.to_thread(look_at.gather_disk, state_dir))


async def _records(settings: RecordSettings, state_dir: Path) -> list[Finding]:
    return records.check(await asyncio.to_thread(count_records, settings, state_dir))


async def _pins(settings: DeviceSettings, press: float, *, running: bool) -> list[Finding]:
    if running:
        return [pins.HELD()]
    found = pins.check(await take_pins.gather(settings.panel, outputs=settings.tools.outputs))
    if not press or worst(found) is Outcome.FAILURE:  # what cannot be used cannot be felt
        return found
    felt = await feel.gather(settings.panel, press)
    return found if felt is None else [*found, *button.check(felt)]


async def _tools(settings: DeviceSettings) -> list[Finding]:
    return tools.check(await asyncio.to_thread(take_tools.gather, settings.tools))


async def _sound(settings: DeviceSettings, wish: Wish, *, running: bool) -> list[Finding]:
    return sound.check(await listen.gather(settings.sound, wish, running=running))


async def _network(options: Options) -> list[Finding]:
    return network.check(await reach.gather(options.stun, options.service))


async def _cloud(me: Self, mint_seconds: float, *, running: bool) -> list[Finding]:
    asked = await ask_broker.gather(me.known, running=running, wait=mint_seconds)
    facts = clock.ClockFacts(time.time(), me.enrolled_at, asked.offset, asked.uncertainty, ntp_synchronized())
    return [*clock.check(facts), *identity.check(me.facts), *broker.check(asked.broker)]
