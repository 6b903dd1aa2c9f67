"""What sessions are made with."""

from __future__ import annotations

from dataclasses import dataclass, field

import aiohttp

from device.broadcast.air import Air
from device.console import Console
from device.mint import MintClient
from device.mqtt import Broker
from device.outlet import Outlet
from device.realtime.settings import RealtimeSettings
from device.record.chronicle import Chronicle, nothing_kept
from device.sora.settings import BroadcastSettings
from device.tools.built_in import BuiltIn
from device.tools.toolbox import Toolbox
from device.voice import VoicePath


@dataclass(frozen=True, slots=True)
class Equipment:
    """What sessions are made with; owned by the composition root."""

    voice: VoicePath
    minter: MintClient
    broker: Broker
    outlet: Outlet
    http: aiohttp.ClientSession
    call: RealtimeSettings
    broadcast: BroadcastSettings
    toolbox: Toolbox
    built_in: BuiltIn
    air: Air
    console: Console
    chronicle: Chronicle = field(default_factory=nothing_kept)
    """What follows each session, for its figures and its record."""
