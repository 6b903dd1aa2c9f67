"""PURE. When it can be seen that two use one identity: each throws the other off the broker, over and over.

A broker lets one client of a name in; the one before is cut off, and its Last Will is told (MQTT 5, sections 3.1.4 and
3.1.2.5). A robot comes back within a second, so two of them take turns faster than any bad radio or failing program.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Final

from device.messages.reports import Lifecycle

LOSSES: Final = 8
WITHIN: Final = 30.0
"""So many losses within so many seconds are a quarrel.

A robot that fails is started again five times in two minutes at most (systemd/kaiwa-device.service); one whose network
fails is missed by the broker only after 1.5 times its keep-alive of 15 s, or when it is back, which no network does
every four seconds.
"""

MOST_DEVICES: Final = 10_000
"""The devices that are watched at once; those that were lost longest ago are forgotten first."""


@dataclass(slots=True)
class _Course:
    present: bool = True
    losses: deque[float] = field(default_factory=lambda: deque(maxlen=LOSSES))


class Quarrels:
    """Tells of devices that are lost and back, lost and back."""

    def __init__(self) -> None:
        self._courses: OrderedDict[str, _Course] = OrderedDict()

    def on_state(self, device: str, lifecycle: Lifecycle, now: float) -> bool:
        """Take what is told of a device, its card or its Last Will; True when it is a quarrel (`now` on any clock, s).

        A loss counts once, however often it is told: a broker tells the last card anew after every reconnection.
        """
        if lifecycle is not Lifecycle.LOST:
            if device in self._courses:
                self._courses[device].present = True
            return False
        course = self._courses.setdefault(device, _Course())
        self._courses.move_to_end(device)
        if len(self._courses) > MOST_DEVICES:
            self._courses.popitem(last=False)
        return course.present and _lost(course, now)


def _lost(course: _Course, now: float) -> bool:
    course.present = False
    course.losses.append(now)
    quarrel = len(course.losses) == LOSSES and now - course.losses[0] < WITHIN
    if quarrel:
        course.losses.clear()
    return quarrel
