"""What a gesture at the button is to the session machine, and for how long it was held."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import phase as p
from device.felt import Felt
from device.panel.gestures import DEBOUNCE, Gesture


@pytest.mark.parametrize(
    ("gesture", "meant"), [(Gesture.PRESS, [p.Pressed()]), (Gesture.LONG_HOLD, [p.ClaimWished()]), (Gesture.HOLD, [])]
)
def test_each_gesture_means_one_thing_or_nothing(gesture: Gesture, meant: list[p.Event]) -> None:
    assert list(Felt().meaning(gesture, 5.0)) == meant


@given(st.floats(0, 1e6), st.floats(0, 100))
def test_letting_go_tells_for_how_long_it_was_held_without_what_the_switch_bounces(pressed: float, held: float) -> None:
    felt = Felt()
    assert list(felt.meaning(Gesture.PRESS, pressed)) == [p.Pressed()]
    assert not list(felt.meaning(Gesture.HOLD, pressed + held / 2))
    [gone] = felt.meaning(Gesture.RELEASE, pressed + held)
    assert isinstance(gone, p.LetGo)
    assert gone.seconds == pytest.approx(max(0.0, held - DEBOUNCE), abs=1e-6)


def test_each_press_is_timed_by_itself() -> None:
    felt = Felt()
    for at in (1.0, 50.0):
        list(felt.meaning(Gesture.PRESS, at))
        [gone] = felt.meaning(Gesture.RELEASE, at + 1.0)
        assert isinstance(gone, p.LetGo)
        assert gone.seconds == pytest.approx(1.0 - DEBOUNCE)
