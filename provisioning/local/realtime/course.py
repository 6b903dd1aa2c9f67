"""PURE. The course of a scenario's day: which faults are on in which session, and from which turn on."""

from __future__ import annotations

from provisioning.local.realtime.faults import Faults
from provisioning.local.realtime.scenario import Scenario


class Course:
    """Turns the switches `faults` as the scenario says; it leaves them alone where nothing is to go wrong."""

    def __init__(self, scenario: Scenario | None, faults: Faults) -> None:
        troubled = scenario is not None and (scenario.day or any(turn.faults for turn in scenario.turns))
        self._scenario, self._faults = scenario if troubled else None, faults
        self._session = 0

    def asked(self) -> None:
        """A session is asked for: the next of the day."""
        self._session += 1
        if self._scenario is not None:
            self._faults.become(self._scenario.faults(self._session))

    def heard(self, text: str) -> None:
        """Something was understood: what its turn says goes wrong until the next one."""
        if self._scenario is not None:
            turn = self._scenario.turn(text)
            faults = None if turn is None else turn.faults
            self._faults.become(faults or self._scenario.faults(self._session))
