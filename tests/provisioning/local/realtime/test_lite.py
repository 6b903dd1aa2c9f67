"""A network that loses what it is told to lose."""

from __future__ import annotations

import random

import pytest

from provisioning.local.realtime.faults import Faults
from provisioning.local.realtime.lite import LiteConnection


@pytest.mark.parametrize(("loss", "least", "most"), [(0.0, 0, 0), (0.3, 540, 660), (1.0, 2000, 2000)])
def test_so_many_datagrams_are_lost(loss: float, least: int, most: int) -> None:
    random.seed(1)
    connection = LiteConnection.__new__(LiteConnection)
    connection.faults = Faults(loss=loss)
    assert least <= sum(connection._lost() for _ in range(2000)) <= most
