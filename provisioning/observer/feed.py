"""The hub between what devices report and the pages that are open: told by MQTT on one side, read as events on the other.

Everything here runs in one event loop. Each change is written out once, whatever the number of pages, and handed to the
network at once for every page whose line is free; only the others wake a task of their own. A page that reads too slowly
is given a fresh snapshot instead of what it missed, so its memory stays bounded.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from device.errors import KaiwaError
from device.messages.reports import Caption, DeviceState, Event, Metrics
from device.messages.word_filter import WordFilter
from provisioning.imageflux import Channel
from provisioning.observer.robot import Robot
from provisioning.observer.sse import Line, frame
from provisioning.observer.views import (
    CaptionView,
    Change,
    ListView,
    RobotCard,
    Snapshot,
    StateView,
    ViewersView,
    WatchView,
)

MOST_VIEWERS: Final = 5_000
"""Open event streams on one process; beyond it, new pages are asked to come back later."""

VIEWERS_SETTLE: Final = 1.0
"""Seconds for which joins and leaves are gathered into one new viewer count."""


class FullHouseError(KaiwaError):
    """Too many pages are open on this process."""


class Subscription:
    """One open page: a bounded line of frames, and a bell that rings when there is something in it."""

    def __init__(self, snapshot: Callable[[], bytes]) -> None:
        self._snapshot = snapshot
        self._line = Line()
        self._bell = asyncio.Event()
        self._bell.set()
        self._ended = False
        self.sends: Callable[[bytes], bool] | None = None
        """Sends at once, or returns False when the reader cannot take more now; None: everything waits for `read`."""

    def offer(self, data: bytes) -> None:
        """Send one frame, or put it into the line."""
        if self._line.free and self.sends is not None and self.sends(data):
            return
        self._line.put(data)
        self._bell.set()

    def end(self) -> None:
        """Let the reader come to its end."""
        self._ended = True
        self._bell.set()

    async def read(self) -> bytes:
        """Wait for and return what comes next, a snapshot first; empty when the stream has been ended."""
        await self._bell.wait()
        if self._ended:
            return b""
        self._bell.clear()
        if not self._line.behind:
            return self._line.take()
        self._line.caught_up()
        return self._snapshot()


class Feed:
    """What is public of every robot, and the pages that watch it.

    Args:
        name_of: the name to show for a device id.
        words: what is masked in captions.
        captioned: is told of every caption that is shown, with the session's id.
        clock: Unix seconds.
        most_viewers: open streams before `watch` refuses.
        viewers_settle: seconds for which changes of the viewer count are gathered.
    """

    def __init__(
        self,
        *,
        name_of: Callable[[str], str] = str,
        words: WordFilter | None = None,
        captioned: Callable[[str, CaptionView], None] | None = None,
        clock: Callable[[], float] = time.time,
        most_viewers: int = MOST_VIEWERS,
        viewers_settle: float = VIEWERS_SETTLE,
    ) -> None:
        self._name_of, self._clock = name_of, clock
        self._words, self._captioned = words or WordFilter(), captioned
        self._most_viewers, self._viewers_settle = most_viewers, viewers_settle
        self._robots: dict[str, Robot] = {}
        self._watching: dict[str, set[Subscription]] = {}
        self._listing: set[Subscription] = set()
        self._settling: dict[str, asyncio.TimerHandle] = {}
        self._fading: dict[str, None] = {}
        """Robots whose words are to be forgotten, those first whose conversations ended first."""
        self._sent = 0

    def on_state(self, state: DeviceState) -> None:
        """Take a device's card, retained or new."""
        self._publish(state.device, self._robot(state.device).on_state(state, self._clock()))
        self._fade(state.device)

    def on_event(self, device: str, event: Event) -> None:
        """Take one thing that happened at `device`."""
        change = self._robot(device).on_event(event, self._clock())
        if isinstance(event, Caption) and isinstance(change, CaptionView) and self._captioned is not None:
            self._captioned(event.session, change)
        self._publish(device, change)
        self._fade(device)

    def on_metrics(self, device: str, metrics: Metrics) -> None:
        """Take the numbers of `device`."""
        self._publish(device, self._robot(device).on_metrics(metrics, self._clock()))

    def on_playlist(self, device: str, session: str, url: str | None) -> None:
        """Take the playlist of `session`; a new publisher brings a new one, None takes it away."""
        self._publish(device, self._robot(device).on_playlist(session, url, self._clock()))

    def on_watch(self, device: str, session: str, channel: Channel | None) -> None:
        """Take how browsers may join the broadcast of `session` themselves; None takes it away."""
        watch = None if channel is None else WatchView(signalling=channel.signalling_url, channel=channel.channel_id)
        self._publish(device, self._robot(device).on_watch(session, watch, self._clock()))

    def robots(self) -> list[RobotCard]:
        """Return every robot that has reported, those on air first, then by name."""
        cards = [self._card(robot) for robot in self._robots.values() if robot.reported]
        return sorted(cards, key=lambda card: (not card.state.on_air, card.name))

    def snapshot(self, device: str) -> Snapshot:
        """Return all that a page on `device` needs; lifecycle None when it has never reported."""
        robot = self._robots.get(device) or Robot(device, self._name_of(device))
        return robot.snapshot(self.viewers(device), self._clock())

    @property
    def pages(self) -> int:
        """How many pages are open, the list included."""
        return sum(map(len, self._watching.values())) + len(self._listing)

    def viewers(self, device: str) -> int:
        """Return how many pages are open on `device`."""
        return len(self._watching.get(device, ()))

    @contextmanager
    def watch(self, device: str) -> Iterator[Subscription]:
        """Subscribe to `device` for as long as the context lasts.

        Raises:
            FullHouseError: `most_viewers` pages are open already.
        """
        self._admit()
        subscription = Subscription(lambda: self._frame(self.snapshot(device)))
        self._watching.setdefault(device, set()).add(subscription)
        self._count_again(device)
        try:
            yield subscription
        finally:
            self._leave(device, subscription)

    @contextmanager
    def watch_list(self) -> Iterator[Subscription]:
        """Subscribe to the list of robots for as long as the context lasts: all of them, then each that changes.

        Raises:
            FullHouseError: `most_viewers` pages are open already.
        """
        self._admit()
        subscription = Subscription(lambda: self._frame(ListView(robots=self.robots())))
        self._listing.add(subscription)
        try:
            yield subscription
        finally:
            self._listing.discard(subscription)

    def end_streams(self) -> None:
        """Let every open stream come to its end; the feed itself can go on."""
        for handle in self._settling.values():
            handle.cancel()
        self._settling.clear()
        for subscriptions in (*self._watching.values(), self._listing):
            for subscription in subscriptions:
                subscription.end()

    def _admit(self) -> None:
        if self.pages >= self._most_viewers:
            raise FullHouseError("too many pages are open; come back in a moment")

    def _leave(self, device: str, subscription: Subscription) -> None:
        watching = self._watching[device]
        watching.discard(subscription)
        if watching:
            self._count_again(device)
            return
        del self._watching[device]
        handle = self._settling.pop(device, None)
        if handle is not None:
            handle.cancel()
        self._publish(device, ViewersView(viewers=0))

    def _count_again(self, device: str) -> None:
        if device not in self._settling:
            loop = asyncio.get_running_loop()
            self._settling[device] = loop.call_later(self._viewers_settle, self._publish_viewers, device)

    def _publish_viewers(self, device: str) -> None:
        self._settling.pop(device, None)
        self._publish(device, ViewersView(viewers=self.viewers(device)))

    def _publish(self, device: str, change: Change | None) -> None:
        if change is None:
            return
        self._offer(self._watching.get(device), change)
        robot = self._robots.get(device)
        if robot is not None and robot.reported and isinstance(change, StateView | ViewersView):
            self._offer(self._listing, self._card(robot))

    def _offer(self, subscriptions: set[Subscription] | None, change: Change) -> None:
        if not subscriptions:
            return
        data = self._frame(change)
        for subscription in subscriptions:
            subscription.offer(data)

    def _card(self, robot: Robot) -> RobotCard:
        return robot.card(self.viewers(robot.device), self._clock())

    def _frame(self, change: Change) -> bytes:
        self._sent += 1
        return frame(change, self._sent)

    def _fade(self, device: str) -> None:
        """Have all forget the words whose time has come, this robot among them when its own has."""
        if self._robot(device).words_until is None:
            self._fading.pop(device, None)
        else:
            self._fading.setdefault(device)
        while self._fading and self._faded(next(iter(self._fading))):
            del self._fading[next(iter(self._fading))]

    def _faded(self, device: str) -> bool:
        """Tell whether this robot has nothing to forget any more."""
        robot = self._robots[device]
        robot.forget(self._clock())
        return robot.words_until is None

    def _robot(self, device: str) -> Robot:
        if device not in self._robots:
            self._robots[device] = Robot(device, self._name_of(device), self._words)
        return self._robots[device]
