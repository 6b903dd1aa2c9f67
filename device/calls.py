"""The calls of one session: the one in use, and a second one beside it while they change over.

Each call lives in a task of its own, which enters it and leaves it. What it tells is posted with its number, and only what
is of consequence for the machine; what is only told or heard (captions, a failed answer, silence at an interruption) goes
to air, outlet and voice straight away.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, assert_never

from device import phase as p
from device.equipment import Equipment
from device.errors import MediaError, MintError, UpstreamError
from device.messages.minting import Grant, OpenAIGrant
from device.messages.reports import CallAnswered, CallLeft, Speaker
from device.phase import Phase
from device.realtime.call import RealtimeCall
from device.realtime.captions import Captioned
from device.realtime.conversation import (
    CLOSED_BY_SERVICE,
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
from device.realtime.endpoint import Endpoint
from device.realtime.floor import Heeded, ToolCalled
from device.realtime.history import History
from device.realtime.opening import opening, talk
from device.realtime.redial import Redial

_log = logging.getLogger(__name__)

_PROPER_ENDS: Final = frozenset({CLOSED_BY_SERVICE, EXPIRED})
"""Reasons for which a call is over without anybody having failed: the cloud's hang-up closes the channel, too."""


@dataclass(slots=True)
class Line:
    """One call, while it is entered, and its number in the session."""

    number: int
    call: RealtimeCall


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the calls of a session reach of what holds them.

    `again` asks the cloud for a grant with which the session goes on, by a request with this offer, if any; `mark` notes
    that a moment of the start was reached.
    """

    post: Callable[[p.Event], None]
    start: Callable[[str, Coroutine[None, None, None]], object]
    again: Callable[[str], Awaitable[Grant]]
    mark: Callable[[str], None]


class Calls:
    """Opens the calls of one session, lets one take over from another, and knows what was said and used in all of them.

    The first call has the `endpoint` that was made before the grant.
    """

    def __init__(self, grant: Grant, equipment: Equipment, hooks: Hooks, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.current: RealtimeCall | None = None
        """The call in use, while it is up."""
        self._grant, self._with, self._hooks = grant, equipment, hooks
        self._number = 0
        self._spare: Line | None = None
        self._gone: RealtimeCall | None = None
        """The call that was in use and died, until another takes its place."""
        self._used: dict[str, int] = {}
        self._history = History(equipment.call.history_tokens)
        self._written: dict[int, Captioned] = {}
        """Questions in writing that no answer is known of, by the operator's wish."""

    @property
    def usage(self) -> dict[str, int]:
        """Tokens of the whole session so far, by kind."""
        return self._used if self.current is None else _sum(self._used, self.current.talk.usage)

    def open(self) -> None:
        """Open the first call; `CallUp`, turns, and at last `CallLost` follow."""
        self._hooks.start("call", self._first())

    def renew(self, number: int) -> None:
        """Bring up another call; `SpareReady` or `SpareLost` follows."""
        self._hooks.start(f"call {number}", self._another(number))

    def switch(self, number: int) -> None:
        """Let that call take the place of the one in use now, and leave that one; nothing if it is gone meanwhile."""
        spare, voice = self._spare, self._with.voice
        if spare is None or spare.number != number:
            return
        if (before := self.current) is not None:
            self._used, self.current = self.usage, None
            before.hang_up()  # first, for its last captions are part of what is told
        if left := before or self._gone:
            self._leave(left)
        self.current, self._number, self._spare, self._gone = spare.call, number, None, None
        spare.call.tell(self._history.lines)
        voice.spare = None
        voice.hand_over(spare.call.uplink, spare.call.downlink)
        _log.info("call %s takes over", spare.call.call_id)

    def prompt(self, text: str, wish: int = 0) -> None:
        """Have the model say something, as soon as nobody else does; where there is no call, nothing happens."""
        if self.current is not None:
            self.current.prompt(text, wish)

    def write(self, text: str, wish: int) -> None:
        """Put a question to the model in writing; calls that follow are told of it once it was answered, observers never."""
        if self.current is not None:
            now = time.monotonic()
            self._written[wish] = Captioned(f"written {now}", Speaker.USER, text, now, now, final=True)
            self.current.write(text, wish)

    def close(self) -> None:
        """Part both voices; the calls themselves are left by the tasks that hold them."""
        voice = self._with.voice
        voice.uplink = voice.source = voice.spare = None
        voice.discard_kept()
        self._with.console.forget()

    async def _first(self) -> None:
        """Offer the first call, again if there is sense in it, and hold it until it is over."""
        redial, grant, endpoint = Redial(random.uniform), self._grant.openai, self._endpoint
        async with AsyncExitStack() as owned:
            while (refused := await self._tried(grant, endpoint)) is not None:
                again = redial.after(refused)
                if again is None:
                    self._post(p.CallLost(self._session, "upstream", str(refused)))
                    return
                _log.warning("%s; once more%s", refused, " with a fresh secret" if again.fresh else "")
                await asyncio.sleep(again.after)
                endpoint = await owned.enter_async_context(Endpoint(self._with.call))
                if again.fresh:
                    try:
                        grant = (await self._hooks.again(await endpoint.ahead())).openai
                    except MintError as error:
                        self._post(p.CallLost(self._session, "upstream", f"{refused}, and no fresh secret: {error}"))
                        return

    async def _tried(self, grant: OpenAIGrant, endpoint: Endpoint) -> UpstreamError | None:
        """Hold the first call until it is over, or return why it was not taken."""
        try:
            async with self._call(0, grant, endpoint) as call:
                await self._begin(call)
        except MediaError as error:
            self._post(p.CallLost(self._session, "media", str(error)))
        except UpstreamError as error:
            return error
        except Exception as error:  # noqa: BLE001 - the edge of the call: whatever breaks in it, the robot goes on
            _log.exception("the call of session %s has failed", self._session)
            self._post(p.CallLost(self._session, "call", f"failed: {type(error).__name__}"))
        return None

    async def _begin(self, call: RealtimeCall) -> None:
        voice = self._with.voice
        self.current = call
        voice.uplink, voice.source = call.uplink, call.downlink
        voice.release_kept()
        self._with.built_in.talk()
        self._hooks.mark("listening")
        self._post(p.CallUp(self._session))
        for text in (self._grant.prompts.greeting, self._with.chronicle.listen()):
            if text:
                call.prompt(text)
        await self._until_over(Line(0, call))

    async def _another(self, number: int) -> None:
        """Bring up another call, and hold it until it is over or left; one that was never used is left at once."""
        call: RealtimeCall | None = None
        code, text = "call", "failed"
        try:
            async with Endpoint(self._with.call) as endpoint:
                grant = await self._hooks.again(await endpoint.ahead())
                call = self._call(number, grant.openai, endpoint)
                async with call:
                    code, text = await self._try_out(Line(number, call))
        except MintError as error:
            code, text = error.code, str(error)
        except MediaError as error:
            code, text = "media", str(error)
        except UpstreamError as error:
            code, text = "upstream", str(error)
        except Exception as error:  # noqa: BLE001 - as above
            _log.exception("another call of session %s has failed", self._session)
            text = f"failed: {type(error).__name__}"
        if number > self._number:  # it was never in use
            _log.warning("no second call for session %s: %s", self._session, text)
            if call is not None:
                self._leave(call)
            self._post(p.SpareLost(self._session, number, code, text))

    async def _try_out(self, line: Line) -> tuple[str, str]:
        """Let a call prove itself and wait for its turn, then hold it; return why it is over."""
        voice = self._with.voice
        voice.spare = line.call.uplink
        try:
            await line.call.rehearse(lambda: self._history.lines)
            self._spare = line
            self._post(p.SpareReady(self._session, line.number))
            await self._until_over(line)
        finally:
            if self._spare is line:
                self._spare = None
            if voice.spare is line.call.uplink:
                voice.spare = None
        return "media", await line.call.ended()

    async def _until_over(self, line: Line) -> None:
        """Hold a call until it is over; both voices part at once, before it is taken down."""
        reason = ""
        try:
            reason = await line.call.ended()
        finally:
            if self.current is line.call:
                self._part(line, reason)

    def _part(self, line: Line, reason: str) -> None:
        """The call in use is gone: keep what is said from now on if another may follow."""
        voice = self._with.voice
        self._used, self.current = self.usage, None
        voice.flush()
        voice.source = None
        if not reason or reason == CLOSED_BY_SERVICE:
            voice.uplink = None
        else:  # what is broadcast goes on as before
            voice.hold()
        if reason:
            self._gone = line.call
            self._lost(line, reason)

    def _lost(self, line: Line, reason: str) -> None:
        code = None if reason in _PROPER_ENDS else "media"
        renewable = reason != CLOSED_BY_SERVICE
        broke_off = line.call.broke_off
        self._post(p.CallLost(self._session, code, reason, line.number, renewable=renewable, broke_off=broke_off))

    def _leave(self, call: RealtimeCall) -> None:
        """Tell the cloud that the session goes on without this call, so that it makes sure that it is over."""
        outlet = self._with.outlet
        if call.call_id:
            outlet.event(CallLeft(session=self._session, at=outlet.now(), call_id=call.call_id))

    def _call(self, number: int, grant: OpenAIGrant, endpoint: Endpoint) -> RealtimeCall:
        voice, settings = self._with.voice, self._with.call
        return RealtimeCall(
            opening(grant, self._with.http, settings.offer_seconds),
            on_event=lambda event: self._on_event(number, event),
            settings=settings,
            played=lambda: voice.played_seconds,
            passed=self._with.console.take,
            endpoint=endpoint,
            talk=talk(grant),
        )

    @property
    def _session(self) -> str:
        return self._grant.session

    def _post(self, event: p.Event) -> None:
        self._hooks.post(event)

    # What a call tells -----------------------------------------------------------------------------------------------

    def _on_event(self, number: int, event: CallEvent) -> None:
        session = self._session
        if number == self._number or isinstance(event, Captioned):
            self._with.chronicle.hear(event, self._round_trip())
        match event:
            case TurnChanged(turn):
                self._post(p.Turn(session, Phase(turn), number))
            case Speech(began):
                self._post(p.Speech(session, began, number))
            case Spoken():
                self._post(p.Spoken(session, number))
            case ResponseFailed(code, text):
                self._post(p.AnswerFailed(session, code[:64], text, number))
            case Heeded(wish, why_not):
                if (written := self._written.pop(wish, None)) is not None:
                    self._history.add(written)
                self._post(p.Heeded(session, wish, why_not, number))
            case ToolCalled():
                self._hooks.start("tool", self._call_tool(number, event))
            case _:
                self._pass_on(number, event)

    def _round_trip(self) -> float | None:
        return None if self.current is None else self.current.uplink.round_trip

    def _pass_on(self, number: int, event: Answered | Flush | Captioned | Complained | SessionOver) -> None:
        """Tell or do what needs no decision."""
        outlet = self._with.outlet
        match event:
            case Answered(call_id):
                outlet.event(CallAnswered(session=self._session, at=outlet.now(), call_id=call_id))
            case Flush() if number == self._number:
                self._with.voice.interrupt()
            case Flush():
                pass
            case Captioned():
                self._history.add(event)
                self._with.air.caption(event)
            case Complained(code, text):
                _log.warning("openai: %s: %s", code, text)
            case SessionOver(reason):
                _log.info("openai ended the session: %s", reason)
            case _:
                assert_never(event)

    async def _call_tool(self, number: int, called: ToolCalled) -> None:
        call, began = self.current, time.monotonic()
        outcome = await self._with.toolbox.call(called.name, called.arguments, self._grant.tools)
        self._with.chronicle.use(called.name, called.arguments, outcome, began)
        if call is None or call is not self.current:
            return  # the talk is over meanwhile, or goes on in a call that knows nothing of it
        # Who speaks meanwhile does not want to part yet.
        parting = outcome.parting and called.turn == call.talk.utterances
        call.outcome(called.call_id, outcome.text, follow=not (parting and called.spoke))
        if parting:
            self._post(p.EndWished(self._session, called.spoke, number))


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {**one, **{name: one.get(name, 0) + count for name, count in other.items()}}
