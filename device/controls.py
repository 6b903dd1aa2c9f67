"""PURE. What people, operators and the model change about a conversation that goes on: the actions of the session machine."""

from __future__ import annotations

from collections.abc import Iterator

from device import command as do
from device import phase as p
from device.command import Command
from device.messages.commands import Step
from device.phase import AT_REST, TALKING, Chime, Phase
from device.standing import Standing


class Controls(Standing):
    """The hands, voices and orders that reach into a conversation."""

    def _pressed(self, _event: p.Pressed, now: float) -> Iterator[Command]:
        if self.muted and not self.switched_off:  # whoever presses a robot that does not listen wants to be heard
            yield from self._close_microphone(closed=False)
        elif self.muted or not self.hand.push_to_talk:
            yield from self._end("button", now)
            return
        if self.hand.push_to_talk:
            yield from self.hand.press(self.id or "", self.phase)

    def _let_go(self, event: p.LetGo, now: float) -> Iterator[Command]:
        commands, ends = self.hand.let_go(self.id or "", event.seconds)
        yield from self._end("button", now) if ends else commands

    def _claim(self, _event: p.ClaimWished, now: float) -> Iterator[Command]:
        """Leave the run, to wait for a claim; whoever holds the button while they talk wants something else."""
        if self.phase in AT_REST:
            self._enter(Phase.STOPPED, now)
            yield do.Exit(claim=True)
        elif self.phase is Phase.ENDING:
            self._leaving = self._leaving or do.Exit(claim=True)
        elif not (self.hand.push_to_talk or (self._patience and self._patience.asked)):
            self._leaving = do.Exit(claim=True)
            yield from self._end("claim", now)

    def _make_way(self, _event: p.UpdateStaged, now: float) -> Iterator[Command]:
        """Leave the run to another version; while somebody talks there is no row for it, and it is asked again."""
        self._enter(Phase.STOPPED, now)
        yield do.Exit(update=True)

    def _mute(self, event: p.MuteWished, _now: float) -> Iterator[Command]:
        yield from self._close_microphone(closed=event.on or self.switched_off)

    def _switch(self, event: p.MuteSwitched, _now: float) -> Iterator[Command]:
        holding = self.phase is Phase.PREPARING or self.phase in TALKING
        if event.off is not None:
            self.switched_off = event.off
        if holding:
            yield from self._close_microphone(closed=not self.muted if event.off is None else event.off)
        elif event.off is not None and self.phase is not Phase.STARTING:
            yield do.Play(Chime.MUTED if event.off else Chime.UNMUTED)

    def _close_microphone(self, *, closed: bool) -> Iterator[Command]:
        if closed is not self.muted:
            self.muted = closed
            yield do.Play(Chime.MUTED if closed else Chime.UNMUTED)

    def _hush(self, _event: p.Hushed, _now: float) -> Iterator[Command]:
        yield do.Interrupt(self.id or "")

    def _say(self, event: p.SayWished, now: float) -> Iterator[Command]:
        self._stir(now)
        yield from self.wishes.put(event, self.id or "")

    def _write(self, event: p.Written, now: float) -> Iterator[Command]:
        if self._patience is not None:  # somebody wants something, if not aloud
            self._patience.spoke_up()
            self._wait(now)
        self._stir(now)
        yield from self.wishes.put(event, self.id or "")

    def _keep_wish(self, event: p.SayWished | p.Written, _now: float) -> Iterator[Command]:
        """There is no call just now: the next one is asked."""
        if isinstance(event, p.Written) and self._patience is not None:
            self._patience.spoke_up()
        self.wishes.keep(event)
        yield from ()

    def _heeded(self, event: p.Heeded, _now: float) -> Iterator[Command]:
        yield from self.wishes.heeded(event)

    def _stir(self, now: float) -> None:
        if self._handover is not None:  # what is being asked for must not be left with a call that is left
            self._handover.stirred(now, quiet=self.phase is Phase.LISTENING)

    def _wish_broadcast(self, event: p.BroadcastWished, _now: float) -> Iterator[Command]:
        if self._grant is None or self._grant.broadcast is None or event.on is self._broadcasting:
            return
        if self.on_air:
            yield do.Play(Chime.OFF_AIR)
        self._broadcasting, self.on_air = event.on, False
        session = self._grant.session
        yield do.OpenBroadcast(session, self._grant) if event.on else do.CloseBroadcast(session)

    def _cut(self, _event: p.CutWished, _now: float) -> Iterator[Command]:
        if self.on_air:
            yield do.Cut(self.id or "")

    def _use(self, event: p.ToolOrdered, _now: float) -> Iterator[Command]:
        yield do.Acknowledge(event.command, Step.ACCEPTED, event.tool)
        yield do.UseTool(event.command, event.tool, event.arguments)

    def _on_air(self, _event: p.OnAir, _now: float) -> Iterator[Command]:
        if self._broadcasting and not self.on_air:
            self.on_air = True
            yield do.Play(Chime.ON_AIR)

    def _off_air(self, event: p.OffAir, _now: float) -> Iterator[Command]:
        if self.on_air:
            yield do.Play(Chime.OFF_AIR)
        self.on_air = False
        yield do.ReportFault(event.session, "broadcast", event.text)

    def _end_wished(self, event: p.EndWished, now: float) -> Iterator[Command]:
        if self._patience is not None:
            self._patience.part("goodbye")
            self._wait(now)
        if event.said and self.phase is not Phase.SPEAKING:
            yield from self._spoken(p.Spoken(event.session), now)

    def _spoken(self, _event: p.Spoken, now: float) -> Iterator[Command]:
        over = None if self._patience is None else self._patience.heard_out(now)
        self._until = self._until if over is None else over
        yield from ()
