"""PURE. What the session machine does while a session lasts: its waiting, and its calls that follow one another."""

from __future__ import annotations

from collections.abc import Iterator

from device import command as do
from device import phase as p
from device.command import Command
from device.handover import Handover, Stage
from device.messages.commands import Step
from device.patience import Patience
from device.phase import LIVE, Chime, Event, Phase
from device.standing import Standing


class Lasting(Standing):
    """The actions from the first call of a session to its last."""

    def _live(self, event: p.CallUp, now: float) -> Iterator[Command]:
        if self._grant is None:
            return  # the agent opens no call without one
        limits = self._grant.limits
        self._live_since, self._patience = now, Patience(limits, self._grant.prompts, now)
        self._handover = Handover(event.session, limits, self.timing, now)
        self._enter_live(Phase.LISTENING, now)
        yield do.Play(Chime.LIVE)
        yield do.ReportStarted(event.session, self._reason)
        if self._order is not None:
            yield do.Acknowledge(self._order, Step.SUCCEEDED, "listening")
            self._order = None
        yield from self.hand.up(event.session, push_to_talk=limits.push_to_talk)

    def _elapsed(self, event: p.Elapsed, now: float) -> Iterator[Command]:
        """Ask what waits: the hand-over of a call, or whoever is patient with the silence."""
        due = self._handing_over_at
        if due is not None and (self._until is None or due <= self._until):
            yield from self._hand_over(event, now)
        else:
            yield from self._time_over(event, now)

    def _time_over(self, _event: Event, now: float) -> Iterator[Command]:
        if self._patience is None:
            return
        over = self._patience.over(now, muted=self.muted)
        if over.reason is not None:
            yield from self._end(over.reason, now)
            return
        self._wait(now, talking=self._talking)
        yield do.Prompt(self.id or "", over.say)

    def _lost(self, event: p.CallLost, now: float) -> Iterator[Command]:
        """Go on with another call, or end with this one; whoever is taking leave does not need another."""
        if self._patience is not None and self._patience.parting is not None:
            yield from self._end(self._patience.parting, now)
        elif self._goes_on_after(event):
            yield from self._hand_over(event, now)
        elif event.code is None:
            yield from self._end(event.text, now)
        else:
            yield from self._fail(event.code, event.text, now)

    def _goes_on_after(self, event: p.CallLost) -> bool:
        """A call that came to its proper end is followed by another only if that is under way."""
        stage = Stage.OVER if self._handover is None else self._handover.stage
        return event.renewable and (event.code is not None or stage in {Stage.ASKED, Stage.READY})

    def _spare_lost(self, event: p.SpareLost, now: float) -> Iterator[Command]:
        if event.spare == self._call:  # it took over before we heard that it was gone
            lost = p.CallLost(event.session, event.code, event.text, event.spare, renewable=True)
            yield from self._lost(lost, now)
        else:
            yield from self._hand_over(event, now)

    def _hand_over(self, event: Event, now: float) -> Iterator[Command]:
        """Let the calls' own table decide, and follow it with the phase."""
        if self._handover is None:
            return
        before = self._handover.call
        yield from self._handover.handle(event, now)
        if self._handover.call != before:
            yield from self._another_call()
        match self._handover.stage:
            case Stage.LAST if self._patience is not None and self._handover.deadline is not None:
                self._patience.end_by(self._handover.deadline)
                self._wait(now, talking=self._talking)
            case Stage.CUT if self.phase in LIVE:
                self._enter(Phase.RECONNECTING, now, self._reconnecting(now))
            case Stage.OVER:
                yield from self._without_call(event, now)
            case _ if self._handover.call != before and self.phase is not Phase.LISTENING:
                self._enter_live(Phase.LISTENING, now)
                if self.hand.talking:
                    yield do.TakeFloor(self.id or "", fresh=False)

    def _another_call(self) -> Iterator[Command]:
        if self._patience is not None:
            self._patience.goes_on()
        yield from self.wishes.put_again(self.id or "")

    def _reconnecting(self, now: float) -> float:
        longest = self.timing.reconnect if self._grant is None else self._grant.limits.longest
        return min(self.timing.reconnect, max(0.0, (self._live_since or now) + longest - now))

    def _without_call(self, _event: Event, now: float) -> Iterator[Command]:
        """There is no call, and none will come: that is a fault, unless the session's own time, or the call's, is over."""
        longest = 0.0 if self._grant is None else self._grant.limits.longest
        if self._handover is None or self.phase in LIVE or now - (self._live_since or now) >= longest:
            yield from self._end("longest", now)
        else:
            yield from self._fail(*self._handover.why, now)

    def _elapsed_cut(self, event: p.Elapsed, now: float) -> Iterator[Command]:
        due = self._handing_over_at
        if due is not None and (self._until is None or due < self._until):
            yield from self._hand_over(event, now)
        else:
            yield from self._without_call(event, now)
