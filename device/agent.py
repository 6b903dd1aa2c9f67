"""The agent: one inbox in front of the session machine, and the hands that carry out what it decides."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import assert_never

from device import command as do
from device import phase as p
from device.audio.echo import EchoMode
from device.errors import SoundError
from device.holdings import Holdings
from device.messages.commands import CommandStatus
from device.messages.reports import FaultRaised, SessionEnded, SessionStarted
from device.outlet import Outlet
from device.panel import earcons
from device.panel.board import Panel
from device.panel.earcons import Earcon, sound
from device.panel.faults import Fault, Remark, kind, remark
from device.panel.patterns import Light, of_fault
from device.panel.phrases import Language, spoken
from device.phase import AT_REST, LIVE, Chime, Phase
from device.session import Session
from device.voice import VoicePath

_log = logging.getLogger(__name__)


def light(session: Session, echo: EchoMode = EchoMode.AEC3) -> Light:
    """Return the light that tells how the session machine stands, with the echo control that is in force."""
    if session.deaf:
        return Light.FAULT_SOUND
    if session.muted if session.phase in LIVE else session.switched_off and session.phase is Phase.IDLE:
        return Light.MUTED
    if session.phase is Phase.FAULT:
        return of_fault(kind(session.fault or ""))
    if session.phase is Phase.LISTENING:
        return _listening(session)
    if session.phase is Phase.SPEAKING and echo is EchoMode.HALF_DUPLEX:
        return Light.SPEAKING_ALONE
    return Light.PREPARING if session.phase is Phase.RECONNECTING else Light(session.phase)


def _listening(session: Session) -> Light:
    if session.hand.closed:
        return Light.HOLD_TO_TALK
    if session.trouble is not None:
        return Light.TROUBLE
    return Light.LISTENING if session.ends_at is None else Light.CLOSING


def earcon(session: Session, chime: Chime) -> Earcon:
    """Return the sound of a chime as the session machine stands: an error has that of its kind."""
    if chime is not Chime.ERROR:
        return Earcon(chime)
    return earcons.of_fault(kind(session.trouble or session.fault or ""))


class Inbox:
    """Where everything that happens arrives; `post` may be called from the event loop only."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[p.Event] = asyncio.Queue()

    def post(self, event: p.Event) -> None:
        """Put an event at the end of the inbox."""
        self._queue.put_nowait(event)

    async def next(self, deadline: float | None) -> p.Event:
        """Return the next event, or `Elapsed` when monotonic time `deadline` comes first."""
        if deadline is None:
            return await self._queue.get()
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                return await self._queue.get()
        except TimeoutError:
            return p.Elapsed()


class Agent:
    """Feeds the session machine and carries out its commands until it says `Exit`.

    `at_rest` is set while no session goes on.
    """

    def __init__(
        self,
        session: Session,
        inbox: Inbox,
        panel: Panel,
        voice: VoicePath,
        outlet: Outlet,
        holdings: Holdings,
        at_rest: asyncio.Event,
        language: Language = "en",
    ) -> None:
        self._session = session
        self._inbox = inbox
        self._panel = panel
        self._voice = voice
        self._outlet = outlet
        self._holdings = holdings
        self._at_rest = at_rest
        self._language: Language = language

    async def run(self) -> do.Exit:
        """Run until the machine stops; return how."""
        while True:
            event = await self._inbox.next(self._session.deadline)
            before, known = self._session.phase, self._session.fault
            commands = self._session.handle(event, time.monotonic())
            (self._at_rest.set if self._session.phase in AT_REST else self._at_rest.clear)()
            if self._session.phase is not before:
                _log.info("%s -> %s on %s", before, self._session.phase, type(event).__name__)
            for command in commands:
                if isinstance(command, do.Exit):
                    if command.update:
                        self._panel.show(Light.UPDATING)
                    return command
                self._carry_out(command)
            if self._session.phase is Phase.FAULT and (before is not Phase.FAULT or self._session.fault != known):
                self._say(kind(self._session.fault or ""), self._language)

    def _carry_out(self, command: do.Command) -> None:
        match command:
            case do.Show():
                self._show()
            case do.Play() | do.Excuse() | do.FallSilent() | do.Keep() | do.Cut():
                self._sound(command)
            case do.Acknowledge() | do.ReportStarted() | do.ReportEnded() | do.ReportFault():
                self._tell(command)
            case do.Exit():
                raise AssertionError("an exit is never carried out, it ends the agent")
            case do.Prompt() | do.Write() | do.Settle() | do.UseTool():
                self._put(command)
            case do.Interrupt() | do.TakeFloor() | do.GiveFloor():
                self._interfere(command)
            case _:
                self._hold(command)

    def _sound(self, command: do.Play | do.Excuse | do.FallSilent | do.Keep | do.Cut) -> None:
        match command:
            case do.Play(chime):
                self._voice.earcon(sound(earcon(self._session, chime)))
            case do.Excuse(code, language):
                self._say(remark(code), "ja" if language == "ja" else "en" if language == "en" else self._language)
            case do.FallSilent():
                self._voice.fall_silent()
            case do.Keep():
                self._voice.keep()
            case do.Cut(session):
                if self._holdings.cut(session):
                    self._voice.earcon(sound(Earcon.CUT))
            case _:
                assert_never(command)

    def _say(self, words: Fault | Remark | None, language: Language) -> None:
        """Say in words what is wrong, after its earcon; whoever presses or speaks now cuts that short."""
        if words is None:
            return
        try:
            self._voice.say_after(spoken(words, language))
        except SoundError as error:
            _log.warning("%s", error)

    def _hold(
        self,
        command: do.Mint
        | do.OpenCall
        | do.Renew
        | do.Switch
        | do.OpenBroadcast
        | do.CloseBroadcast
        | do.Release
        | do.Hurry,
    ) -> None:
        match command:
            case do.Mint(session, reason):
                self._holdings.mint(session, reason)
            case do.OpenCall(session, grant):
                self._holdings.call(session, grant)
            case do.Renew(session, call):
                self._holdings.renew(session, call)
            case do.Switch(session, call):
                self._holdings.switch(session, call)
            case do.OpenBroadcast(session, grant):
                self._holdings.broadcast(session, grant)
            case do.CloseBroadcast(session):
                self._holdings.close_broadcast(session)
            case do.Release(session):
                self._holdings.release(session)
            case do.Hurry():
                self._holdings.hurry()
            case _:
                assert_never(command)

    def _put(self, command: do.Prompt | do.Write | do.Settle | do.UseTool) -> None:
        match command:
            case do.Prompt(session, text, wish):
                self._holdings.prompt(session, text, wish)
            case do.Write(session, text, wish):
                self._holdings.write(session, text, wish)
            case do.Settle(wish, why_not):
                self._holdings.settle(wish, why_not)
            case do.UseTool(order, tool, arguments):
                self._holdings.use(order, tool, arguments)
            case _:
                assert_never(command)

    def _interfere(self, command: do.Interrupt | do.TakeFloor | do.GiveFloor) -> None:
        match command:
            case do.Interrupt(session):
                self._holdings.interrupt(session)
            case do.TakeFloor(session, fresh):
                self._holdings.take_floor(session, fresh=fresh)
            case do.GiveFloor(session, answer):
                self._holdings.give_floor(session, answer=answer)
            case _:
                assert_never(command)

    def _show(self) -> None:
        if self._session.phase is not Phase.STOPPED:
            self._panel.show(light(self._session, self._voice.echo.mode))
        self._voice.muted = self._session.muted
        self._panel.on_air(self._session.on_air)
        self._holdings.show(self._session)
        self._outlet.state(self._session, self._voice.echo.mode, self._holdings.spent(self._session.id))

    def _tell(self, command: do.Acknowledge | do.ReportStarted | do.ReportEnded | do.ReportFault) -> None:
        now = self._outlet.now()
        match command:
            case do.Acknowledge(order, step, reason):
                self._outlet.status(
                    CommandStatus(id=order, device=self._outlet.device, step=step, at=now, reason=reason)
                )
            case do.ReportStarted(session, reason):
                self._outlet.event(SessionStarted(session=session, at=now, reason=reason))
            case do.ReportEnded(session, reason, seconds):
                usage = self._holdings.usage(session)
                self._outlet.event(SessionEnded(session=session, at=now, reason=reason, seconds=seconds, usage=usage))
                if figures := self._holdings.figures(session, reason, seconds, usage):
                    self._outlet.event(figures)
            case do.ReportFault(failed, code, text):
                _log.warning("%s: %s", code, text)
                self._holdings.fail(code, text)
                self._outlet.event(FaultRaised(at=now, fault=code, text=text, session=failed))
            case _:
                assert_never(command)
