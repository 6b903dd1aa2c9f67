from __future__ import annotations

import numpy as np
import pytest

from provisioning.local.realtime.sound import FAINT, RATE, quiet_after

LOUD = np.full(RATE, 3 * FAINT, np.int16)
FAINTER = np.full(RATE // 2, FAINT, np.int16)


@pytest.mark.parametrize(
    ("parts", "seconds"), [([LOUD], 0.0), ([LOUD, FAINTER], 0.5), ([-LOUD, FAINTER], 0.5), ([FAINTER], 0.5), ([], 0.0)]
)
def test_what_comes_after_the_last_word(parts: list[np.ndarray], seconds: float) -> None:
    assert quiet_after(np.concatenate([np.zeros(0, np.int16), *parts])) == seconds
