"""What is told of a group of errors."""

from __future__ import annotations

from device.errors import BrokerError, KaiwaError, SoundError, first_of


def test_the_first_of_the_family_is_told_however_deep() -> None:
    sound = SoundError("no card")
    assert first_of(ExceptionGroup("", [ExceptionGroup("", [sound]), BrokerError("no broker")])) is sound


def test_a_mistake_of_ours_is_not_hidden_behind_one_of_the_family() -> None:
    assert first_of(ExceptionGroup("", [KaiwaError("known"), RuntimeError("a bug")])) is None
    assert first_of(ExceptionGroup("", [RuntimeError("a bug")])) is None
