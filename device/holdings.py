"""What one session holds, each in a task of its own: the request for a grant, the call, the broadcast."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Final, assert_never

import aiohttp

from device import phase as p
from device.errors import MediaError, MintError, UpstreamError
from device.messages.commands import CommandStatus, Step
from device.messages.minting import BroadcastGrant, Grant
from device.messages.reports import CallAnswered, Caption, SessionFigures, SessionGoesOn, Trace
from device.mint import MintClient
from device.mqtt import Broker
from device.outlet import Outlet
from device.phase import Phase
from device.picture.studio import Studio
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
    Spoken,
    TurnChanged,
)
from device.realtime.floor import ToolCalled
from device.realtime.settings import RealtimeSettings
from device.record.chronicle import Chronicle, nothing_kept
from device.session import Session
from device.sora.on_air import keep_on_air
from device.sora.publisher import Publisher
from device.sora.settings import BroadcastSettings
from device.tools.built_in import BuiltIn
from device.tools.toolbox import Toolbox
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
    """The call, while it is up."""
    on_air: asyncio.Task[None] | None = None
    """The broadcast, on air or on its way there."""


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
    studio: Studio | None = None
    """What shows the picture of the broadcast, if it has one."""
    chronicle: Chronicle = field(default_factory=nothing_kept)
    """What follows each session, for its figures and its record."""


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
        self._orders: set[asyncio.Task[None]] = set()

    def show(self, session: Session) -> None:
        """Show in the picture how the session machine stands, and note it in the record."""
        self._with.chronicle.stand(session)
        if studio := self._with.studio:
            studio.scene.stand(session.phase, on_air=session.on_air, muted=session.muted)

    def usage(self, session: str) -> dict[str, int]:
        """Return what a released session used, once; with no answer of the model, it says so."""
        held = self._held.pop(session, None)
        return {} if held is None else _NO_RESPONSES | held.usage

    def fail(self, code: str, text: str) -> None:
        """Note in the record what went wrong."""
        self._with.chronicle.fail(code, text)

    def figures(self, session: str, reason: str, seconds: float, usage: dict[str, int]) -> SessionFigures | None:
        """Close the record of a session that was released after `seconds` of talk, and return its figures, once."""
        return self._with.chronicle.end(session, reason, seconds, usage)

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
        self._with.built_in.begin(session)
        self._with.chronicle.begin(session, reason)
        if studio := self._with.studio:
            studio.scene.clear()
        self._start(session, "mint", self._mint(session, reason))

    def call(self, session: str, grant: Grant) -> None:
        """Open the call; `CallUp`, turns, and at last `CallLost` follow."""
        self._mark(session, "granted")
        self._with.chronicle.granted(grant)
        self._start(session, "call", self._call(session, grant))

    def broadcast(self, session: str, grant: Grant) -> None:
        """Go on air and stay there; `OnAir` and `OffAir` follow."""
        if grant.broadcast is not None:
            held = self._held[session]
            work = self._broadcast(session, grant.broadcast, after=held.on_air)
            held.on_air = self._start(session, "broadcast", work)

    def close_broadcast(self, session: str) -> None:
        """Go off air at once, while the conversation goes on."""
        self._with.voice.programme = None
        on_air = self._held[session].on_air
        if on_air is not None:
            on_air.cancel()

    def prompt(self, session: str, text: str) -> None:
        """Have the model say something as soon as nobody else does."""
        if call := self._held[session].call:
            call.prompt(text)

    def interrupt(self, session: str) -> None:
        """Stop what the robot is saying."""
        if call := self._held[session].call:
            call.interrupt()

    def use(self, order: str, tool: str, arguments: str) -> None:
        """Use a tool for an operator; a status with its outcome follows."""
        task = self._tasks.create_task(self._use(order, tool, arguments), name=f"order {order}")
        self._orders.add(task)
        task.add_done_callback(self._orders.discard)

    def close(self) -> None:
        """Wait for no operator's tool any more; sessions are released one by one."""
        for task in self._orders:
            task.cancel()

    def release(self, session: str) -> None:
        """Cancel what the session holds and wait for its end; `Released` follows."""
        self._tasks.create_task(self._release(session), name=f"release {session}")

    def _start(self, session: str, what: str, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = self._tasks.create_task(work, name=f"{what} {session}")
        self._held[session].tasks.append(task)
        return task

    async def _release(self, session: str) -> None:
        tasks = self._held[session].tasks
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._with.voice.discard_kept()
        self._with.built_in.end()
        self._post(p.Released(session))

    async def _mint(self, session: str, reason: str) -> None:
        if not await self._with.broker.connected(RECONNECT_SECONDS):
            trouble = self._with.broker.trouble
            self._post(p.Refused(session, "broker", "no connection to the cloud" + (trouble and f": {trouble}")))
            return
        try:
            grant = await self._with.minter.mint(
                session,
                reason,
                self._with.broker.publish,
                broadcast=self._with.broadcast.enabled,
                tools=self._with.toolbox.declarations,
                archive=self._with.chronicle.archivable,
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
                on_event=lambda event: self._on_call_event(session, grant, event),
                settings=self._with.call,
                played=lambda: voice.played_seconds,
            ) as call:
                await self._talk(session, grant, call)
        except MediaError as error:
            self._post(p.CallLost(session, "media", str(error)))
        except UpstreamError as error:
            self._post(p.CallLost(session, "upstream", str(error)))
        except Exception as error:  # noqa: BLE001 - the edge of the call: whatever breaks in it, the robot goes on
            _log.exception("the call of session %s has failed", session)
            self._post(p.CallLost(session, "call", f"failed: {type(error).__name__}"))
        finally:
            voice.discard_kept()

    async def _talk(self, session: str, grant: Grant, call: RealtimeCall) -> None:
        """Connect both voices until the call is over; they part at once, before the call is taken down."""
        voice = self._with.voice
        self._held[session].call = call
        voice.uplink, voice.source = call.uplink, call.downlink
        voice.release_kept()
        self._with.built_in.talk()
        self._mark(session, "listening")
        self._post(p.CallUp(session))
        for text in (grant.prompts.greeting, self._with.chronicle.listen()):
            if text:
                call.prompt(text)
        try:
            self._post(p.CallLost(session, *_verdict(await call.ended())))
        finally:
            voice.flush()
            voice.uplink = voice.source = None
            self._held[session].usage, self._held[session].call = call.conversation.usage, None

    def _on_call_event(self, session: str, grant: Grant, event: CallEvent) -> None:
        self._with.chronicle.hear(event, self._round_trip(session))
        match event:
            case TurnChanged(turn):
                self._post(p.Turn(session, Phase(turn)))
            case Speech(began):
                self._post(p.Speech(session, began))
            case Spoken():
                self._post(p.Spoken(session))
            case ResponseFailed(code, text):
                self._post(p.AnswerFailed(session, code[:64], text))
            case ToolCalled():
                held = self._held[session]
                self._start(session, "tool", self._call_tool(session, held, grant.tools, event))
            case _:
                self._pass_on(session, event)

    def _round_trip(self, session: str) -> float | None:
        call = self._held[session].call
        return None if call is None else call.uplink.round_trip

    def _pass_on(self, session: str, event: Answered | Flush | Captioned | Complained | SessionOver) -> None:
        """Tell or do what needs no decision."""
        match event:
            case Answered(call_id):
                self._with.outlet.event(CallAnswered(session=session, at=self._with.outlet.now(), call_id=call_id))
            case Flush():
                self._with.voice.flush()
            case Captioned():
                self._caption(session, event)
            case Complained(code, text):
                _log.warning("openai: %s: %s", code, text)
            case SessionOver(reason):
                _log.info("openai ended the session: %s", reason)
            case _:
                assert_never(event)

    async def _call_tool(self, session: str, held: Held, granted: Sequence[str], called: ToolCalled) -> None:
        began = time.monotonic()
        outcome = await self._with.toolbox.call(called.name, called.arguments, granted)
        self._with.chronicle.use(called.name, called.arguments, outcome, began)
        call = held.call
        if call is None:
            return  # the talk is over meanwhile
        parting = outcome.parting and called.turn == call.floor.turn  # who speaks meanwhile does not want to part yet
        call.outcome(called.call_id, outcome.text, follow=not (parting and called.spoke))
        if parting:
            self._post(p.EndWished(session, said=called.spoke))

    async def _use(self, order: str, tool: str, arguments: str) -> None:
        toolbox = self._with.toolbox
        outcome = await toolbox.call(tool, arguments, toolbox.for_operators)
        step = Step.SUCCEEDED if outcome.ok else Step.FAILED
        outlet = self._with.outlet
        outlet.status(CommandStatus(id=order, device=outlet.device, step=step, at=outlet.now(), reason=outcome.text))

    def _caption(self, session: str, caption: Captioned) -> None:
        if studio := self._with.studio:
            studio.scene.caption(caption, time.monotonic())
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

    async def _broadcast(self, session: str, grant: BroadcastGrant, after: asyncio.Task[None] | None) -> None:
        if after is not None:
            await asyncio.wait({after})
        try:
            await keep_on_air(
                grant,
                http=self._with.http,
                settings=self._with.broadcast,
                on_air=lambda publisher, text: self._on_air(session, publisher, text),
                motif=self._with.studio,
            )
        finally:
            self._with.voice.programme = None

    def _on_air(self, session: str, publisher: Publisher | None, text: str) -> None:
        self._with.voice.programme = publisher
        if publisher is None and not _leaving():
            self._post(p.OffAir(session, text))
        elif publisher is not None:
            self._mark(session, "on_air")
            self._with.chronicle.go_on_air()
            self._post(p.OnAir(session))

    def _mark(self, session: str, what: str) -> None:
        marks = self._held[session].marks
        marks.setdefault(what, time.monotonic())
        if {"listening", "on_air"} & marks.keys():
            self._with.outlet.event(Trace(session=session, marks=dict(marks)))


def _leaving() -> bool:
    """Tell whether what runs now has been told to end, so that its end is no news."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _verdict(reason: str) -> tuple[str | None, str]:
    """Return the fault code, None for a proper end, and the words for how a call ended."""
    return (None if reason in _PROPER_ENDS else "media", reason)
