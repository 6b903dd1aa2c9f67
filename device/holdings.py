"""What one session holds, each in a task of its own: the request for a grant, the call, the broadcast."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Final, assert_never

import aiohttp

from device import phase as p
from device.errors import MediaError, MintError, UpstreamError
from device.messages.minting import BroadcastGrant, Grant
from device.messages.reports import CallAnswered, Caption, FaultRaised, SessionGoesOn, Trace
from device.mint import MintClient
from device.mqtt import Broker
from device.outlet import Outlet
from device.panel.earcons import Earcon, sound
from device.phase import Phase
from device.realtime.call import CLOSED_BY_SERVICE, RealtimeCall
from device.realtime.captions import Captioned
from device.realtime.conversation import (
    EXPIRED,
    Answered,
    CallEvent,
    Complained,
    Flush,
    ResponseFailed,
    SessionOver,
    Speech,
    TurnChanged,
)
from device.realtime.settings import RealtimeSettings
from device.sora.on_air import keep_on_air
from device.sora.publisher import Publisher
from device.sora.settings import BroadcastSettings
from device.voice import VoicePath

_log = logging.getLogger(__name__)

RECONNECT_SECONDS: Final = 3.0
"""How long a visitor waits for a broker that is just coming back."""

_NO_RESPONSES: Final = {"responses": 0}

_PROPER_ENDS: Final = frozenset({CLOSED_BY_SERVICE, EXPIRED})
"""Reasons for which a call is over without anybody having failed: the cloud's hang-up closes the channel, too."""


@dataclass(slots=True)
class Held:
    """One session's tasks, the moments of its start, and what it used."""

    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    marks: dict[str, float] = field(default_factory=dict)
    usage: dict[str, int] = field(default_factory=dict)
    call: RealtimeCall | None = None
    """While it is up."""


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


class Holdings:
    """Opens and gives back what a session holds.

    What decides anything is posted as an event for the machine; what is only told or heard (captions, traces, a failed
    answer, silence at an interruption) goes to outlet and voice straight away.
    """

    def __init__(self, equipment: Equipment, tasks: asyncio.TaskGroup, post: Callable[[p.Event], None]) -> None:
        self._with = equipment
        self._tasks = tasks
        self._post = post
        self._held: dict[str, Held] = {}

    def usage(self, session: str) -> dict[str, int]:
        """Return what a released session used, once; with no answer of the model, it says so."""
        held = self._held.pop(session, None)
        return {} if held is None else _NO_RESPONSES | held.usage

    def going_on(self) -> list[SessionGoesOn]:
        """Return the heartbeat of every session that is held, with what it has used until now."""
        now = self._with.outlet.now()
        return [
            SessionGoesOn(session=session, at=now, usage=_NO_RESPONSES | self._used(session)) for session in self._held
        ]

    def _used(self, session: str) -> dict[str, int]:
        held = self._held[session]
        return held.usage if held.call is None else held.call.conversation.usage

    def mint(self, session: str, reason: str) -> None:
        """Ask the cloud; `Granted` or `Refused` follows."""
        self._held[session] = Held(marks={"asked": time.monotonic()})
        self._start(session, "mint", self._mint(session, reason))

    def call(self, session: str, grant: Grant) -> None:
        """Open the call; `CallUp`, turns, and at last `CallLost` follow."""
        self._mark(session, "granted")
        self._start(session, "call", self._call(session, grant))

    def broadcast(self, session: str, grant: Grant) -> None:
        """Go on air and stay there; `OnAir` and `OffAir` follow."""
        if grant.broadcast is not None:
            self._start(session, "broadcast", self._broadcast(session, grant.broadcast))

    def release(self, session: str) -> None:
        """Cancel what the session holds and wait for its end; `Released` follows."""
        self._tasks.create_task(self._release(session), name=f"release {session}")

    def _start(self, session: str, what: str, work: Coroutine[None, None, None]) -> None:
        self._held[session].tasks.append(self._tasks.create_task(work, name=f"{what} {session}"))

    async def _release(self, session: str) -> None:
        tasks = self._held[session].tasks
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._with.voice.discard_kept()
        self._post(p.Released(session))

    async def _mint(self, session: str, reason: str) -> None:
        if not await self._with.broker.connected(RECONNECT_SECONDS):
            trouble = self._with.broker.trouble
            self._post(p.Refused(session, "broker", "no connection to the cloud" + (trouble and f": {trouble}")))
            return
        try:
            grant = await self._with.minter.mint(
                session, reason, self._with.broker.publish, broadcast=self._with.broadcast.enabled
            )
        except MintError as error:
            self._post(p.Refused(session, error.code, str(error)))
        else:
            self._post(p.Granted(session, grant))

    async def _call(self, session: str, grant: Grant) -> None:
        voice = self._with.voice
        try:
            async with RealtimeCall(
                grant.openai,
                http=self._with.http,
                on_event=lambda event: self._on_call_event(session, event),
                settings=self._with.call,
            ) as call:
                await self._talk(session, call)
        except MediaError as error:
            self._post(p.CallLost(session, "media", str(error)))
        except UpstreamError as error:
            self._post(p.CallLost(session, "upstream", str(error)))
        except Exception as error:  # noqa: BLE001 - the edge of the call: whatever breaks in it, the robot goes on
            _log.exception("the call of session %s has failed", session)
            self._post(p.CallLost(session, "call", f"failed: {type(error).__name__}"))
        finally:
            voice.discard_kept()

    async def _talk(self, session: str, call: RealtimeCall) -> None:
        """Connect both voices until the call is over; they part at once, before the call is taken down."""
        voice = self._with.voice
        voice.uplink, voice.source = call.uplink, call.downlink
        self._held[session].call = call
        voice.release_kept()
        self._mark(session, "listening")
        self._post(p.CallUp(session))
        try:
            self._post(p.CallLost(session, *_verdict(await call.ended())))
        finally:
            voice.flush()
            voice.uplink = voice.source = None
            self._held[session].usage, self._held[session].call = call.conversation.usage, None

    def _on_call_event(self, session: str, event: CallEvent) -> None:
        match event:
            case Answered(call_id):
                self._with.outlet.event(CallAnswered(session=session, at=self._with.outlet.now(), call_id=call_id))
            case TurnChanged(turn):
                self._post(p.Turn(session, Phase(turn)))
            case Speech(began):
                self._post(p.Speech(session, began))
            case Flush():
                self._with.voice.flush()
            case Captioned():
                self._caption(session, event)
            case ResponseFailed(code, text):
                self._with.voice.earcon(sound(Earcon.ERROR))
                self._with.outlet.event(
                    FaultRaised(at=self._with.outlet.now(), fault=code[:64], text=text, session=session)
                )
            case Complained(code, text):
                _log.warning("openai: %s: %s", code, text)
            case SessionOver(reason):
                _log.info("openai ended the session: %s", reason)
            case _:
                assert_never(event)

    def _caption(self, session: str, caption: Captioned) -> None:
        wall = self._with.outlet.wall
        self._with.outlet.event(
            Caption(
                session=session,
                id=caption.id,
                speaker=caption.speaker,
                text=caption.text,
                start=wall(caption.start),
                end=wall(caption.end),
                final=caption.final,
                approximate=caption.approximate,
            )
        )

    async def _broadcast(self, session: str, grant: BroadcastGrant) -> None:
        try:
            await keep_on_air(
                grant,
                http=self._with.http,
                settings=self._with.broadcast,
                on_air=lambda publisher, text: self._on_air(session, publisher, text),
            )
        finally:
            self._with.voice.programme = None

    def _on_air(self, session: str, publisher: Publisher | None, text: str) -> None:
        self._with.voice.programme = None if publisher is None else publisher.programme
        if publisher is None:
            self._post(p.OffAir(session, text))
        else:
            self._mark(session, "on_air")
            self._post(p.OnAir(session))

    def _mark(self, session: str, what: str) -> None:
        marks = self._held[session].marks
        marks.setdefault(what, time.monotonic())
        if {"listening", "on_air"} & marks.keys():
            self._with.outlet.event(Trace(session=session, marks=dict(marks)))


def _verdict(reason: str) -> tuple[str | None, str]:
    """Return the fault code, None for a proper end, and the words for how a call ended."""
    return (None if reason in _PROPER_ENDS else "media", reason)
