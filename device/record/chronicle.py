"""What is known of the session that goes on: its figures always, its record only with the consent of those who talk.

Told by the voice path, block by block, and by what holds the session; nothing here waits. `Recorder` writes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from device.audio.block import Samples
from device.messages.minting import Grant
from device.messages.record import Answered, Failed, Happened, Manifest, Said, Stood, Used
from device.messages.reports import SessionFigures, TurnFigures
from device.realtime.captions import Captioned
from device.realtime.conversation import CallEvent, Complained, ResponseFailed, Speech, Turn, TurnChanged
from device.record.recorder import Recorder
from device.record.settings import RecordSettings
from device.record.talk import Talk
from device.session import Session
from device.tools.outcome import Outcome
from device.tools.tool import Tool, made

KEEP_RECORD: Final = "keep_record"
"""The tool by which the model tells what visitors said about being recorded."""

TOOL_SECONDS: Final = 1.0


class Chronicle:
    """Follows one session after the other.

    Args:
        settings: who has agreed to what.
        recorder: what writes; None where nothing may be kept.
        device: this robot's name.
        wall: Unix seconds, by the cloud's clock, of monotonic seconds.
    """

    def __init__(
        self, settings: RecordSettings, recorder: Recorder | None, device: str, wall: Callable[[float], float]
    ) -> None:
        self._settings, self._recorder, self._device, self._wall = settings, recorder, device, wall
        self._talk: Talk | None = None
        self._standing = ("", False, False)
        """Phase, on air, and muted."""

    @property
    def archivable(self) -> bool:
        """Whether all who talk here have agreed before they do, so that the broadcast may be archived, too."""
        return self._settings.active and self._settings.consent == "posted"

    def tools(self) -> Sequence[Tool]:
        """Return the tool for what visitors say about being recorded, where anything could be."""
        return [made(self.keep_record, seconds=TOOL_SECONDS, in_loop=True)] if self._settings.active else []

    def keep_record(self, *, agreed: bool) -> str:
        """Tell whether your visitor agrees that this conversation is recorded.

        Args:
            agreed: true only if they clearly said yes; false if they do not want it, or want the record deleted.
        """
        talk = self._talk
        if talk is None:
            raise LookupError("there is no conversation")
        if not agreed:
            self._refuse(talk)
            return "Nothing is kept of this conversation."
        if talk.refused or self._recorder is None:
            raise ValueError("this conversation is not recorded: somebody did not want it, or the robot cannot")
        self._keep(talk, time.monotonic())
        return "It is recorded from now on."

    def block(self, at: float, near: Samples, played: Samples, mixed: Samples) -> None:
        """Take what the room, the loudspeaker and observers hear for 20 ms, the last sample captured `at`."""
        talk = self._talk
        if talk is None:
            return
        self._answered(talk, at, talk.timer.block(at, near, played))
        if talk.recorded_from is not None and self._recorder is not None:
            self._recorder.sound(at, near, played, mixed)

    def begin(self, session: str, reason: str) -> None:
        """A session was asked for."""
        self._talk = talk = Talk(session, reason, time.monotonic())
        if self._settings.consent == "posted":
            self._keep(talk, talk.pressed)

    def granted(self, grant: Grant) -> None:
        """The session may be had."""
        if self._talk is not None:
            self._talk.grant = grant

    def listen(self) -> str:
        """The model hears from now on; return what it is to be asked to say about being recorded, once, or nothing."""
        talk = self._talk
        if talk is None or talk.listening is not None:
            return ""
        talk.listening = time.monotonic()
        if talk.recorded_from is not None:
            return self._settings.announcement
        asked = self._settings.consent == "asked" and self._recorder is not None
        can_answer = talk.grant is not None and KEEP_RECORD in talk.grant.tools
        return self._settings.question if asked and can_answer else ""

    def go_on_air(self) -> None:
        """The broadcast is up."""
        if self._talk is not None and self._talk.on_air is None:
            self._talk.on_air = time.monotonic()

    def stand(self, session: Session) -> None:
        """Take how the session machine stands."""
        self._standing = (session.phase, session.on_air, session.muted)
        if self._talk is not None:
            self._stood(self._talk, time.monotonic())

    def hear(self, event: CallEvent, round_trip: float | None) -> None:
        """Take what happened in the call; `round_trip` in seconds to the service and back, where it is known."""
        talk, now = self._talk, time.monotonic()
        if talk is None:
            return
        match event:
            case Speech(began):
                talk.timer.speech(now, began=began)
            case TurnChanged(Turn.SPEAKING):
                self._answered(talk, now, talk.timer.answering(now, round_trip))
            case Captioned():
                self._said(talk, now, event)
            case ResponseFailed(code, text) | Complained(code, text):
                self.fail(code, text)

    def use(self, tool: str, arguments: str, outcome: Outcome, began: float) -> None:
        """Take the call of a tool that `began` at these monotonic seconds, and what came of it."""
        talk, now = self._talk, time.monotonic()
        if talk is None:
            return
        talk.tools[tool] += 1
        self._write(
            talk,
            Used(
                at=talk.place(now),
                tool=tool,
                arguments=arguments,
                ok=outcome.ok,
                outcome=outcome.text,
                seconds=round(now - began, 3),
            ),
        )

    def fail(self, code: str, text: str) -> None:
        """Take what went wrong."""
        if self._talk is not None:
            self._write(self._talk, Failed(at=self._talk.place(time.monotonic()), code=code, text=text))

    def end(self, session: str, reason: str, seconds: float, usage: dict[str, int]) -> SessionFigures | None:
        """The session is over: close its record, and return its figures; None for a session that is not known."""
        talk = self._talk
        if talk is None or talk.id != session:
            return None
        self._talk = None
        begun = talk.recorded_from is not None and self._recorder is not None and self._recorder.keeps
        kept = begun and talk.listening is not None
        figures = talk.figures(self._wall(time.monotonic()), seconds, recorded=kept)
        if talk.recorded_from is not None and self._recorder is not None:
            if kept:
                manifest = self._manifest(talk, talk.recorded_from)
                tools = dict(talk.tools)
                self._recorder.end(replace(manifest, end_reason=reason, usage=usage, figures=figures, tools=tools))
            else:
                self._recorder.discard()  # a start that came to nothing is no conversation
        return figures

    def _keep(self, talk: Talk, now: float) -> None:
        if talk.recorded_from is None and self._recorder is not None:
            talk.recorded_from = now
            self._recorder.begin(self._manifest(talk, now), now)
            self._stood(talk, now)

    def _manifest(self, talk: Talk, origin: float) -> Manifest:
        return talk.manifest(self._device, self._settings.consent, self._wall(origin))

    def _refuse(self, talk: Talk) -> None:
        talk.refused = True
        if talk.recorded_from is not None and self._recorder is not None:
            talk.recorded_from = None
            self._recorder.discard()

    def _stood(self, talk: Talk, now: float) -> None:
        phase, on_air, muted = self._standing
        self._write(talk, Stood(at=talk.place(now), phase=phase, on_air=on_air, muted=muted))

    def _said(self, talk: Talk, now: float, said: Captioned) -> None:
        """Keep final words; what began before the record was not said with consent."""
        if talk.recorded_from is None or not said.final or said.start < talk.recorded_from:
            return
        self._write(
            talk,
            Said(
                at=talk.place(now),
                id=said.id,
                speaker=said.speaker,
                text=said.text,
                start=talk.place(said.start),
                end=talk.place(said.end),
                approximate=said.approximate,
            ),
        )

    def _answered(self, talk: Talk, now: float, turn: TurnFigures | None) -> None:
        if turn is not None:
            parts = {"network": turn.network, "model": turn.model, "device": turn.device}
            self._write(talk, Answered(at=talk.place(now), total=turn.total, **parts))

    def _write(self, talk: Talk, event: Happened) -> None:
        """Write an event, if there is a record."""
        if talk.recorded_from is not None and self._recorder is not None:
            self._recorder.happened(event)


def nothing_kept() -> Chronicle:
    """Return a chronicle that keeps no record, for a robot whose settings say nothing of any."""
    return Chronicle(RecordSettings(), None, "", float)
