"""The channels that sessions are broadcast on: noted as soon as they exist, so that none stays open."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any, Final

from device.errors import UpstreamError
from device.messages.minting import BroadcastGrant
from provisioning.channels import ChannelOptions
from provisioning.fading import Fading
from provisioning.imageflux import Channel, ImageFlux
from provisioning.sessions import Session
from provisioning.store import Store

_log = logging.getLogger(__name__)

PATIENCE: Final = 5.0
"""Seconds that a visitor waits for a channel, at most; then the conversation begins without a broadcast."""

SWEEP_SECONDS: Final = 60.0
"""How often channels that could not be deleted are tried again."""

OPEN_SECONDS: Final = 6 * 3600.0
"""How long the way into a channel is known here: longer than any session, for another process may be who deletes it."""

MOST_OPEN: Final = 50_000
"""Channels that are known so; the oldest are forgotten first."""

DELETED_AT_ONCE: Final = 32
"""Channels deleted at the same time: a third of the connections to the service, so that new ones are not waited for."""


class Broadcasts:
    """Opens and closes channels; without `imageflux` there are none.

    With `sole_user`, every channel of the account is one of ours.
    """

    def __init__(
        self,
        store: Store,
        imageflux: ImageFlux | None,
        options: ChannelOptions,
        *,
        video: bool,
        sole_user: bool = False,
    ) -> None:
        self._sole_user = sole_user
        self._store, self._imageflux, self._options, self._video = store, imageflux, options, video
        self._open: Fading[Channel] = Fading(OPEN_SECONDS, MOST_OPEN)
        self._channels: Fading[str] = Fading(OPEN_SECONDS, MOST_OPEN)
        self._slots = asyncio.Semaphore(DELETED_AT_ONCE)
        self._unwanted: list[str] = []
        """Channels that no session will ever use."""
        self._suspects: frozenset[str] = frozenset()
        """Channels that no session here needs, as they were found last."""

    async def open(self, session: str, *, archive: bool = False) -> BroadcastGrant | None:
        """Make and note a channel for a session; None without an account. Only with `archive` may the service keep it.

        Raises:
            UpstreamError: there is none to be had.
        """
        if self._imageflux is None:
            return None
        channel = await self._created(self._imageflux, self._options if archive else self._options.unarchived)
        try:
            await self._store.together(lambda t: t.sessions.set_channel(session, channel.channel_id))
        except BaseException:
            self._unwanted.append(channel.channel_id)
            raise
        now = time.monotonic()
        self._open.put(channel.channel_id, channel, now)
        self._channels.put(session, channel.channel_id, now)
        return BroadcastGrant(
            signalling_urls=[channel.signalling_url], channel_id=channel.channel_id, video=self._video
        )

    async def _created(self, imageflux: ImageFlux, options: ChannelOptions) -> Channel:
        creating = asyncio.ensure_future(imageflux.create_channel(options))
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.shield(creating)
        except TimeoutError:
            creating.add_done_callback(self._came_late)
            raise UpstreamError("ImageFlux", None, "timeout", f"no channel within {PATIENCE:.0f} s") from None
        except asyncio.CancelledError:
            creating.add_done_callback(self._came_late)
            raise

    def _came_late(self, creating: asyncio.Future[Channel]) -> None:
        if not creating.cancelled() and creating.exception() is None:
            self._unwanted.append(creating.result().channel_id)

    async def close(self, session: str, channel_id: str) -> bool:
        """Delete a session's channel; False when that has to be tried again."""
        self._open.pop(channel_id, time.monotonic())
        self._channels.pop(session, time.monotonic())
        if not await self._deleted(channel_id):
            return False
        async with self._store.transaction() as t:
            await t.sessions.close_channel(session)
        return True

    async def _deleted(self, channel_id: str) -> bool:
        if self._imageflux is None:
            return False
        try:
            async with self._slots:
                await self._imageflux.delete(channel_id)
        except UpstreamError as error:
            _log.warning("a channel stays open for now: %s", error)
            return False
        return True

    async def close_orphans(self) -> None:
        """Delete every channel whose session has ended, and those that came too late for theirs.

        Raises:
            StoreError: that some are deleted could not be noted; the others are.
        """
        await self.close_unwanted()
        left = [(session.id, session.channel_id) for session in await self._unreleased() if session.channel_id]
        closing = (self.close(session, channel) for session, channel in left)
        for result in await asyncio.gather(*closing, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def close_unwanted(self) -> None:
        """Delete the channels that came here too late for their sessions; nobody else knows of them."""
        for channel_id in [*self._unwanted]:
            if await self._deleted(channel_id):
                self._unwanted.remove(channel_id)

    async def keep_clean(self) -> None:
        """Do that every `SWEEP_SECONDS`, for ever, where there is no leash that does more."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            await self.close_unwanted()

    async def _unreleased(self) -> list[Session]:
        async with self._store.transaction() as t:
            return await t.sessions.unreleased()

    async def close_left_over(self) -> None:
        """Delete the channels that a crash has left behind, and nobody else's.

        The service lets a channel carry no mark of ours. It is ours if a session in the store has it; one whose id was
        lost between its making and the store can be told from a stranger's only by `sole_user`. Each has to be found
        twice, for its session may be about to note or to delete it.
        """
        if self._imageflux is None:
            return
        try:
            listed = await self._imageflux.channels()
        except UpstreamError as error:
            _log.warning("not looked for channels that were left open: %s", error)
            return
        ours = await self._known(listed)
        suspects = frozenset(channel_id for channel_id in listed if ours.get(channel_id, True))
        for channel_id in suspects & self._suspects:
            if self._sole_user or channel_id in ours:
                _log.warning("a channel was left open; deleting it")
                await self._deleted(channel_id)
        strangers = suspects - ours.keys()
        if strangers - self._suspects and not self._sole_user:
            _log.warning("%d channels of the account are of no session here, and are left alone", len(strangers))
        self._suspects = suspects

    async def _known(self, listed: Sequence[str]) -> dict[str, bool]:
        async with self._store.transaction() as t:
            return await t.sessions.channels(listed)

    def entrance(self, channel_id: str) -> Channel | None:
        """Return how observers may join a channel themselves; None when they may not, or another process opened it."""
        return self._open.get(channel_id, time.monotonic()) if self._options.low_delay else None

    async def push(self, session: str, data: Any) -> None:
        """Send `data` to everybody in a session's channel, if that is wished for; a failure is no more than logged."""
        channel_id = self._channels.get(session, time.monotonic())
        if self._imageflux is None or channel_id is None or not self._options.push_captions:
            return
        try:
            await self._imageflux.push(channel_id, data)
        except UpstreamError as error:
            _log.warning("nothing pushed for session %s: %s", session, error)

    async def playlist(self, channel_id: str) -> str | None:
        """Return where a channel can be heard, if it can be by now; the newest of several."""
        if self._imageflux is None:
            return None
        try:
            found = await self._imageflux.playlists(channel_id)
        except UpstreamError as error:
            _log.warning("no playlists: %s", error)
            return None
        return found[-1].url if found else None
