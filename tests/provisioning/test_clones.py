from __future__ import annotations

import pytest

from device.messages.reports import Lifecycle
from provisioning.clones import LOSSES, WITHIN, Quarrels

LOST, READY = Lifecycle.LOST, Lifecycle.READY


def course(quarrels: Quarrels, losses: int, every: float, start: float = 0.0, device: str = "robot-1") -> list[bool]:
    """Lose a device and have it back, so many times; return what was said at each loss."""
    told = []
    for number in range(losses):
        now = start + number * every
        told.append(quarrels.on_state(device, LOST, now))
        assert not quarrels.on_state(device, READY, now + every / 2)
    return told


def test_two_that_throw_each_other_out_are_told_of_at_once() -> None:
    assert course(Quarrels(), LOSSES, 1.0) == [False] * (LOSSES - 1) + [True]


def test_a_quarrel_that_goes_on_is_told_again_only_after_as_many_losses() -> None:
    assert course(Quarrels(), 2 * LOSSES, 1.0).count(True) == 2


def test_a_bad_network_or_a_failing_program_is_none() -> None:
    assert not any(course(Quarrels(), 100, 1.01 * WITHIN / (LOSSES - 1)))


def test_the_last_card_told_again_and_again_is_one_loss() -> None:
    quarrels = Quarrels()
    assert not any(quarrels.on_state("robot-1", LOST, float(number)) for number in range(100))


def test_each_device_has_its_own_count() -> None:
    quarrels = Quarrels()
    for number in range(LOSSES - 1):
        for device in ("robot-1", "robot-2"):
            assert course(quarrels, 1, 1.0, float(number), device) == [False]
    assert course(quarrels, 1, 1.0, float(LOSSES), "robot-2") == [True]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.clones.MOST_DEVICES", 5)
    quarrels = Quarrels()
    for number in range(9):
        quarrels.on_state(f"robot-{number}", LOST, 0.0)
    assert list(quarrels._courses) == [f"robot-{number}" for number in range(4, 9)]
