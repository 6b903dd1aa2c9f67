"""What one session holds, each in a task of its own: the request for a grant, the call, the broadcast."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from device import phase as p
from device.broadcast.delay import Stance
from device.calls import Calls, Hooks
from device.equipment import Equipment
from device.errors import MediaError, MintError
from device.messages.commands import CommandStatus, Step
from device.messages.minting import BroadcastGrant, Grant
from device.messages.prices import TokenPrices
from device.messages.reports import OperatorNote, SessionFigures, SessionGoesOn, Spent, Trace
from device.push_to_talk import PushToTalk
from device.realtime.endpoint import Endpoint
from device.session import Session
from device.sora.on_air import keep_on_air
from device.sora.publisher import Publisher
from device.spent import spent

RECONNECT_SECONDS: Final = 3.0
"""How long a visitor waits for a broker that is just coming back."""

_NO_RESPONSES: Final = {"responses": 0}


@dataclass(slots=True)
class Held:
    """One session's tasks, the moments of its start, and its calls."""

    endpoint: Endpoint
    """Our end of its first call, which may be made before it is granted."""
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    marks: dict[str, float] = field(default_factory=dict)
    prices: TokenPrices | None = None
    calls: Calls | None = None
    """Its calls, once it was granted."""
    on_air: asyncio.Task[None] | None = None
    """The broadcast, on air or on its way there."""
    floor: PushToTalk | None = None
    """What takes and gives the floor, by push-to-talk."""


class Holdings:
    """Opens and gives back what a session holds.

    What decides anything is posted as an event for the machine; what is only told (traces) goes to the outlet straight
    away.
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
        self._with.air.stand(Stance(session.phase, session.on_air, session.muted))

    def usage(self, session: str) -> dict[str, int]:
        """Return what a released session used, once; with no answer of the model, it says so."""
        usage = {} if session not in self._held else _NO_RESPONSES | self._used(session)
        self._held.pop(session, None)
        return usage

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
        calls = self._held[session].calls
        return {} if calls is None else calls.usage

    def spent(self, session: str | None) -> Spent | None:
        """Return what a session that is held has cost so far, where the cloud told prices."""
        held = self._held.get(session or "")
        if session is None or held is None:
            return None
        return spent(held.prices, self._used(session), time.monotonic() - held.marks["asked"])

    def mint(self, session: str, reason: str) -> None:
        """Ask the cloud; `Granted` or `Refused` follows."""
        self._held[session] = Held(Endpoint(self._with.call), marks={"asked": time.monotonic()})
        self._with.built_in.begin(session)
        self._with.chronicle.begin(session, reason)
        self._with.air.begin(session)
        self._start(session, "mint", self._mint(session, reason))

    def call(self, session: str, grant: Grant) -> None:
        """Open the call; `CallUp`, turns, and at last `CallLost` follow."""
        self._mark(session, "granted")
        held = self._held[session]
        held.prices = grant.prices
        self._with.built_in.inform(grant.knowledge)
        self._with.chronicle.granted(grant)
        self._with.air.hide(grant.hidden_words)
        hooks = Hooks(
            self._post, partial(self._start, session), partial(self._again, session), partial(self._mark, session)
        )
        held.calls = Calls(grant, self._with, hooks, held.endpoint)
        held.calls.open()

    def renew(self, session: str, number: int) -> None:
        """Bring up another call for a session; `SpareReady` or `SpareLost` follows."""
        if calls := self._held[session].calls:
            calls.renew(number)

    def switch(self, session: str, number: int) -> None:
        """Let that call take the place of the one in use."""
        if calls := self._held[session].calls:
            calls.switch(number)

    def broadcast(self, session: str, grant: Grant) -> None:
        """Go on air and stay there; `OnAir` and `OffAir` follow."""
        if grant.broadcast is not None:
            held = self._held[session]
            work = self._broadcast(session, grant.broadcast, after=held.on_air)
            held.on_air = self._start(session, "broadcast", work)

    def close_broadcast(self, session: str) -> None:
        """Go off air at once, while the conversation goes on; what a delay still holds is dropped."""
        self._with.air.fall()
        on_air = self._held[session].on_air
        if on_air is not None:
            on_air.cancel()

    def cut(self, session: str) -> bool:
        """Drop what nobody outside has heard yet, and tell the operator; return whether anything is held back at all.

        A broadcast that is not delayed can only be ended.
        """
        try:
            seconds = self._with.air.cut()
        except LookupError:
            self._post(p.BroadcastWished(on=False))
            return False
        outlet = self._with.outlet
        text = f"somebody at the robot cut {seconds:.1f} s of the broadcast"
        outlet.event(OperatorNote(session=session, at=outlet.now(), text=text))
        return True

    def prompt(self, session: str, text: str, wish: int = 0) -> None:
        """Have the model say something as soon as nobody else does."""
        if calls := self._held[session].calls:
            calls.prompt(text, wish)

    def write(self, session: str, text: str, wish: int) -> None:
        """Put a question to the model in writing."""
        if calls := self._held[session].calls:
            calls.write(text, wish)

    def settle(self, wish: int, why_not: str) -> None:
        """Tell the operator whose wish it was what came of it."""
        self._with.built_in.settle(wish, why_not)

    def interrupt(self, session: str) -> None:
        """Stop what the robot is saying."""
        if (calls := self._held[session].calls) and calls.current:
            calls.current.interrupt()

    def take_floor(self, session: str, *, fresh: bool) -> None:
        """By push-to-talk: somebody speaks from now on; without a call, it is kept for the next."""
        if (calls := self._held[session].calls) and calls.current:
            self._floor(session).take(calls.current, fresh=fresh)
        else:
            self._with.voice.waiting = False

    def give_floor(self, session: str, *, answer: bool) -> None:
        """By push-to-talk: they have spoken."""
        if (calls := self._held[session].calls) and calls.current:
            self._floor(session).give(calls.current, answer=answer)
        else:
            self._with.voice.waiting = True

    def _floor(self, session: str) -> PushToTalk:
        held = self._held[session]
        held.floor = held.floor or PushToTalk(self._with.voice, lambda work: self._start(session, "floor", work))
        return held.floor

    def use(self, order: str, tool: str, arguments: str) -> None:
        """Use a tool for an operator; a status with its outcome follows."""
        task = self._tasks.create_task(self._use(order, tool, arguments), name=f"order {order}")
        self._orders.add(task)
        task.add_done_callback(self._orders.discard)

    def close(self) -> None:
        """Wait for no operator's tool any more; sessions are released one by one."""
        for task in self._orders:
            task.cancel()

    def hurry(self) -> None:
        """Let a release that goes on wait for nothing that could be left out."""
        self._with.air.hurry()

    def release(self, session: str) -> None:
        """Cancel what the session holds and wait for its end, the broadcast's when it has run dry; `Released` follows."""
        self._tasks.create_task(self._release(session), name=f"release {session}")

    def _start(self, session: str, what: str, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = self._tasks.create_task(work, name=f"{what} {session}")
        self._held[session].tasks.append(task)
        return task

    async def _release(self, session: str) -> None:
        held = self._held[session]
        await _ended([task for task in held.tasks if task is not held.on_air])
        await held.endpoint.close()
        if held.calls is not None:
            held.calls.close()
        await self._with.air.run_dry()
        await _ended(held.tasks)
        self._with.voice.discard_kept()
        self._with.voice.waiting = False
        self._with.built_in.end()
        self._post(p.Released(session))

    async def _mint(self, session: str, reason: str) -> None:
        if not await self._with.broker.connected(RECONNECT_SECONDS):
            self._post(p.Refused(session, self._with.broker.fault, self._no_connection()))
            return
        try:
            grant = await self._with.minter.mint(
                session,
                reason,
                self._with.broker.publish,
                broadcast=self._with.broadcast.enabled,
                tools=self._with.toolbox.declarations,
                archive=self._with.chronicle.archivable,
                offer=await self._held[session].endpoint.ahead(),
            )
        except MintError as error:
            self._post(p.Refused(session, error.code, str(error)))
        except MediaError as error:
            self._post(p.Refused(session, "media", str(error)))
        else:
            self._post(p.Granted(session, grant))

    def _no_connection(self) -> str:
        trouble = self._with.broker.trouble
        return "no connection to the cloud" + (trouble and f": {trouble}")

    async def _again(self, session: str, offer: str) -> Grant:
        """Ask the cloud for another grant of a session that goes on."""
        broker = self._with.broker
        if not await broker.connected(RECONNECT_SECONDS):
            raise MintError(broker.fault, self._no_connection())
        tools = self._with.toolbox.declarations
        return await self._with.minter.renew(session, broker.publish, tools=tools, offer=offer)

    async def _use(self, order: str, tool: str, arguments: str) -> None:
        toolbox = self._with.toolbox
        outcome = await toolbox.call(tool, arguments, toolbox.for_operators)
        step = Step.SUCCEEDED if outcome.ok else Step.FAILED
        outlet = self._with.outlet
        outlet.status(CommandStatus(id=order, device=outlet.device, step=step, at=outlet.now(), reason=outcome.text))

    async def _broadcast(self, session: str, grant: BroadcastGrant, after: asyncio.Task[None] | None) -> None:
        if after is not None:
            await asyncio.wait({after})
        try:
            await keep_on_air(
                grant,
                http=self._with.http,
                settings=self._with.broadcast,
                on_air=lambda publisher, text: self._on_air(session, publisher, text),
                motif=self._with.air.studio,
            )
        finally:
            self._with.air.fall()

    def _on_air(self, session: str, publisher: Publisher | None, text: str) -> None:
        if publisher is None:
            self._with.air.fall()
            if not _leaving():
                self._post(p.OffAir(session, text))
        else:
            self._with.air.rise(publisher)
            self._mark(session, "on_air")
            self._with.chronicle.go_on_air()
            self._post(p.OnAir(session))

    def _mark(self, session: str, what: str) -> None:
        marks = self._held[session].marks
        marks.setdefault(what, time.monotonic())
        if {"listening", "on_air"} & marks.keys():
            self._with.outlet.event(Trace(session=session, marks=dict(marks)))


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for their end."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _leaving() -> bool:
    """Tell whether what runs now has been told to end, so that its end is no news."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
