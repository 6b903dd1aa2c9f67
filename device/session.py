"""PURE. The session machine: the one place that decides.

Two rules hold throughout. What happens is an event, what is to be done is a command, and `Session.handle` is the only
way from one to the other. An event that names another session than the current one, or another call than the one in use,
is dropped before the table is asked, so a late answer can never touch a later session. A pair that is not in `TABLE`
changes nothing. What lasts from the first call of a session to the last is in `lasting.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from device import command as do
from device import phase as p
from device.command import Command
from device.controls import Controls
from device.lasting import Lasting
from device.messages.commands import Step
from device.phase import AT_REST, HOPELESS, LIVE, NO_SOUND, STANDSTILL, TALKING, Chime, Event, Phase
from device.transition import Row, rows


class Session(Controls, Lasting):
    """One robot's session machine; `handle` and `deadline` are all its shell needs."""

    def handle(self, event: Event, now: float) -> list[Command]:
        """Take one event at monotonic time `now` and return what is to be done, in order."""
        if getattr(event, "session", self.id) != self.id or getattr(event, "call", self._call) != self._call:
            self.dropped += 1
            return []
        act = TABLE.get((self.phase, type(event)))
        if act is None:
            return []
        before = self._shown
        commands: list[Command] = list(act.run(self, event, now))
        if self._shown != before:
            commands.insert(0, do.Show())
        return commands

    @property
    def _cannot_hear(self) -> str:
        """Why nobody would be heard; empty when they would."""
        if self.deaf or self.broken:
            return "there is no sound card" if self.deaf else "the robot is out of order"
        return "the microphone is switched off at the robot" if self.switched_off else ""

    # Actions: each enters a phase and yields what is to be done ------------------------------------------------------

    def _rest(self, _event: Event, now: float) -> Iterator[Command]:
        self.id, self.on_air, self._order, self._live_since = None, False, None, None
        self.muted, self.trouble, self._grant, self._broadcasting, self._patience = False, None, None, False, None
        self._handover = None
        self._enter(Phase.IDLE if self._online else Phase.OFFLINE, now)
        if self.deaf:
            self.fault = NO_SOUND
            self._enter(Phase.FAULT, now)
        yield from ()

    def _broker_up(self, _event: Event, now: float) -> Iterator[Command]:
        self._online = True
        if self.phase is Phase.OFFLINE:
            self._enter(Phase.IDLE, now)
        yield from ()

    def _broker_down(self, _event: Event, now: float) -> Iterator[Command]:
        self._online = False
        if self.phase is Phase.IDLE:
            self._enter(Phase.OFFLINE, now)
        yield from ()

    def _deafened(self, event: p.SoundLost, now: float) -> Iterator[Command]:
        self.deaf, self.fault = True, self.fault or NO_SOUND
        yield do.ReportFault(self.id, NO_SOUND, event.text)
        if self.phase in AT_REST and not self.broken:
            yield from self._rest(event, now)

    def _hears_again(self, event: Event, now: float) -> Iterator[Command]:
        self.deaf, self.fault = False, None if self.fault == NO_SOUND else self.fault
        if self.phase is Phase.FAULT and not self.broken:
            yield from self._rest(event, now)

    def _stalled(self, event: p.Stalled, now: float) -> Iterator[Command]:
        self.broken, self._leaving = True, self._leaving or _BROKEN
        if self.phase in _HOLDING:
            yield from self._fail(STANDSTILL, event.text, now)
            return
        yield do.ReportFault(self.id, STANDSTILL, event.text)
        if self.phase is not Phase.ENDING:
            yield from self._show_standstill(now)

    def _show_standstill(self, now: float) -> Iterator[Command]:
        self.fault = STANDSTILL
        self._enter(Phase.FAULT, now, self.timing.standstill)
        yield do.Play(Chime.ERROR)

    def _begin(self, _event: Event, now: float) -> Iterator[Command]:
        if self.broken:
            yield from self._exit(_event, now)
        elif self.deaf:
            yield do.ReportFault(None, NO_SOUND, "pressed, but there is no sound card")
        elif self.switched_off:
            yield do.Play(Chime.MUTED)
        else:
            yield do.Play(Chime.START)
            yield from self._prepare("button", now, down=True)

    def _prepare(self, reason: str, now: float, *, down: bool = False) -> Iterator[Command]:
        self.hand.begin(down=down)
        self.id, self.fault, self._reason, self._end_reason = self._new_id(), None, reason, ""
        self._enter(Phase.PREPARING, now, self.timing.prepare)
        yield do.Keep()
        yield do.Mint(self.id, reason)

    def _announce(self, event: p.StartOrdered, now: float) -> Iterator[Command]:
        if self._cannot_hear:
            yield do.Acknowledge(event.command, Step.REJECTED, self._cannot_hear)
            return
        self.fault, self._order = None, event.command
        self._enter(Phase.ANNOUNCING, now, self.timing.announce)
        yield do.Acknowledge(event.command, Step.ACCEPTED, f"announced, begins in {self.timing.announce:.0f} s")
        yield do.Play(Chime.ANNOUNCE)

    def _announced(self, _event: Event, now: float) -> Iterator[Command]:
        order = self._order or ""
        if self._cannot_hear:
            yield do.Acknowledge(order, Step.FAILED, self._cannot_hear)
            yield from self._rest(_event, now)
            return
        yield do.Acknowledge(order, Step.IN_PROGRESS, "asking for the session")
        yield from self._prepare(f"remote:{order}", now)

    def _reject(self, event: Event, now: float) -> Iterator[Command]:
        yield do.Acknowledge(self._order or "", Step.REJECTED, "somebody at the robot pressed the button")
        yield do.Play(Chime.END)
        yield from self._rest(event, now)

    def _call_off(self, event: p.StopOrdered, now: float) -> Iterator[Command]:
        yield do.Acknowledge(self._order or "", Step.FAILED, "stopped before it began")
        yield do.Acknowledge(event.command, Step.SUCCEEDED, "the announced start was called off")
        yield do.Play(Chime.END)
        yield from self._rest(event, now)

    def _busy(self, event: p.StartOrdered, _now: float) -> Iterator[Command]:
        yield do.Acknowledge(event.command, Step.REJECTED, f"busy: {self.phase}")

    def _nothing_to_stop(self, event: p.StopOrdered, _now: float) -> Iterator[Command]:
        yield do.Acknowledge(event.command, Step.REJECTED, f"nothing to stop: {self.phase}")

    def _open(self, event: p.Granted, _now: float) -> Iterator[Command]:
        self._grant, self._broadcasting = event.grant, event.grant.broadcast is not None
        yield do.OpenCall(event.session, event.grant)
        if self._broadcasting:
            yield do.OpenBroadcast(event.session, event.grant)
        elif event.grant.no_broadcast:
            yield do.ReportFault(event.session, "broadcast", event.grant.no_broadcast)

    def _turn(self, event: p.Turn, now: float) -> Iterator[Command]:
        if event.phase is Phase.SPEAKING:
            self.trouble = None
        self._enter_live(event.phase, now)
        yield from ()

    def _speech(self, event: p.Speech, now: float) -> Iterator[Command]:
        if event.began and self._patience is not None:
            self._patience.spoke_up()
            if self.trouble is not None:
                self.trouble = None
                yield do.FallSilent()
        self._wait(now, talking=event.began)

    def _answer_failed(self, event: p.AnswerFailed, now: float) -> Iterator[Command]:
        if event.code in HOPELESS:
            yield from self._fail(event.code, event.text, now)
            return
        self.trouble = event.code
        yield do.ReportFault(event.session, event.code, event.text)
        yield do.Play(Chime.ERROR)
        if self.phase is not Phase.SPEAKING:  # what there is of an answer is heard
            yield do.Excuse(event.code, self._grant.language if self._grant else "")

    def _stop(self, event: p.StopOrdered, now: float) -> Iterator[Command]:
        self._stop_order = event.command
        yield do.Acknowledge(event.command, Step.ACCEPTED, f"ending: {self.phase}")
        yield from self._end(f"remote:{event.command}", now)

    def _refused(self, event: p.Refused, now: float) -> Iterator[Command]:
        yield from self._fail(event.code, event.text, now)

    def _too_slow(self, _event: Event, now: float) -> Iterator[Command]:
        yield from self._fail("timeout", f"not talking after {self.timing.prepare:.0f} s", now)

    def _press_again(self, _event: Event, _now: float) -> Iterator[Command]:
        self._again = self.hand.down = True
        yield do.Play(Chime.MUTED if self.switched_off else Chime.START)
        yield do.Hurry()

    def _released(self, event: p.Released, now: float) -> Iterator[Command]:
        seconds = 0.0 if self._live_since is None else now - self._live_since
        yield do.ReportEnded(event.session, self._end_reason, seconds)
        if self._stop_order is not None:
            yield do.Acknowledge(self._stop_order, Step.SUCCEEDED, "released")
            self._stop_order = None
        yield from self._after(event, now)

    def _after(self, event: Event, now: float) -> Iterator[Command]:
        again, self._again = self._again, False
        yield from self._rest(event, now)
        if self.broken and self._leaving == _BROKEN:  # unless it was told to go meanwhile
            yield from self._show_standstill(now)
        elif self._leaving is not None:
            yield from self._exit(event, now)
        elif again and not self._cannot_hear:
            yield from self._prepare("button", now, down=self.hand.down)
        elif self.fault is not None and not self.deaf:
            self._enter(Phase.FAULT, now, self.timing.fault)

    def _stuck(self, _event: Event, now: float) -> Iterator[Command]:
        text = f"not released after {self.timing.release:.0f} s"
        yield do.ReportFault(self.id, "stuck", text)
        if self._stop_order is not None:
            yield do.Acknowledge(self._stop_order, Step.FAILED, text)
        self._enter(Phase.STOPPED, now)
        yield do.Exit(failed=True)

    def _fault_over(self, event: Event, now: float) -> Iterator[Command]:
        if self.broken:
            yield from self._exit(event, now)
            return
        self.fault = None
        yield from self._rest(event, now)

    def _quit_later(self, _event: Event, now: float) -> Iterator[Command]:
        self._leaving = do.Exit()
        if self.phase is not Phase.ENDING:
            yield from self._end("shutdown", now)
        yield do.Hurry()

    def _exit(self, _event: Event, now: float) -> Iterator[Command]:
        if self._order is not None:
            yield do.Acknowledge(self._order, Step.FAILED, "shutting down")
        self._enter(Phase.STOPPED, now)
        yield self._leaving or do.Exit()


_BROKEN: Final = do.Exit(failed=True)
_REST: Final = (Phase.IDLE, Phase.OFFLINE, Phase.FAULT)  # with the cloud, without it, without a sound card
_BUSY: Final = frozenset({Phase.STARTING, Phase.ANNOUNCING, Phase.PREPARING, Phase.ENDING, *TALKING})
_HOLDING: Final = frozenset({Phase.PREPARING, *TALKING})


# fmt: off
TABLE: Final[dict[tuple[Phase, type], Row[Phase]]] = {
    # a quiet life
    **rows([Phase.STARTING], p.Ready, Session._rest, *_REST),
    **rows(set(Phase) - {Phase.STOPPED, Phase.OFFLINE}, p.BrokerUp, Session._broker_up),
    **rows([Phase.OFFLINE], p.BrokerUp, Session._broker_up, Phase.IDLE),
    **rows(set(Phase) - {Phase.STOPPED, Phase.IDLE}, p.BrokerDown, Session._broker_down),
    **rows([Phase.IDLE], p.BrokerDown, Session._broker_down, Phase.OFFLINE),
    # without a sound card a conversation goes on, silent, until it is back or the conversation ends by itself
    **rows(set(Phase) - AT_REST - {Phase.STOPPED}, p.SoundLost, Session._deafened),
    **rows(AT_REST, p.SoundLost, Session._deafened, Phase.FAULT),
    **rows(set(Phase) - {Phase.FAULT, Phase.STOPPED}, p.SoundBack, Session._hears_again),
    **rows([Phase.FAULT], p.SoundBack, Session._hears_again, *_REST),
    # what stands still is shown for a while, and then the process begins anew
    **rows(_HOLDING, p.Stalled, Session._stalled, Phase.ENDING),
    **rows([Phase.ENDING], p.Stalled, Session._stalled),
    **rows(set(Phase) - _HOLDING - {Phase.ENDING, Phase.STOPPED}, p.Stalled, Session._stalled, Phase.FAULT),
    # a start: by hand at once, from afar after an announcement that a press rejects
    **rows(AT_REST, p.Pressed, Session._begin, Phase.PREPARING, Phase.STOPPED),
    **rows([Phase.PREPARING, Phase.ENDING], p.LetGo, Session._let_go),
    **rows(TALKING, p.LetGo, Session._let_go, Phase.ENDING),
    **rows(AT_REST, p.StartOrdered, Session._announce, Phase.ANNOUNCING),
    **rows(_BUSY, p.StartOrdered, Session._busy),
    **rows([Phase.ANNOUNCING], p.Elapsed, Session._announced, Phase.PREPARING, *_REST),
    **rows([Phase.ANNOUNCING], p.Pressed, Session._reject, *_REST),
    **rows([Phase.ANNOUNCING], p.StopOrdered, Session._call_off, *_REST),
    **rows([Phase.PREPARING], p.Granted, Session._open),
    **rows([Phase.PREPARING], p.CallUp, Session._live, Phase.LISTENING),
    # the conversation, and the broadcast beside it
    **rows(LIVE, p.Turn, Session._turn, *LIVE),
    **rows([Phase.LISTENING], p.Speech, Session._speech),
    **rows(LIVE, p.Spoken, Session._spoken),
    **rows(LIVE, p.EndWished, Session._end_wished),
    **rows(LIVE, p.AnswerFailed, Session._answer_failed, Phase.ENDING),
    **rows(_HOLDING, p.MuteWished, Session._mute),
    **rows(set(Phase) - {Phase.STOPPED}, p.MuteSwitched, Session._switch),
    **rows([Phase.SPEAKING], p.Hushed, Session._hush),
    **rows(LIVE, p.SayWished, Session._say),
    **rows(LIVE, p.Written, Session._write),
    **rows([Phase.RECONNECTING], p.SayWished, Session._keep_wish),
    **rows([Phase.RECONNECTING], p.Written, Session._keep_wish),
    **rows(TALKING, p.Heeded, Session._heeded),
    **rows(_HOLDING, p.BroadcastWished, Session._wish_broadcast),
    **rows(_HOLDING, p.CutWished, Session._cut),
    **rows(_HOLDING, p.OnAir, Session._on_air),
    **rows(_HOLDING, p.OffAir, Session._off_air),
    # one call after another: in a pause and unnoticed, or as soon as can be where the call in use is gone
    **rows(LIVE, p.SpareReady, Session._hand_over),
    **rows(LIVE, p.SpareLost, Session._spare_lost, Phase.RECONNECTING, Phase.ENDING),
    **rows(LIVE, p.CallLost, Session._lost, Phase.LISTENING, Phase.RECONNECTING, Phase.ENDING),
    **rows([Phase.RECONNECTING], p.SpareReady, Session._hand_over, Phase.LISTENING),
    **rows([Phase.RECONNECTING], p.SpareLost, Session._spare_lost, Phase.ENDING),
    **rows([Phase.RECONNECTING], p.Elapsed, Session._elapsed_cut, Phase.ENDING),
    # every end gives everything back first
    **rows(_HOLDING, p.Pressed, Session._pressed, Phase.ENDING),
    **rows(_HOLDING, p.StopOrdered, Session._stop, Phase.ENDING),
    **rows([Phase.PREPARING], p.CallLost, Session._lost, Phase.ENDING),
    **rows([Phase.PREPARING], p.Refused, Session._refused, Phase.ENDING),
    **rows([Phase.PREPARING], p.Elapsed, Session._too_slow, Phase.ENDING),
    **rows(LIVE, p.Elapsed, Session._elapsed, Phase.LISTENING, Phase.ENDING),
    **rows([Phase.ENDING], p.Pressed, Session._press_again),
    **rows([Phase.ENDING], p.Released, Session._released, *_REST, Phase.PREPARING, Phase.STOPPED),
    **rows([Phase.ENDING], p.Elapsed, Session._stuck, Phase.STOPPED),
    **rows([Phase.FAULT], p.Elapsed, Session._fault_over, *_REST, Phase.STOPPED),
    **rows(AT_REST | {Phase.ENDING, Phase.STARTING}, p.StopOrdered, Session._nothing_to_stop),
    # an operator's hand, whatever the robot does
    **rows(set(Phase) - {Phase.STOPPED}, p.ToolOrdered, Session._use),
    # a button held for long: the run ends, and the robot waits for a claim
    **rows(AT_REST, p.ClaimWished, Session._claim, Phase.STOPPED),
    **rows(_HOLDING, p.ClaimWished, Session._claim, Phase.ENDING),
    **rows([Phase.ENDING], p.ClaimWished, Session._claim),
    # another version lies ready: when nobody talks, the run ends for it
    **rows(AT_REST, p.UpdateStaged, Session._make_way, Phase.STOPPED),
    # the end of the process
    **rows(_HOLDING, p.Quit, Session._quit_later, Phase.ENDING),
    **rows([Phase.ENDING], p.Quit, Session._quit_later),
    **rows(AT_REST | {Phase.STARTING, Phase.ANNOUNCING}, p.Quit, Session._exit, Phase.STOPPED),
}
# fmt: on
