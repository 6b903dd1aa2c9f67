"""What a profile hides, masked once more before it is public: a robot that did not mask it does not get it out."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from device.errors import SettingsError, StoreError
from device.messages.reports import Caption, DeviceState, Event, Metrics, SessionEnded, SessionStarted
from device.messages.word_filter import WordFilter
from provisioning.imageflux import Channel
from provisioning.listener import Listener
from provisioning.profiles.reading import read_profile
from provisioning.store import Store

_log = logging.getLogger(__name__)

MOST_WAITING: Final = 64
"""Captions of one session that wait until its words are known; then the oldest are dropped."""

MOST_KNOWN: Final = 1_000
"""Sessions that nobody has said are over whose words are kept; then the oldest are asked for again."""


@dataclass(slots=True)
class _Talk:
    """One session, and what its profile hides, once that is known."""

    device: str
    session: str
    words: WordFilter | None = None
    asked: bool = False
    unknown: bool = False
    """The store knows of no such session of this device."""
    waiting: deque[Caption] = field(default_factory=lambda: deque(maxlen=MOST_WAITING))


class Veil(Listener):
    """A listener in front of others, who are told the same, but captions without what the session's profile hides.

    Captions wait until the store has said what that is, and those of a session that it does not know are told to nobody.
    `run()` it in a task.

    Args:
        store: knows which profile each session was granted with.
        usual: what is hidden in sessions without a profile of their own.
        listeners: who is told.
    """

    def __init__(self, store: Store, usual: Sequence[str], listeners: Sequence[Listener]) -> None:
        self._store, self._usual, self._listeners = store, WordFilter(usual), listeners
        self._talks: dict[tuple[str, str], _Talk] = {}
        self._asked: asyncio.Queue[_Talk] = asyncio.Queue()

    def on_state(self, state: DeviceState) -> None:
        """Pass a device's card on."""
        for listener in self._listeners:
            listener.on_state(state)

    def on_event(self, device: str, event: Event) -> None:
        """Pass on what happened; a caption masked, and once it is known how."""
        if isinstance(event, Caption):
            talk = self._talk(device, event.session)
            if not talk.unknown:
                talk.waiting.append(event)
            self._pass_on(talk)
            return
        if isinstance(event, SessionStarted):
            self._talk(device, event.session)
        for listener in self._listeners:
            listener.on_event(device, event)
        if isinstance(event, SessionEnded):
            self._over(device, event.session)

    def on_metrics(self, device: str, metrics: Metrics) -> None:
        """Pass a device's numbers on."""
        for listener in self._listeners:
            listener.on_metrics(device, metrics)

    def on_playlist(self, device: str, session: str, url: str | None) -> None:
        """Pass on where a session can be heard."""
        for listener in self._listeners:
            listener.on_playlist(device, session, url)

    def on_watch(self, device: str, session: str, channel: Channel | None) -> None:
        """Pass on how observers may join a broadcast."""
        for listener in self._listeners:
            listener.on_watch(device, session, channel)

    async def run(self) -> None:
        """Look up what is hidden in each session, for ever."""
        while True:
            talk = await self._asked.get()
            talk.asked = False
            try:
                talk.words = await self._hidden(talk.device, talk.session)
            except (StoreError, SettingsError):
                _log.exception("captions of session %s wait: what its profile hides is not known", talk.session)
                continue
            if talk.words is None:
                talk.unknown = True
                talk.waiting.clear()
                _log.warning("%s captions a session that it does not have: nobody is told", talk.device)
            self._pass_on(talk)

    def _talk(self, device: str, session: str) -> _Talk:
        """Return the session of a device, and ask what is hidden in it unless that is known or asked for."""
        talk = self._talks.get((device, session))
        if talk is None:
            while len(self._talks) >= MOST_KNOWN:
                del self._talks[next(iter(self._talks))]
            talk = self._talks[device, session] = _Talk(device, session)
        if talk.words is None and not (talk.asked or talk.unknown):
            talk.asked = True
            self._asked.put_nowait(talk)
        return talk

    def _over(self, device: str, session: str) -> None:
        """Forget a session, unless captions of it still wait; one that comes late has its words asked for again."""
        talk = self._talks.get((device, session))
        if talk is not None and not talk.waiting:
            del self._talks[device, session]

    def _pass_on(self, talk: _Talk) -> None:
        while talk.words is not None and talk.waiting:
            caption = talk.waiting.popleft()
            masked = replace(caption, text=talk.words(caption.text))
            for listener in self._listeners:
                listener.on_event(talk.device, masked)

    async def _hidden(self, device: str, session: str) -> WordFilter | None:
        """Return what is hidden in a session; None for one that the store does not know of this device.

        Raises:
            StoreError: the store does not answer.
            SettingsError: the profile cannot be read by this version.
        """
        async with self._store.transaction() as t:
            found = await t.sessions.find(session)
            if found is None or found.device != device:
                return None
            if not found.profile:
                return self._usual
            version = await t.profiles.find(found.profile, found.profile_version)
        words = () if version is None else read_profile(version.text, found.profile).hidden_words
        return WordFilter(words)
