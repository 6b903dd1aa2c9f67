"""The robot's side of an update: it takes the order, leaves a request, makes way when nobody talks, says that it is well."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from device import phase as p
from device.durably import write_durably
from device.errors import MalformedMessageError, UpdateError
from device.messages.commands import CommandStatus, Step
from device.messages.wire import Message, decode, encode
from device.outlet import Outlet
from device.update.course import Course, Seen, Tried
from device.update.fitness import objection
from device.update.guard import Outcome, Places, read_outcome, read_trial
from device.update.health import Health
from device.update.request import FOLDER, Request, leave, left, progress
from device.update.settings import UpdateSettings
from device.update.staging import this_board
from device.update.trust import trusted

_log = logging.getLogger(__name__)

QUIET_LOOKS: Final = 3
"""Looks in a row at which nobody talks, before the robot makes way: who presses again at once is not to wait for it."""


class Pending(Message, frozen=True):
    """The order that is being carried out, kept over restarts so that its last step is told."""

    id: str


class Updates:
    """What the robot does about updates; `run()` it in a task.

    `lacking` tells what a visitor would miss now, `at_rest` is set while no session goes on.
    """

    def __init__(
        self,
        settings: UpdateSettings,
        state_dir: Path,
        authority: str,
        outlet: Outlet,
        post: Callable[[p.Event], None],
        at_rest: asyncio.Event,
        lacking: Callable[[], Sequence[str]],
    ) -> None:
        self._settings, self._state, self._authority = settings, state_dir, authority
        self._places: Places = settings.places(str(state_dir))
        self._outlet, self._post, self._at_rest, self._lacking = outlet, post, at_rest, lacking
        self._health = Health(settings.well_seconds)
        self._quiet = 0
        self._said = ""
        self._course: Course | None = None

    # An order ---------------------------------------------------------------------------------------------------------

    async def obey(self, ordered: p.UpdateOrdered) -> None:
        """Take an order: leave the request for it, or tell why not."""
        try:
            version = await asyncio.to_thread(self._hand_over, ordered)
        except UpdateError as error:
            self._tell_step(ordered.command, Step.REJECTED, str(error))
        except OSError as error:
            self._tell_step(ordered.command, Step.REJECTED, f"cannot be written down: {error.strerror}")
        else:
            self._tell_step(ordered.command, Step.ACCEPTED, f"{version} is released by whom this robot trusts")
            self._course = Course(ordered.command, time.monotonic())

    def _hand_over(self, ordered: p.UpdateOrdered) -> str:
        update = ordered.update
        release = trusted(update.release.encode(), Path(self._settings.keys))
        if reason := objection(release, this_board()):
            raise UpdateError(reason)
        if self._order.exists() or self._places.staged.exists() or self._places.trial.exists():
            raise UpdateError("another update is under way")
        request = Request(id=ordered.command, release=update.release, url=update.url, authority=self._authority)
        write_durably(self._order, encode(Pending(id=ordered.command)))
        try:
            leave(self._state, request)
        except OSError:
            self._order.unlink(missing_ok=True)
            raise
        return release.version

    @property
    def _order(self) -> Path:
        return self._state / FOLDER / "order"

    def _tell_step(self, order: str, step: Step, reason: str) -> None:
        outlet = self._outlet
        outlet.status(CommandStatus(id=order, device=outlet.device, step=step, at=outlet.now(), reason=reason))

    # What goes on -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Look after a trial, a version that waits, and an order under way, for ever."""
        if (pending := await asyncio.to_thread(self._pending)) is not None:
            self._course = Course(pending.id, time.monotonic())
        await asyncio.to_thread(self._ask_again, pending)
        while True:
            seen = await asyncio.to_thread(self._seen)
            now = time.monotonic()
            if seen.trial is not None:
                await self._prove(seen.trial, now)
            self._make_way(seen.staged)
            if self._course is not None:
                await self._tell(self._course, seen, now)
            await asyncio.sleep(self._settings.look_seconds)

    def _seen(self) -> Seen:
        """Look at the disk, which may take its time."""
        places, told = self._places, progress(Path(self._settings.progress))
        staged, trial, outcome = read_trial(places.staged), read_trial(places.trial), read_outcome(places.outcome)
        if told is None or self._course is None or told.id != self._course.order:
            return Seen(outcome, staged, trial)
        if told.failed:
            outcome = Outcome(told.id, "", kept=False, reason=told.text, at=told.at)
        return Seen(outcome, staged, trial, told.text, told.at)

    def _pending(self) -> Pending | None:
        try:
            return decode(self._order.read_bytes(), Pending)
        except FileNotFoundError:
            return None
        except (OSError, MalformedMessageError) as error:
            _log.warning("the order of an update is lost: %s", error)
            self._order.unlink(missing_ok=True)
            return None

    def _ask_again(self, pending: Pending | None) -> None:
        """Leave a request once more that a power cut may have come between; see to it that one can be seen at all."""
        self._order.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        outcome = read_outcome(self._places.outcome)
        if pending is None or (outcome is not None and outcome.id == pending.id):
            return
        if self._places.staged.exists() or self._places.trial.exists():
            return
        try:
            leave(self._state, left(self._state))
        except (UpdateError, OSError) as error:
            _log.warning("the request for an update is lost: %s", error)

    async def _prove(self, trial: Tried, now: float) -> None:
        """Say what is lacking in the version on trial, or that it is well, which is when the guard keeps it."""
        lacking = self._lacking()
        well = self._health.well(lacking, now)
        said = "\n".join([trial.id, *([] if well else lacking or ["well for too short a time"])])
        if said != self._said:
            await asyncio.to_thread(self._say, said)
            self._said = said

    def _say(self, text: str) -> None:
        try:
            write_durably(self._places.healthy, text.encode())
        except OSError as error:
            _log.warning("cannot say how the version on trial is: %s", error)

    def _make_way(self, staged: Tried | None) -> None:
        """Ask to end the run for a version that waits; the machine says no where somebody talks after all."""
        self._quiet = self._quiet + 1 if staged is not None and self._at_rest.is_set() else 0
        if self._quiet >= QUIET_LOOKS and staged is not None:
            self._post(p.UpdateStaged(staged.version))

    async def _tell(self, course: Course, seen: Seen, now: float) -> None:
        """Tell the operator how far it is; the last step once at most, for the order is forgotten before."""
        if not self._outlet.online:
            return
        word = course.look(seen, now)
        if word is None:
            return
        if word[0].final:
            await asyncio.to_thread(self._forget)
            self._course = None
        self._tell_step(course.order, *word)

    def _forget(self) -> None:
        self._order.unlink(missing_ok=True)
