"""PURE. What is known of one robot, and what of it the public may see.

Words and levels are passed on only while the robot says it is on air: a conversation that is not broadcast stays in the
room, whatever reaches the cloud. The words of an ended conversation are forgotten after `REMEMBERED` seconds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from device.messages.reports import Caption, DeviceState, Event, Metrics, SessionEnded, SessionStarted
from device.messages.word_filter import WordFilter
from provisioning.observer.caption_log import CaptionLog
from provisioning.observer.views import (
    TALKING,
    CaptionView,
    LevelsView,
    RobotCard,
    Snapshot,
    StateView,
    WatchView,
    caption_view,
    public_session,
)

REMEMBERED: Final = 120.0
"""Seconds for which an ended conversation can still be read by a page that opens."""

_PAST_SESSIONS: Final = 8


@dataclass(slots=True)
class Sources:
    """Where the sound of one session can be had, as far as it is known."""

    session: str
    playlist: str | None = None
    watch: WatchView | None = None


@dataclass(slots=True)
class Talk:
    """One conversation as observers know it."""

    session: str
    sources: Sources
    ended_at: float | None = None
    log: CaptionLog = field(default_factory=CaptionLog)

    def forgotten(self, now: float) -> bool:
        """Tell whether it ended so long ago that nobody may read it any more."""
        return self.ended_at is not None and now >= self.ended_at + REMEMBERED


class Robot:
    """Takes what a device reports; each method returns the change to publish, or None when there is none.

    `now` is Unix seconds by the cloud's clock; changes carry it, so that pages need one clock only.
    """

    def __init__(self, device: str, name: str, words: WordFilter | None = None) -> None:
        self.device, self.name = device, name
        self._words = words or WordFilter()
        self._state: DeviceState | None = None
        self._talk: Talk | None = None
        self._past: deque[str] = deque(maxlen=_PAST_SESSIONS)
        self._early: Sources | None = None
        self._shown: StateView | None = None

    @property
    def reported(self) -> bool:
        """True once the device has sent its card, without which it counts as not there."""
        return self._state is not None

    def on_state(self, state: DeviceState, now: float) -> StateView | None:
        """Take the device's card."""
        self._state = state
        if state.session is None:
            self._end_talk(now)
        else:
            self._begin_talk(state.session, now)
        return self._state_change(now)

    def on_event(self, event: Event, now: float) -> StateView | CaptionView | None:
        """Take one thing that happened; what observers need not know changes nothing."""
        match event:
            case Caption():
                return self._caption(event, now)
            case SessionStarted():
                self._begin_talk(event.session, now)
            case SessionEnded() if self._talk is not None and self._talk.session == event.session:
                self._end_talk(now)
        return self._state_change(now)

    def on_metrics(self, metrics: Metrics, now: float) -> LevelsView | None:
        """Take the device's numbers; only the two voices' levels are public, and only on air."""
        if not self._heard():
            return None
        return LevelsView(user=metrics.levels.user, assistant=metrics.levels.assistant, at=now + self._delay())

    def on_playlist(self, session: str, url: str | None, now: float) -> StateView | None:
        """Take where the sound of `session` can be had, also before the device has named that session."""
        self._sources(session).playlist = url
        return self._source_change(session, now)

    def on_watch(self, session: str, watch: WatchView | None, now: float) -> StateView | None:
        """Take how browsers can join the broadcast of `session` themselves, also before the device has named it."""
        self._sources(session).watch = watch
        return self._source_change(session, now)

    def card(self, viewers: int, now: float) -> RobotCard:
        """Return this robot's line in the list."""
        return RobotCard(device=self.device, name=self.name, state=self._view(now), viewers=viewers)

    def snapshot(self, viewers: int, now: float) -> Snapshot:
        """Return all that a page needs to start."""
        talk = self._talk
        captions = [] if talk is None or talk.forgotten(now) else talk.log.captions()
        state = self._view(now)
        return Snapshot(device=self.device, name=self.name, state=state, captions=captions, viewers=viewers, now=now)

    @property
    def words_until(self) -> float | None:
        """When the words of its conversation are to be forgotten (Unix seconds); None while it goes on, or has none."""
        talk = self._talk
        return None if talk is None or talk.ended_at is None or not len(talk.log) else talk.ended_at + REMEMBERED

    def forget(self, now: float) -> None:
        """Let go of words that nobody may read any more, and of the room that they take."""
        if self._talk is not None and self._talk.forgotten(now):
            self._talk.log = CaptionLog()

    def _begin_talk(self, session: str, now: float) -> None:
        if session in self._past or (self._talk is not None and self._talk.session == session):
            return
        self._end_talk(now)
        self._talk = Talk(session, self._sources(session))
        self._early = None

    def _source_change(self, session: str, now: float) -> StateView | None:
        known = self._talk is not None and self._talk.session == session
        return self._state_change(now) if known else None

    def _sources(self, session: str) -> Sources:
        if self._talk is not None and self._talk.session == session:
            return self._talk.sources
        if self._early is None or self._early.session != session:
            self._early = Sources(session)
        return self._early

    def _end_talk(self, now: float) -> None:
        if self._talk is None or self._talk.ended_at is not None:
            return
        self._talk.ended_at = now
        self._past.append(self._talk.session)

    def _phase(self) -> str:
        return "" if self._state is None else self._state.phase

    def _delay(self) -> float:
        """Return by how much what is heard outside is late: what is told at once belongs to a sound still to come."""
        return self._state.delay if self._state is not None and self._heard() else 0.0

    def _heard(self) -> bool:
        on_air = self._state is not None and self._state.on_air
        return on_air and self._talk is not None and self._talk.ended_at is None

    def _caption(self, caption: Caption, now: float) -> CaptionView | None:
        talk = self._talk
        if talk is None or talk.session != caption.session or talk.forgotten(now):
            return None
        over = talk.ended_at is not None or self._phase() not in TALKING
        if not self._heard() and not (over and caption.id in talk.log):
            return None
        view = caption_view(caption, self._words)
        return view if talk.log.merge(view) else None

    def _state_change(self, now: float) -> StateView | None:
        view = self._view(now)
        if view == self._shown:
            return None
        self._shown = view
        return view

    def _view(self, now: float) -> StateView:
        talk = self._talk if self._talk is not None and not self._talk.forgotten(now) else None
        view = StateView(
            lifecycle=None if self._state is None else self._state.lifecycle,
            phase=self._phase(),
            on_air=self._heard(),
            session=None if talk is None else public_session(talk.session),
            ended=talk is not None and talk.ended_at is not None,
            playlist=None if talk is None else talk.sources.playlist,
            at=now + self._delay(),
            watch=talk.sources.watch if talk is not None and self._heard() else None,
            muted=self._state is not None and self._state.muted,
            delay=0.0 if self._state is None else self._state.delay,
            closing=self._state is not None and self._state.ends_at is not None,
        )
        return _since(self._shown, view)


def _since(before: StateView | None, view: StateView) -> StateView:
    """Return `before` when nothing but the time differs, so that `at` tells since when it is so."""
    return before if before is not None and replace(view, at=before.at) == before else view
