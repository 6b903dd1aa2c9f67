from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from provisioning.fading import Fading

STEPS = st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 6), st.booleans()), max_size=60)


@given(STEPS)
def test_what_is_kept_is_what_was_put_lately_and_nothing_else(steps: Sequence[tuple[str, int, bool]]) -> None:
    fading: Fading[int] = Fading(10.0, 1000)
    put: dict[str, tuple[float, int]] = {}
    now = 0.0
    for number, (name, pause, taken) in enumerate(steps):
        now += pause
        at, expected = put.get(name, (-99.0, -1))
        assert fading.get(name, now) == (expected if now - at < 10.0 else None)
        if taken:
            assert fading.pop(name, now) == (expected if now - at < 10.0 else None)
            put.pop(name, None)
        else:
            fading.put(name, number, now)
            put[name] = (now, number)
            assert len(fading) == sum(now - at < 10.0 for at, _ in put.values())


def test_those_that_were_put_last_stay_when_there_are_too_many() -> None:
    fading: Fading[int] = Fading(1e9, 3)
    for name in "abcad":
        fading.put(name, ord(name), 0.0)
    assert [fading.get(name, 0.0) for name in "abcd"] == [97, None, 99, 100]
